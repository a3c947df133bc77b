//! The journals of meetings in the data folder.

use std::fmt;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::meeting::Meeting;
use super::proposal::Content;
use super::request::Request;
use crate::folder::Folder;
use crate::journal::Journal;
use crate::library::{Library, LibraryError};
use crate::model::{Cost, Role};

const MEETINGS: &str = "meetings";
const JOURNAL: &str = "journal.jsonl";

/// A meeting's number; written `M-3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeetingId(u32);

impl MeetingId {
    /// Reads `M-3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("M-")?;
        let number: u32 = digits.parse().ok().filter(|number| *number > 0)?;
        // One meeting has one address.
        (digits == number.to_string()).then_some(Self(number))
    }
}

impl fmt::Display for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "M-{}", self.0)
    }
}

/// What happened in a meeting, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What happened in a meeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Entry {
    /// It began.
    Opened {
        /// Who began it.
        by: String,
        /// What it is about.
        kind: Kind,
        /// The name of the vision it is about.
        #[serde(default)]
        vision: Option<String>,
        /// The number of the sprint that is reviewed in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sprint: Option<u32>,
    },
    /// A person said something.
    Said {
        /// Who.
        by: String,
        /// What.
        text: String,
        /// What it is about, if it is a request for a change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Request>,
    },
    /// A member of the team is about to answer.
    Asked {
        /// The answer's number, from 1.
        answer: u32,
        /// Who.
        role: Role,
    },
    /// The team proposes something.
    Proposed {
        /// The proposal's number, from 1.
        proposal: u32,
        /// Who.
        role: Role,
        /// What.
        content: Content,
    },
    /// An answer is whole.
    Answered {
        /// Its number.
        answer: u32,
        /// What was said.
        text: String,
        /// What it cost.
        cost: Cost,
    },
    /// An answer broke off.
    BrokenOff {
        /// Its number.
        answer: u32,
        /// What was said until then.
        text: String,
        /// Why.
        why: String,
    },
    /// A person approves a proposal; what follows from that is being done.
    Approving {
        /// Its number.
        proposal: u32,
        /// Who.
        by: String,
    },
    /// A proposal has become a document.
    Approved {
        /// Its number.
        proposal: u32,
        /// Who approved it.
        by: String,
        /// The document's address.
        document: String,
    },
    /// A person declined a proposal.
    Declined {
        /// Its number.
        proposal: u32,
        /// Who.
        by: String,
    },
    /// A person stopped the meeting for now.
    Stopped {
        /// Who.
        by: String,
    },
    /// A person goes on with it.
    Continued {
        /// Who.
        by: String,
    },
    /// A person closed it.
    Closed {
        /// Who.
        by: String,
    },
    /// A person opened it again.
    Reopened {
        /// Who.
        by: String,
    },
}

/// The meetings in a data folder.
pub struct Minutes(Folder);

impl Minutes {
    /// The meetings in a library's folder.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(library: &Library) -> io::Result<Self> {
        Ok(Self(library.root()?.enter_or_make(MEETINGS)?))
    }

    /// All meetings, the newest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn all(&self) -> Result<Vec<Meeting>, LibraryError> {
        let mut ids: Vec<MeetingId> = self.0.entries()?.iter().filter_map(|name| MeetingId::parse(name)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let mut meetings = Vec::new();
        for id in ids {
            match self.read(id) {
                Ok(meeting) => meetings.push(meeting),
                Err(LibraryError::Missing) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(meetings)
    }

    /// A meeting as it is now.
    ///
    /// # Errors
    /// [`LibraryError::Missing`] and [`LibraryError::Disk`].
    pub fn read(&self, id: MeetingId) -> Result<Meeting, LibraryError> {
        let folder = self.0.enter(&id.to_string())?.ok_or(LibraryError::Missing)?;
        let lines: Vec<Line> = Journal::read(&folder, JOURNAL)?;
        Meeting::fold(id, &lines).ok_or(LibraryError::Missing)
    }

    /// Begins a meeting.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn open(&self, at: Timestamp, entry: Entry) -> Result<MeetingId, LibraryError> {
        // A folder without a journal is what a crash left of a meeting that nobody was told of.
        let numbers = self.0.entries()?;
        let last = numbers.iter().filter_map(|name| MeetingId::parse(name)).max();
        let id = MeetingId(last.map_or(1, |last| last.0.saturating_add(1)));
        self.write(id, at, entry)?;
        Ok(id)
    }

    /// Writes down what happened in a meeting.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write(&self, id: MeetingId, at: Timestamp, entry: Entry) -> Result<(), LibraryError> {
        let folder = self.0.enter_or_make(&id.to_string())?;
        Ok(Journal::open(&folder, JOURNAL)?.append(&Line { at, entry })?)
    }
}
