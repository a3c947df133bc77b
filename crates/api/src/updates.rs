use domain::{InstanceId, RolloutId};
use fleet::{Stage, UnitState, Version, Window};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// What an instance runs, and what was agreed about its updates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Updates {
    /// Which.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// When releases reach it: `development`, `main` or `customers`.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// When its customer wants updates, in UTC; absent: at any time.
    #[schema(value_type = Option<Object>, example = json!({"days": ["sat", "sun"], "from_hour": 2, "hours": 4}))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Until when its customer put updates off.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<Timestamp>,
    /// It stays at what it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// What it runs, or is about to; absent until something was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<RunningRelease>,
    /// The update that waits for its turn, or is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingUpdate>,
    /// The last updates that are over, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<PastUpdate>,
}

/// An instance stays at its version for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// Until then.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Why.
    pub because: String,
}

/// What an instance runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunningRelease {
    /// The release.
    #[schema(value_type = String)]
    pub version: Version,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// An update that waits, or is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingUpdate {
    /// As part of which rollout.
    #[schema(value_type = String)]
    pub rollout_id: RolloutId,
    /// To which release.
    #[schema(value_type = String)]
    pub version: Version,
    /// `waiting`, `updating`, `soaking` or `going_back`.
    #[schema(value_type = String)]
    pub state: UnitState,
    /// Not before then; absent: whenever its turn comes.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
}

/// An update that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PastUpdate {
    /// As part of which rollout.
    #[schema(value_type = String)]
    pub rollout_id: RolloutId,
    /// To which release.
    #[schema(value_type = String)]
    pub version: Version,
    /// `updated`, `rolled_back`, `stuck`, `skipped`, `excused` or `went_back`.
    #[schema(value_type = String)]
    pub state: UnitState,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Changes what was agreed. What is left out stays as it is; what is `null` is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUpdates {
    /// `development`, `main` or `customers`.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// When its customer wants updates: days of the week, an hour of them in UTC, and for 2 to 24 hours.
    #[schema(value_type = Option<Object>, example = json!({"days": ["sat", "sun"], "from_hour": 2, "hours": 4}))]
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub window: Option<Option<Window>>,
    /// Puts updates off until then: by 7 days at most, counted from when the update that waits was announced.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<Option<Timestamp>>,
    /// Keeps it at what it runs: for 180 days at most.
    #[schema(value_type = Option<NewPin>)]
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub pin: Option<Option<NewPin>>,
}

/// Keeps an instance at what it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPin {
    /// Until then.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Why, in a sentence.
    pub because: String,
}

/// A field that is there has said something, be it `null`.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Client {
    /// What an instance runs, and what was agreed about its updates.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn updates(&self, instance: &str) -> Result<Updates, ClientError> {
        self.get(&["instances", instance, "updates"], &()).await
    }

    /// Changes what was agreed.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is gone, 422 when that can't be agreed.
    pub async fn change_updates(&self, instance: &str, change: &ChangeUpdates) -> Result<Updates, ClientError> {
        self.put(&["instances", instance, "updates"], change).await
    }
}
