use domain::WorkflowId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// One run of a durable workflow, such as the making of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workflow {
    /// Names the run.
    #[schema(value_type = String)]
    pub id: WorkflowId,
    /// What it does and in which version of the work, such as `provision.v1`.
    pub kind: String,
    /// What it does it to, such as an instance's id.
    pub subject: String,
    /// Where it stands.
    pub state: WorkflowState,
    /// How often it was taken up.
    pub attempt: u32,
    /// What last went wrong.
    pub error: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// When it will be taken up again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// Its steps so far, in the order they began. Empty in lists: ask for the one workflow to see them.
    pub steps: Vec<Step>,
}

/// Where a workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowState {
    /// Doing its steps, or waiting to try one again.
    Running,
    /// Taking back what it did.
    Undoing,
    /// All steps are done.
    Done,
    /// Came to nothing, and everything was taken back.
    Failed,
    /// Could not take everything back; somebody has to look, then retry or abandon it.
    Stuck,
    /// An operator gave it up; what it left behind is theirs to remove.
    Abandoned,
}

impl WorkflowState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Running, Self::Undoing, Self::Done, Self::Failed, Self::Stuck, Self::Abandoned];

    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether nothing more happens unless somebody asks for it.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Running | Self::Undoing)
    }
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// What it does, in words.
    pub name: String,
    /// Whether it makes or takes back.
    pub direction: Direction,
    /// Where it stands.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: u32,
    /// What last went wrong; kept while it is tried again.
    pub error: Option<String>,
    /// When its latest attempt began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When its latest attempt ended; absent while that is under way.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// How long its latest attempt took or has taken so far, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What was asked of providers in its latest attempt, with the ids that they gave the requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<String>,
}

/// Whether a step makes something or takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Makes it.
    Do,
    /// Takes it back.
    Undo,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Being tried, with no result yet.
    Started,
    /// Its effect is there and recorded.
    Done,
    /// Its latest attempt failed. Unless its workflow is over or being undone, it is tried again.
    Failed,
    /// It waits for its turn, or for something that takes its time; `error` says for what.
    Waiting,
}

/// A workflow was started or taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowAccepted {
    /// Follow it at `/workflows/{id}`.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
}

/// Which workflows to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WorkflowFilter {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<WorkflowState>,
}

impl Client {
    /// The workflows, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn workflows(&self, filter: &WorkflowFilter, paging: &Paging) -> Result<Page<Workflow>, ClientError> {
        self.get(&["workflows"], &Filtered { filter, paging }).await
    }

    /// One workflow with its steps.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such workflow.
    pub async fn workflow(&self, id: &str) -> Result<Workflow, ClientError> {
        self.get(&["workflows", id], &()).await
    }

    /// Takes a workflow up again now.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such workflow, 409 when there is nothing to retry.
    pub async fn retry_workflow(&self, id: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["workflows", id, "retry"], &()).await
    }

    /// Gives a workflow up.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such workflow, 409 when it is over already.
    pub async fn abandon_workflow(&self, id: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["workflows", id, "abandon"], &()).await
    }
}
