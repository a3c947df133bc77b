//! What was run: `commands.jsonl`, a line before and a line after each command, and its output in a
//! file of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ended, Job, Output, Purpose};
use crate::folder::{Folder, Found};
use crate::journal::Journal;

const FILE: &str = "commands.jsonl";
const OUTPUTS: &str = "outputs";
/// Bytes of output that stand in the record itself.
const TAIL: usize = 4 * 1024;

/// The record; cheap to clone.
#[derive(Clone)]
pub struct Records(Arc<Inner>);

struct Inner {
    root: PathBuf,
    last: Mutex<u64>,
}

/// One command on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Counted from 1.
    pub number: u64,
    /// When it began.
    pub at: Timestamp,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What it was for.
    pub purpose: Purpose,
    /// How it ended and how long it took; `None` while it runs, or when the program died meanwhile.
    pub ended: Option<(Ended, Duration)>,
    /// The last it said.
    pub tail: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Entry {
    Began { number: u64, at: Timestamp, command: Vec<String>, purpose: Purpose },
    Ended { number: u64, at: Timestamp, millis: u64, ended: Ended, tail: String, left_out: u64 },
}

impl Records {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let inner = Inner { root: folder.to_owned(), last: Mutex::new(0) };
        let records = Self(Arc::new(inner));
        let last = records.all()?.last().map_or(0, |recorded| recorded.number);
        *records.0.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
        Ok(records)
    }

    /// Reads anew what is on record, after somebody else has put it there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reread(&self) -> io::Result<()> {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self.all()?.iter().map(|recorded| recorded.number).max();
        *last = newest.unwrap_or(0).max(*last);
        Ok(())
    }

    /// All commands, the oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn all(&self) -> io::Result<Vec<Recorded>> {
        let mut all: Vec<Recorded> = Vec::new();
        for entry in Journal::read(&self.folder()?, FILE)? {
            match entry {
                Entry::Began { number, at, command, purpose } => {
                    all.push(Recorded { number, at, command, purpose, ended: None, tail: String::new() });
                }
                Entry::Ended { number, millis, ended, tail, .. } => {
                    if let Some(recorded) = all.iter_mut().rev().find(|recorded| recorded.number == number) {
                        recorded.ended = Some((ended, Duration::from_millis(millis)));
                        recorded.tail = tail;
                    }
                }
            }
        }
        Ok(all)
    }

    /// What a command said, as far as it is kept; `None` while it runs.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn output(&self, number: u64) -> io::Result<Option<String>> {
        let Some(outputs) = self.folder()?.enter(OUTPUTS)? else { return Ok(None) };
        match outputs.read(&file_of(number))? {
            Found::File(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Found::Unreadable(_) | Found::Nothing => Ok(None),
        }
    }

    pub(super) fn begin(&self, job: &Job, at: Timestamp) -> io::Result<Option<u64>> {
        let Some(purpose) = job.purpose.clone() else { return Ok(None) };
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *last + 1;
        self.write(&Entry::Began { number, at, command: job.command.clone(), purpose })?;
        *last = number;
        Ok(Some(number))
    }

    pub(super) fn end(
        &self,
        number: Option<u64>,
        at: Timestamp,
        took: Duration,
        ended: &Ended,
        output: &Output,
    ) -> io::Result<()> {
        let Some(number) = number else { return Ok(()) };
        // The output first: whoever reads that a command ended finds it.
        let mut text = output.text();
        text.truncate(text.floor_char_boundary(crate::folder::LARGEST_FILE as usize));
        self.folder()?.enter_or_make(OUTPUTS)?.replace(&file_of(number), text.as_bytes())?;
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (tail, left_out) = (output.tail(TAIL), output.left_out());
        self.write(&Entry::Ended { number, at, millis, ended: ended.clone(), tail, left_out })
    }

    fn write(&self, entry: &Entry) -> io::Result<()> {
        Journal::open(&self.folder()?, FILE)?.append(entry)
    }

    fn folder(&self) -> io::Result<Folder> {
        Folder::open(&self.0.root)
    }
}

fn file_of(number: u64) -> String {
    format!("{number}.txt")
}
