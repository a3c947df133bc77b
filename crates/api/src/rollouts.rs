use std::num::NonZeroU16;

use domain::{BackupId, InstanceId, RolloutId, Subdomain, WorkflowId};
use fleet::{Rest, RolloutState, Stage, UnitState, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// What brings many instances to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rollout {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RolloutId,
    /// The release.
    #[schema(value_type = String)]
    pub version: Version,
    /// It is for instances of this stage and those before it.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// Why there is one.
    pub occasion: RolloutOccasion,
    /// `running`, `paused`, `halted`, `cancelling`, `cancelled`, `rolling_back`, `rolled_back` or `done`.
    #[schema(value_type = String)]
    pub state: RolloutState,
    /// Why it is where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How it goes through its instances.
    pub strategy: RolloutStrategy,
    /// How many may fail before it halts; those that were accepted after a halt included.
    pub tolerated: u32,
    /// How many instances it was to update; those that turned out to need none are left out.
    pub planned: u32,
    /// How many are how far.
    pub counts: UnitCounts,
    /// How many ran the release before it began.
    pub ran_it_already: u32,
    /// Of all instances, or of some that were named.
    pub whole: bool,
    /// How long it was expected to take, in seconds.
    pub expected_seconds: u64,
    /// Who began it.
    pub made_by: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Its waves, where it has more than one; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<RolloutWave>,
    /// What happened, the earliest first; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<RolloutEvent>,
}

/// Why there is a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutOccasion {
    /// Somebody asked for it.
    Asked,
    /// The server's settings name another release than before.
    Settings,
    /// Some could not be reached by an earlier one.
    CatchUp,
}

/// How many instances of a rollout are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct UnitCounts {
    /// Their turn has not come.
    pub waiting: u32,
    /// Being backed up, deployed and looked at.
    pub updating: u32,
    /// They run the release and are being watched.
    pub soaking: u32,
    /// They run the release and are well.
    pub updated: u32,
    /// Their update failed; they run what they ran before.
    pub rolled_back: u32,
    /// They need a person.
    pub stuck: u32,
    /// They were left out.
    pub skipped: u32,
    /// There was nothing to update.
    pub excused: u32,
    /// Being taken back with the whole rollout.
    pub going_back: u32,
    /// They were taken back with the whole rollout.
    pub went_back: u32,
}

/// How far a wave has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutWave {
    /// Which, from 1 on.
    pub wave: u32,
    /// How many instances it has.
    pub planned: u32,
    /// How many of them are how far.
    pub counts: UnitCounts,
}

/// Something that happened in a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutEvent {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it; `rollout` when it was itself.
    pub by: String,
    /// What.
    pub what: String,
}

/// How a rollout goes through its instances. Left as it is: one by one, stopping at the first failure.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutStrategy {
    /// How many of a hundred instances each wave has; what they leave is the last one. One wave is over before the next
    /// begins. Left out with `at_once`: one by one.
    #[schema(example = json!([1, 10, 20, 30]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves: Option<Vec<u8>>,
    /// So many of a wave are deployed at a time; one when left out.
    #[schema(value_type = Option<u16>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<NonZeroU16>,
    /// For how long each is watched before it counts as updated, in minutes: at most a week.
    #[serde(default)]
    pub soak_minutes: u32,
    /// How many may fail before it halts: a number such as `3`, or a share such as `2%`.
    #[schema(example = "2%")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated: Option<String>,
    /// How long before the first one customers are told, in hours: at most 30 days.
    #[serde(default)]
    pub notice_hours: u32,
    /// Update without a backup: what fails then goes back to its former release, and keeps its data as it is.
    #[serde(default)]
    pub without_backup: bool,
}

/// Asks for a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// To which release.
    #[schema(value_type = String, example = "1.4.0")]
    pub version: Version,
    /// How.
    #[serde(default)]
    pub strategy: RolloutStrategy,
    /// To these instances alone: ids, project names or subdomains. Left out: all of the release's stage and those
    /// before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// Only plan it.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a rollout would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutPlan {
    /// To which release.
    #[schema(value_type = String)]
    pub version: Version,
    /// To instances of this stage and those before it.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// Who is updated, in order.
    pub units: Vec<PlannedUnit>,
    /// Who is not, though it does not run the release, and why.
    pub left_out: Vec<LeftOut>,
    /// How many run the release already.
    pub ran_it_already: u32,
    /// How many instances each wave has.
    pub waves: Vec<u32>,
    /// How many may fail before it halts.
    pub tolerated: u32,
    /// How long it takes if nothing fails and nobody is waited for, in seconds.
    pub expected_seconds: u64,
    /// When the last window opens that a customer chose, if somebody has to be waited for.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_opening: Option<Timestamp>,
    /// The rollout that is open, which has to end first.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<RolloutId>,
}

/// One instance's place in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedUnit {
    /// Which.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Its subdomain.
    #[schema(value_type = String)]
    pub subdomain: Subdomain,
    /// Its stage.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// What it runs, as far as it is recorded.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Version>,
    /// Its wave, from 1 on.
    pub wave: u32,
    /// Why it has this place: it is `asleep`, `quiet` or `in_use`.
    #[schema(value_type = String)]
    pub rest: Rest,
    /// When it may begin; absent: whenever its turn comes.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
}

