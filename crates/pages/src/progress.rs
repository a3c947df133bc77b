use askama::Template;
use domain::Email;
use jiff::Timestamp;
use serde::Serialize;

use crate::page::page;
use crate::shell::Shell;
use crate::when;

/// A workflow as the customer watches it: a workspace being ordered, made or removed, step by step.
///
/// The page shows `view` at once and then listens at `events_url` for server-sent events named
/// `progress`, each with [`ProgressView::json`] as its data. Without a script it reloads itself.
#[derive(Debug, Clone, Template)]
#[template(path = "site/progress.html")]
pub struct Progress {
    /// What surrounds the page.
    pub shell: Shell,
    /// What is being done.
    pub purpose: Purpose,
    /// The workspace's hostname, such as `acme.localhost:8080`.
    pub hostname: String,
    /// Where the events come from: this page's own address with `/events` behind it.
    pub events_url: String,
    /// How far it is.
    pub view: ProgressView,
    /// Whom the welcome mail goes to (or went to, when done).
    pub mail_to: Option<Email>,
    /// Where that mail can be read when it goes to the built-in mailbox.
    pub mailbox_url: Option<String>,
    /// Where an order is posted to that is no longer wanted; `None` where nothing can be cancelled.
    pub cancel_url: Option<String>,
}

/// What a workflow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A workspace was ordered, and waits for a means of payment. When that is done, the page goes on
    /// to where the workspace is made.
    SignUp,
    /// A workspace is being made.
    Provision,
    /// A workspace is being removed.
    Delete,
}

/// How far a workflow is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgressView {
    /// The whole.
    pub state: ProgressState,
    /// Its steps, in order, those to come included.
    pub steps: Vec<ProgressStep>,
    /// Where to go when done: the workspace, the making of it, or the record of its deletion.
    pub url: Option<String>,
    /// Where the means of payment is asked for, while it is.
    pub pay_url: Option<String>,
    /// One sentence about the whole, in words for the customer, such as why it failed and what happens next; may be empty.
    pub message: String,
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgressStep {
    /// Its stored name.
    pub name: String,
    /// Its name in words for the customer.
    pub label: String,
    /// How far it is.
    pub state: StepState,
    /// How often it was tried; 0 when it has not begun.
    pub attempts: u32,
    /// How long it took, or has taken so far; `None` when it has not begun.
    pub duration_ms: Option<u64>,
    /// What went wrong at the last try, in words for the customer.
    pub error: Option<String>,
}

/// How far a whole workflow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgressState {
    /// Under way.
    Running,
    /// Given up; what was made is being undone.
    Undoing,
    /// Finished.
    Done,
    /// Failed for good, and everything made is undone.
    Failed,
    /// Can't go on without the operator.
    Stuck,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Under way, or waiting to be tried again.
    Running,
    /// Finished.
    Done,
    /// Failed for good.
    Failed,
}

/// What a deletion removed.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/deletion_record.html")]
pub struct DeletionRecord {
    /// What surrounds the page.
    pub shell: Shell,
    /// The hostname that was the workspace's.
    pub hostname: String,
    /// Who asked for it.
    pub requested_by: String,
    /// When it was complete.
    pub completed_at: Timestamp,
    /// What was removed, in order.
    pub removed: Vec<RemovedRow>,
}

/// One thing that was removed.
#[derive(Debug, Clone)]
pub struct RemovedRow {
    /// What kind of thing, such as `Data folder`.
    pub what: String,
    /// Which one.
    pub name: String,
    /// When it was found to be gone.
    pub removed_at: Timestamp,
}

page!(Progress, here: "");
page!(DeletionRecord, here: "/portal");

impl Progress {
    fn deleting(&self) -> bool {
        self.purpose == Purpose::Delete
    }

    fn ordering(&self) -> bool {
        self.purpose == Purpose::SignUp
    }

    fn under_way(&self) -> bool {
        matches!(self.view.state, ProgressState::Running | ProgressState::Undoing)
    }

    /// Every state's headline, so that the script can show another one without writing text.
    fn headlines(&self) -> [(&'static str, &'static str); 5] {
        match self.purpose {
            Purpose::SignUp => [
                ("running", "One thing is missing: your payment details"),
                ("undoing", "Closing the order"),
                ("done", "Thank you. Your workspace is being made"),
                ("failed", "The order is closed"),
                ("stuck", "The order can't go on"),
            ],
            Purpose::Provision => [
                ("running", "Making your workspace"),
                ("undoing", "That did not work; cleaning up"),
                ("done", "Your workspace is ready"),
                ("failed", "Your workspace could not be made"),
                ("stuck", "Your workspace could not be made"),
            ],
            Purpose::Delete => [
                ("running", "Removing the workspace"),
                ("undoing", "Removing the workspace"),
                ("done", "The workspace is gone"),
                ("failed", "The removal stopped before its end"),
                ("stuck", "The removal stopped before its end"),
            ],
        }
    }
}

impl ProgressView {
    /// The data of one `progress` event.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.state == StepState::Done).count()
    }
}

impl ProgressStep {
    fn took(&self) -> String {
        self.duration_ms.map(when::duration).unwrap_or_default()
    }

    fn tries(&self) -> String {
        if self.attempts > 1 { format!("try {}", self.attempts) } else { String::new() }
    }
}

impl ProgressState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stuck => "stuck",
        }
    }
}

impl StepState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::Waiting => "off",
            Self::Running => "wait",
            Self::Done => "good",
            Self::Failed => "bad",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Running => "Under way",
            Self::Done => "Done",
            Self::Failed => "Failed",
        }
    }
}
