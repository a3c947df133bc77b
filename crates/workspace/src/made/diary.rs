//! What became of the app, on record in `app.jsonl`: when it ran, in which hours, and who let whom see it.
//!
//! What is wanted is written before it is done, so that a crash leaves a question that can be answered,
//! and never an answer that is wrong.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Run;
use crate::folder::Folder;
use crate::journal::Journal;
use crate::name::Name;
use crate::project::CommitId;

const FILE: &str = "app.jsonl";
const HOUR: i64 = 3_600;

/// One thing that became of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(super) enum Entry {
    /// Somebody started it.
    Started { at: Timestamp, vision: String, commit: CommitId, by: String },
    /// It was seen to run in this clock hour.
    Ran { at: Timestamp },
    /// It does not run any more.
    Ended { at: Timestamp, why: String },
    /// Somebody wants it shared with everybody, or with members only.
    Asked { at: Timestamp, by: String, shared: bool },
    /// It is so, since it was asked for.
    Switched { shared: bool },
    /// It is as it was.
    NotSwitched { why: String },
    /// The decision about it is written.
    Decided,
}

/// Who wanted the app to be shared, or not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Whether everybody is to see it.
    pub shared: bool,
}

/// What is left to do about a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// Nobody knows whether it was fulfilled.
    Unknown(Wish),
    /// It was, and the decision is not written down.
    Undecided(Wish),
}

/// The record, open for writing; cheap to clone.
#[derive(Clone)]
pub(super) struct Diary(Arc<Inner>);

struct Inner {
    root: PathBuf,
    known: Mutex<Known>,
}

/// What follows from the record.
#[derive(Default)]
struct Known {
    /// The clock hours, counted from 1970, in which it ran.
    hours: BTreeSet<i64>,
    /// A run whose end is not on record.
    run: Option<Run>,
    /// A wish that is not settled.
    open: Option<Open>,
    /// The last wish that was fulfilled.
    switched: Option<Wish>,
}

impl Diary {
    /// The record in a data folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let mut known = Known::default();
        for entry in Journal::read::<Entry>(&Folder::open(root)?, FILE)? {
            known.learn(&entry);
        }
        Ok(Self(Arc::new(Inner { root: root.to_owned(), known: Mutex::new(known) })))
    }

    /// Writes something down.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub(super) fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut known = self.known();
        Journal::open(&Folder::open(&self.0.root)?, FILE)?.append(entry)?;
        known.learn(entry);
        Ok(())
    }

    /// Writes down that it runs, once in each hour. Not being able to does not stop it.
    pub(super) fn ran(&self, at: Timestamp) {
        let is_new = !self.known().hours.contains(&hour_of(at));
        if is_new && let Err(error) = self.write(&Entry::Ran { at }) {
            tracing::warn!(%error, "That the app runs could not be written down: {error}");
        }
    }

    /// In how many clock hours of this day (UTC) it ran.
    pub(super) fn hours_of_day(&self, now: Timestamp) -> usize {
        let day = hour_of(now).div_euclid(24) * 24;
        self.known().hours.range(day..day + 24).count()
    }

    /// A run whose end is not on record.
    pub(super) fn run(&self) -> Option<Run> {
        self.known().run.clone()
    }

    /// What is left to do about a wish.
    pub(super) fn open_wish(&self) -> Option<Open> {
        self.known().open.clone()
    }

    /// The last wish that was fulfilled.
    pub(super) fn switched(&self) -> Option<Wish> {
        self.known().switched.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn learn(&mut self, entry: &Entry) {
        match entry {
            Entry::Started { at, vision, commit, by } => {
                let run = |vision| Run { vision, commit: commit.clone(), since: *at, by: by.clone() };
                self.run = Name::parse(vision).ok().map(run);
            }
            Entry::Ran { at } => drop(self.hours.insert(hour_of(*at))),
            Entry::Ended { .. } => self.run = None,
            Entry::Asked { at, by, shared } => {
                self.open = Some(Open::Unknown(Wish { at: *at, by: by.clone(), shared: *shared }));
            }
            Entry::Switched { shared } => {
                if let Some(Open::Unknown(wish)) = self.open.take().filter(|open| open.wish().shared == *shared) {
                    self.switched = Some(wish.clone());
                    self.open = Some(Open::Undecided(wish));
                }
            }
            Entry::NotSwitched { .. } | Entry::Decided => self.open = None,
        }
    }
}

impl Open {
    /// Which wish.
    #[must_use]
    pub fn wish(&self) -> &Wish {
        match self {
            Self::Unknown(wish) | Self::Undecided(wish) => wish,
        }
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-30T{time}Z").parse().unwrap()
    }

    #[test]
    fn hours_in_which_it_ran_are_counted_once_and_by_the_day_also_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let diary = Diary::open(home.path()).unwrap();
        assert_eq!(diary.hours_of_day(at("23:30:00")), 0);
        for time in ["00:00:00", "00:59:59", "01:00:00", "23:10:00", "23:20:00"] {
            diary.ran(at(time));
        }
        diary.ran("2026-11-29T23:59:59Z".parse().unwrap());
        let again = Diary::open(home.path()).unwrap();
        assert_eq!(again.hours_of_day(at("23:30:00")), 3);
        assert_eq!(again.hours_of_day("2026-12-01T00:00:00Z".parse().unwrap()), 0);
        let lines = std::fs::read_to_string(home.path().join(FILE)).unwrap();
        assert_eq!(lines.lines().count(), 4, "once in each hour: {lines}");
    }

    #[test]
    fn a_run_without_an_end_and_a_wish_without_an_answer_are_seen_after_a_crash() {
        let home = tempfile::tempdir().unwrap();
        let open = || Diary::open(home.path()).unwrap();
        let commit = CommitId::parse(&"a".repeat(40)).unwrap();
        let (vision, by) = ("shop".to_owned(), "ada".to_owned());
        let started = Entry::Started { at: at("10:00:00"), vision, commit, by: by.clone() };
        open().write(&started).unwrap();
        assert_eq!(open().run().map(|run| run.since), Some(at("10:00:00")));
        open().write(&Entry::Ended { at: at("10:30:00"), why: "It was stopped.".to_owned() }).unwrap();
        assert_eq!(open().run(), None);

        let wish = Wish { at: at("11:00:00"), by: by.clone(), shared: true };
        open().write(&Entry::Asked { at: wish.at, by, shared: true }).unwrap();
        assert_eq!((open().open_wish(), open().switched()), (Some(Open::Unknown(wish.clone())), None));
        open().write(&Entry::Switched { shared: true }).unwrap();
        assert_eq!(open().open_wish(), Some(Open::Undecided(wish.clone())));
        open().write(&Entry::Decided).unwrap();
        assert_eq!((open().open_wish(), open().switched()), (None, Some(wish)));
    }
}
