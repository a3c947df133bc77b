//! What was pushed, when and by whom: `pushes.jsonl` in the project's folder. Words here are stored,
//! so they are promises.

use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::export::PUSHES;
use crate::folder::Folder;
use crate::journal::Journal;
use crate::project::CommitId;

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Entry {
    Began { at: Timestamp, by: String, to: String, commit: CommitId, tags: Vec<String> },
    Ended { at: Timestamp, outcome: Outcome },
}

/// How a push ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is there.
    Pushed,
    /// It is not, and why.
    Failed(String),
}

/// One push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// When it began.
    pub at: Timestamp,
    /// Who wanted it.
    pub by: String,
    /// Where to.
    pub to: String,
    /// Which state of what is done.
    pub commit: CommitId,
    /// How it ended; `None` while it is under way, or when the program died in it.
    pub outcome: Option<Outcome>,
}

/// All pushes of a project, the oldest first.
///
/// # Errors
/// When the disk fails.
pub fn all(project: &Folder) -> io::Result<Vec<Push>> {
    let mut all: Vec<Push> = Vec::new();
    for entry in Journal::read(project, PUSHES)? {
        match (entry, all.last_mut()) {
            (Entry::Began { at, by, to, commit, .. }, _) => all.push(Push { at, by, to, commit, outcome: None }),
            (Entry::Ended { outcome, .. }, Some(last)) => last.outcome = Some(outcome),
            (Entry::Ended { .. }, None) => {}
        }
    }
    Ok(all)
}

pub(super) fn begin(project: &Folder, push: &Push, tags: Vec<String>) -> io::Result<()> {
    let Push { at, by, to, commit, .. } = push.clone();
    Journal::open(project, PUSHES)?.append(&Entry::Began { at, by, to, commit, tags })
}

pub(super) fn end(project: &Folder, at: Timestamp, outcome: Outcome) -> io::Result<()> {
    Journal::open(project, PUSHES)?.append(&Entry::Ended { at, outcome })
}
