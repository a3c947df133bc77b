//! What happens in a sprint, as it is written down: `sprints/S-<n>/journal.jsonl`. Words here are
//! stored, so they are promises.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::Task;
use crate::project::{CommitId, FilePath};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Entry {
    /// What is to be done; the first of every sprint.
    Planned {
        /// When.
        at: Timestamp,
        /// Who chose it.
        by: String,
        /// What was chosen.
        plan: Plan,
    },
    /// A person let it begin, or go on.
    Started {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
    },
    /// A person wants it to wait, or it waits for a person.
    Paused {
        /// When.
        at: Timestamp,
        /// Who; nobody when it waits by itself.
        by: Option<String>,
        /// Why it waits by itself.
        why: Option<String>,
    },
    /// A person wants no more of it.
    Stopped {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
    },
    /// A task is about to be done; it may be done again if nothing else is written of it.
    Began {
        /// When.
        at: Timestamp,
        /// The story's number.
        story: u64,
        /// The task.
        task: Task,
    },
    /// A task was done.
    Ended {
        /// When.
        at: Timestamp,
        /// The story's number.
        story: u64,
        /// What came of it.
        result: TaskResult,
    },
    /// The model gave no answer, and is asked again in a while.
    Waiting {
        /// When.
        at: Timestamp,
        /// What it said, or what was in the way.
        why: String,
        /// How long until then.
        seconds: u64,
    },
    /// No story is left to work on.
    Finished {
        /// When.
        at: Timestamp,
        /// What is done, in this state.
        commit: CommitId,
    },
}

/// What a sprint is to do. Stories are copied, so that a later change of the backlog changes no sprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The vision's name.
    pub vision: String,
    /// In this order.
    pub stories: Vec<Story>,
    /// How often the code of a story is written before it has failed.
    pub attempts: u32,
    /// What it was expected to take, if there was anything to go by.
    pub expected: Option<Expected>,
}

/// One story as it was when it was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The number of the backlog item.
    pub number: u64,
    /// The item's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Who wants what, and why.
    pub text: String,
    /// What must be true before it is done.
    pub criteria: Vec<String>,
    /// The sprint in which it was done last, if it comes back to be repaired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_in: Option<u32>,
}

/// What a sprint is expected to take, from what stories took before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// How many stories this is known from.
    pub known_from: u32,
    /// Seconds of work.
    pub seconds: u64,
    /// Millionths of the currency.
    pub millionths: u64,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum TaskResult {
    /// The architect said how to build it.
    Designed {
        /// In these words.
        text: String,
    },
    /// The tester wrote the acceptance tests.
    TestsWritten(Acceptance),
    /// The developer wrote the code.
    CodeWritten {
        /// What they say of it, which proves nothing.
        summary: String,
    },
    /// The acceptance tests ran and passed, and so did all others.
    Passed {
        /// How many acceptance tests ran.
        tests: u64,
        /// Which of the tester's files had been changed and were put back before.
        put_back: Vec<FilePath>,
        /// The commands, by their numbers on record.
        commands: Vec<u64>,
    },
    /// It did not build, or tests did not pass.
    Fell {
        /// What went wrong.
        why: String,
        /// The end of what was said about it.
        tail: String,
        /// Which of the tester's files had been changed and were put back before.
        put_back: Vec<FilePath>,
        /// The commands, by their numbers on record.
        commands: Vec<u64>,
    },
    /// It is part of what is done.
    Merged {
        /// In this state.
        commit: CommitId,
    },
    /// The task could not be done.
    GaveUp {
        /// Why.
        why: String,
    },
}

/// A story's acceptance tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The files the tester wrote, helpers too.
    pub files: Vec<FilePath>,
    /// Acceptance tests of before that the tester left as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FilePath>,
    /// The state in which they are as the tester wrote them.
    pub commit: CommitId,
}

impl Acceptance {
    /// All files that are the tester's and not the developer's.
    #[must_use]
    pub fn protected(&self) -> Vec<FilePath> {
        self.files.iter().chain(&self.former).cloned().collect()
    }
}

impl Entry {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Planned { at, .. }
            | Self::Started { at, .. }
            | Self::Paused { at, .. }
            | Self::Stopped { at, .. }
            | Self::Began { at, .. }
            | Self::Ended { at, .. }
            | Self::Waiting { at, .. }
            | Self::Finished { at, .. } => *at,
        }
    }
}
