use askama::Template;
use domain::{InstanceId, InstanceState, MemberRole};
use fleet::Stage;
use jiff::Timestamp;

use super::releases::stage_label;
use super::workflows::WorkflowRow;
use crate::health::HealthView;
use crate::moves::LivesIn;
use crate::page::page;
use crate::portal::{state_label, state_tone};
use crate::shell::{Observed, Shell};
use crate::support::SupportRow;

/// All instances with what was last seen of each.
#[derive(Debug, Clone, Template)]
#[template(path = "console/instances.html")]
pub struct ConsoleInstances {
    /// What surrounds the page.
    pub shell: Shell,
    /// The instances.
    pub instances: Vec<InstanceRow>,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// One instance in a list; shown at `/admin/instances/<id>`.
#[derive(Debug, Clone)]
pub struct InstanceRow {
    /// Its id.
    pub id: InstanceId,
    /// Its project's name at the compute provider.
    pub project: String,
    /// Its hostname.
    pub hostname: String,
    /// Whose it is.
    pub customer: String,
    /// Where that customer's page is.
    pub customer_url: String,
    /// Where it stands.
    pub state: InstanceState,
    /// What was last seen of it.
    pub observed: Option<Observed>,
    /// How often it was started again since the server started; `None` when not known.
    pub restarts: Option<u32>,
    /// Resident memory in bytes; `None` when not known.
    pub memory_bytes: Option<u64>,
}

/// One instance.
#[derive(Debug, Clone, Template)]
#[template(path = "console/instance.html")]
pub struct ConsoleInstance {
    /// What surrounds the page.
    pub shell: Shell,
    /// What the list says of it.
    pub instance: InstanceRow,
    /// How it is, by whom that was seen, and how much of the time it answered.
    pub health: HealthView,
    /// Where it is opened.
    pub url: String,
    /// More about it.
    pub facts: Vec<Fact>,
    /// Who may enter.
    pub members: Vec<InstanceMemberRow>,
    /// What was agreed about its updates.
    pub updates: UpdatesCard,
    /// Where it lives; none where all instances live in one home. Forms post to `<url>/moves`, `<url>/moves/confirmation` and
    /// `<url>/moves/back`.
    pub lives_in: Option<LivesIn>,
    /// Its workflows, newest first.
    pub workflows: Vec<WorkflowRow>,
    /// What is typed to cancel it.
    pub subdomain: String,
    /// Whether its customer gave it up.
    pub is_cancelled: bool,
    /// Whether it is to be deleted, and that can be taken back at `/admin/instances/<id>/deletion/undo`.
    pub is_to_be_deleted: bool,
    /// The log of support's access, newest first.
    pub support: Vec<SupportRow>,
    /// Whether the customer was asked for access (`asked`) or has given it (`given`). It is asked for at
    /// `/admin/instances/<id>/support`, and ended at `/admin/instances/<id>/support/end`.
    pub support_state: Option<String>,
    /// The end of its log, oldest line first.
    pub log_tail: Vec<String>,
}

/// What was agreed about the updates of an instance. Forms post to `<url>/{stage,pin,unpin}`.
#[derive(Debug, Clone)]
pub struct UpdatesCard {
    /// What it runs, what waits, and what its customer chose.
    pub facts: Vec<Fact>,
    /// When releases reach it.
    pub stage: Stage,
    /// Whether it stays at what it runs.
    pub is_pinned: bool,
    /// Whether the reader may pin it.
    pub may_pin: bool,
    /// Whether the reader may move it to another stage.
    pub may_move: bool,
}

/// One thing known about something.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its name.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// One member, as an operator sees them.
#[derive(Debug, Clone)]
pub struct InstanceMemberRow {
    /// The address, or `@domain`.
    pub member: String,
    /// What they may do.
    pub role: MemberRole,
    /// Since when.
    pub added_at: Timestamp,
}

page!(ConsoleInstances, here: "/admin/instances");
page!(ConsoleInstance, here: "/admin/instances");

impl UpdatesCard {
    fn stages(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        Stage::ALL.into_iter().map(|stage| (stage.as_str(), stage_label(stage), stage == self.stage))
    }
}

impl ConsoleInstance {
    fn may_suspend(&self) -> bool {
        self.instance.state == InstanceState::Active
    }

    fn may_resume(&self) -> bool {
        self.instance.state == InstanceState::Suspended
    }

    fn may_cancel(&self) -> bool {
        !self.is_to_be_deleted && (self.may_suspend() || self.may_resume())
    }
}

impl InstanceRow {
    pub(super) fn state_label(&self) -> &'static str {
        state_label(&self.state)
    }

    pub(super) fn state_tone(&self) -> &'static str {
        state_tone(&self.state)
    }

    pub(super) fn memory(&self) -> String {
        let mebibytes = |bytes: u64| format!("{} MB", bytes.div_ceil(1_048_576));
        self.memory_bytes.map_or_else(|| "unknown".to_owned(), mebibytes)
    }

    pub(super) fn restarts(&self) -> String {
        self.restarts.map_or_else(|| "unknown".to_owned(), |restarts| restarts.to_string())
    }
}
