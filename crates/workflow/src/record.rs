use jiff::{SignedDuration, Timestamp};

use crate::WorkflowState;

/// A workflow as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRecord {
    /// Its id.
    pub id: String,
    /// What it does, with a version: `provision.v1`.
    pub kind: String,
    /// The id of what it works on.
    pub subject: String,
    /// Where it stands.
    pub state: WorkflowState,
    /// How often it was taken up.
    pub attempt: u32,
    /// Why it failed, is stuck, or waits.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it goes on, if it waits.
    pub due_at: Timestamp,
    /// After which moment it counts as failed.
    pub deadline_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its steps in the order in which they were first begun.
    pub steps: Vec<StepRecord>,
}

/// One step of a workflow as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// Its name.
    pub name: String,
    /// Whether it does or takes back.
    pub direction: Direction,
    /// Where it stands.
    pub state: StepState,
    /// How often it was begun.
    pub attempts: u32,
    /// What it gave, as JSON.
    pub output: Option<String>,
    /// What went wrong last, or what it waits for.
    pub error: Option<String>,
    /// What was asked of others in its latest attempt, with the ids they gave the requests: a line each.
    pub notes: Option<String>,
    /// When its latest attempt began.
    pub started_at: Timestamp,
    /// When its latest attempt ended.
    pub finished_at: Option<Timestamp>,
}

impl StepRecord {
    /// How long the latest attempt took, or takes so far.
    pub fn duration(&self, now: Timestamp) -> SignedDuration {
        self.finished_at.unwrap_or(now).duration_since(self.started_at)
    }
}

/// Forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The step is done.
    Do,
    /// The step is taken back.
    Undo,
}

impl Direction {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Do => "do",
            Self::Undo => "undo",
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepState {
    /// Its intent is stored; whether its effect happened is known once it ends.
    Started,
    /// Its result is stored.
    Done,
    /// Its latest attempt failed.
    Failed,
    /// It waits for its turn or for something that takes its time; nothing went wrong.
    Waiting,
}

impl StepState {
    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
        }
    }

    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "waiting" => Self::Waiting,
            "done" => Self::Done,
            "failed" => Self::Failed,
            _ => Self::Started,
        }
    }
}

/// Which workflows to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<WorkflowState>,
    /// Only those older than this id (the last one of the page before).
    pub before: Option<String>,
    /// At most so many.
    pub limit: u32,
}
