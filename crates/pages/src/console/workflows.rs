use askama::Template;
use domain::WorkflowId;
use jiff::Timestamp;

use crate::page::page;
use crate::progress::StepState;
use crate::shell::Shell;
use crate::when;

/// Workflows, all or those in one state. The filter is the query `?state=`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/workflows.html")]
pub struct ConsoleWorkflows {
    /// What surrounds the page.
    pub shell: Shell,
    /// Which state is shown; `None` for all.
    pub filter: Option<WorkflowState>,
    /// The workflows, newest first.
    pub workflows: Vec<WorkflowRow>,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// Where a workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowState {
    /// Under way.
    Running,
    /// Can't go on without a person.
    Stuck,
    /// Given up; what was made is being undone.
    Undoing,
    /// Finished.
    Done,
    /// Failed for good; what was made is undone.
    Failed,
    /// Given up by a person.
    Abandoned,
}

/// One workflow in a list; shown at `/admin/workflows/<id>`.
#[derive(Debug, Clone)]
pub struct WorkflowRow {
    /// Its id.
    pub id: WorkflowId,
    /// What it does, such as `provision`.
    pub name: String,
    /// What it does it to, such as `acme.localhost:8080`.
    pub subject: String,
    /// Where it stands.
    pub state: WorkflowState,
    /// The step it is at, if any.
    pub step: Option<String>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// Its last error.
    pub error: Option<String>,
}

/// One workflow with its steps. Retry and abandon are asked for at `<url>/retry` and
/// `<url>/abandon`, each first with a page that asks for confirmation.
#[derive(Debug, Clone, Template)]
#[template(path = "console/workflow.html")]
pub struct ConsoleWorkflow {
    /// What surrounds the page.
    pub shell: Shell,
    /// What the list says of it.
    pub workflow: WorkflowRow,
    /// Its steps in the order they ran.
    pub steps: Vec<WorkflowStepRow>,
    /// Whether the reader may retry it now.
    pub may_retry: bool,
    /// Whether the reader may abandon it now.
    pub may_abandon: bool,
}

/// One step of a workflow.
#[derive(Debug, Clone)]
pub struct WorkflowStepRow {
    /// Its stored name.
    pub name: String,
    /// How far it is.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first tried.
    pub started_at: Option<Timestamp>,
    /// How long it took, all tries together.
    pub duration_ms: Option<u64>,
    /// What it recorded, shortened by the caller, secrets left out.
    pub output: Option<String>,
    /// What went wrong at the last try.
    pub error: Option<String>,
    /// What was asked of providers at the last try, with the ids that they gave the requests.
    pub requests: Vec<String>,
}

/// What an operator does to a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowAction {
    /// Try the failed step again now.
    Retry,
    /// Give up and undo what was made.
    Abandon,
}

/// Asks whether a workflow shall really be retried or abandoned. Posts nothing but itself.
#[derive(Debug, Clone, Template)]
#[template(path = "console/confirm_workflow.html")]
pub struct ConfirmWorkflowAction {
    /// What surrounds the page.
    pub shell: Shell,
    /// What would be done.
    pub action: WorkflowAction,
    /// To which workflow.
    pub workflow: WorkflowRow,
}

page!(ConsoleWorkflows, here: "/admin/workflows");
page!(ConsoleWorkflow, here: "/admin/workflows");
page!(ConfirmWorkflowAction, here: "/admin/workflows");

impl WorkflowState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Running, Self::Stuck, Self::Undoing, Self::Done, Self::Failed, Self::Abandoned];

    /// The word in the query `?state=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stuck => "stuck",
            Self::Undoing => "undoing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Running => "Under way",
            Self::Stuck => "Needs a person",
            Self::Undoing => "Undoing",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Abandoned => "Abandoned",
        }
    }

    pub(super) fn tone(self) -> &'static str {
        match self {
            Self::Done => "good",
            Self::Running | Self::Undoing => "wait",
            Self::Stuck | Self::Failed => "bad",
            Self::Abandoned => "off",
        }
    }
}

impl ConsoleWorkflows {
    fn is_filter(&self, state: &WorkflowState) -> bool {
        self.filter.as_ref() == Some(state)
    }
}

impl ConfirmWorkflowAction {
    fn abandons(&self) -> bool {
        self.action == WorkflowAction::Abandon
    }
}

impl WorkflowRow {
    pub(super) fn took(&self) -> Option<String> {
        let millis = self.ended_at?.as_millisecond().checked_sub(self.started_at.as_millisecond())?;
        Some(when::duration(u64::try_from(millis).ok()?))
    }
}

impl WorkflowStepRow {
    fn took(&self) -> String {
        self.duration_ms.map(when::duration).unwrap_or_default()
    }
}