/// An instance that a plan leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// Which.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Its subdomain.
    #[schema(value_type = String)]
    pub subdomain: Subdomain,
    /// Why.
    pub why: String,
}

/// One instance of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutUnit {
    /// Which.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Its subdomain.
    #[schema(value_type = String)]
    pub subdomain: Subdomain,
    /// Its stage.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// Its wave, from 1 on.
    pub wave: u32,
    /// `waiting`, `updating`, `soaking`, `updated`, `rolled_back`, `stuck`, `skipped`, `excused`, `going_back` or
    /// `went_back`.
    #[schema(value_type = String)]
    pub state: UnitState,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it ran before.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// When it may begin; absent: whenever its turn comes.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// The workflow that updates it, or did.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// The backup that was made before.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<BackupId>,
    /// When its update began.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// When it was over, one way or the other.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}

/// Which rollouts to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RolloutFilter {
    /// `open` for the one that is not over; none for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
}

/// Which instances of a rollout to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UnitFilter {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<UnitState>,
}

impl UnitCounts {
    /// Notes how many are in a state.
    pub fn set(&mut self, state: UnitState, number: u32) {
        *match state {
            UnitState::Waiting => &mut self.waiting,
            UnitState::Updating => &mut self.updating,
            UnitState::Soaking => &mut self.soaking,
            UnitState::Updated => &mut self.updated,
            UnitState::RolledBack => &mut self.rolled_back,
            UnitState::Stuck => &mut self.stuck,
            UnitState::Skipped => &mut self.skipped,
            UnitState::Excused => &mut self.excused,
            UnitState::GoingBack => &mut self.going_back,
            UnitState::WentBack => &mut self.went_back,
        } = number;
    }

    /// How many failed.
    pub fn failed(&self) -> u32 {
        self.rolled_back.saturating_add(self.stuck)
    }

    /// How many are worked on.
    pub fn under_way(&self) -> u32 {
        self.updating.saturating_add(self.soaking).saturating_add(self.going_back)
    }
}

impl Client {
    /// The rollouts, the newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rollouts(&self, filter: &RolloutFilter, paging: &Paging) -> Result<Page<Rollout>, ClientError> {
        self.get(&["rollouts"], &Filtered { filter, paging }).await
    }

    /// One rollout, with its waves and what happened.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that id.
    pub async fn rollout(&self, id: &str) -> Result<Rollout, ClientError> {
        self.get(&["rollouts", id], &()).await
    }

    /// The instances of a rollout, in their order.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that id.
    pub async fn rollout_units(
        &self,
        id: &str,
        filter: &UnitFilter,
        paging: &Paging,
    ) -> Result<Page<RolloutUnit>, ClientError> {
        self.get(&["rollouts", id, "units"], &Filtered { filter, paging }).await
    }

    /// What a rollout would do. Asks for a dry run, whatever `wanted` says.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such release or instance, 409 when it could not begin, 422 when its
    /// strategy can't be meant.
    pub async fn plan_rollout(&self, wanted: &NewRollout) -> Result<RolloutPlan, ClientError> {
        self.post(&["rollouts"], &NewRollout { dry_run: true, ..wanted.clone() }).await
    }

    /// Begins a rollout.
    ///
    /// # Errors
    /// As [`Self::plan_rollout`], and 409 when another one is open.
    pub async fn start_rollout(&self, wanted: &NewRollout) -> Result<Rollout, ClientError> {
        self.post(&["rollouts"], &NewRollout { dry_run: false, ..wanted.clone() }).await
    }

    /// Begins nothing more for now.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that id, 409 when it is over or on its way back.
    pub async fn pause_rollout(&self, id: &str) -> Result<Rollout, ClientError> {
        self.post(&["rollouts", id, "pause"], &()).await
    }

    /// Goes on; after a halt, the failures so far are accepted.
    ///
    /// # Errors
    /// As [`Self::pause_rollout`].
    pub async fn resume_rollout(&self, id: &str) -> Result<Rollout, ClientError> {
        self.post(&["rollouts", id, "resume"], &()).await
    }

    /// Ends it: what was begun goes on to its end, and nothing more is begun.
    ///
    /// # Errors
    /// As [`Self::pause_rollout`].
    pub async fn cancel_rollout(&self, id: &str) -> Result<Rollout, ClientError> {
        self.post(&["rollouts", id, "cancel"], &()).await
    }

    /// Takes everything back that was updated.
    ///
    /// # Errors
    /// As [`Self::pause_rollout`], and 409 when another one is open.
    pub async fn roll_back_rollout(&self, id: &str) -> Result<Rollout, ClientError> {
        self.post(&["rollouts", id, "roll-back"], &()).await
    }

    /// Leaves an instance out whose turn has not come, or that needed a person and had one.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when it is no part of it, 409 when its update has begun.
    pub async fn skip_unit(&self, id: &str, instance: &str) -> Result<Rollout, ClientError> {
        self.post(&["rollouts", id, "units", instance, "skip"], &()).await
    }
}
