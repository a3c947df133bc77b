use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::Run;

/// What a kind of workflow does, and how it takes it back.
#[async_trait]
pub trait Workflow: Send + Sync + 'static {
    /// Its stored name, with a version: `provision.v1`. A changed sequence of steps is a new
    /// version; runs under way finish under the old one.
    fn kind(&self) -> &'static str;

    /// How long it may try before it counts as failed.
    fn time_limit(&self) -> SignedDuration;

    /// What happens when it fails for good.
    fn on_failure(&self) -> OnFailure;

    /// The story, told in steps.
    async fn run(&self, run: &Run) -> Result<(), Stop>;

    /// The way back; see [`Run::undo`]. Never called for [`OnFailure::Halt`].
    async fn undo(&self, run: &Run) -> Result<(), Stop>;
}

/// What a failure for good leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Take back what was begun.
    Undo,
    /// Stop and wait for a person, who can have it tried again. For work that is itself a removal.
    Halt,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Trying again may help.
    #[error("{0:#}")]
    Temporary(anyhow::Error),
    /// Trying again unchanged is pointless.
    #[error("{0:#}")]
    Permanent(anyhow::Error),
    /// Nothing went wrong: what was begun takes its time, and a look is due after a while. The
    /// workflow's time limit goes on.
    #[error("{why}")]
    NotYet {
        /// What is waited for, in words that a customer may read.
        why: String,
        /// How long until the next look.
        after: SignedDuration,
    },
    /// Nothing went wrong and nothing was begun: others are before it. Time spent in line does not
    /// count against the workflow's time limit.
    #[error("{why}")]
    InLine {
        /// Who is before it, in words that a customer may read.
        why: String,
        /// When its turn comes, as far as can be told.
        until: Timestamp,
    },
}

impl StepError {
    /// Trying again may help.
    pub fn temporary(error: impl Into<anyhow::Error>) -> Self {
        Self::Temporary(error.into())
    }

    /// Trying again unchanged is pointless.
    pub fn permanent(error: impl Into<anyhow::Error>) -> Self {
        Self::Permanent(error.into())
    }
}

impl From<sqlx::Error> for StepError {
    fn from(error: sqlx::Error) -> Self {
        Self::temporary(error)
    }
}

/// Why a run ends before its story does. A workflow only passes it on with `?`.
#[derive(Debug)]
pub enum Stop {
    /// It goes on at this moment.
    Until(Timestamp),
    /// It failed for good.
    Failed(String),
    /// Another replica holds it now, or this one is stopping.
    Released,
    /// The store did not take a result; nothing more may happen until the lease has run out.
    Store(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}
