//! Sprints on the disk: a folder each, `sprints/S-<n>/`, with a journal and the conversations of its
//! tasks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::entry::{Entry, Plan};
use super::state::Sprint;
use crate::folder::Folder;
use crate::journal::Journal;

const SPRINTS: &str = "sprints";
const JOURNAL: &str = "journal.jsonl";

/// All sprints; cheap to clone.
#[derive(Clone)]
pub struct Shelf(Arc<Inner>);

struct Inner {
    root: PathBuf,
    /// Whoever writes is alone.
    writing: Mutex<()>,
    /// Counts what was written, so that whoever shows it hears of it.
    written: watch::Sender<u64>,
}

impl Shelf {
    /// The sprints in a data folder.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(root: &Path) -> io::Result<Self> {
        Folder::open(root)?.enter_or_make(SPRINTS)?;
        Ok(Self(Arc::new(Inner { root: root.to_owned(), writing: Mutex::new(()), written: watch::Sender::new(0) })))
    }

    /// Changes whenever something is written.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.0.written.subscribe()
    }

    /// The numbers of all sprints, the newest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn numbers(&self) -> io::Result<Vec<u32>> {
        let entries = self.folder()?.entries()?;
        let mut numbers: Vec<u32> = entries.iter().filter_map(|name| name.strip_prefix("S-")?.parse().ok()).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers)
    }

    /// Puts a new sprint on the shelf; gives its number.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn add(&self, plan: &Plan, entry: impl FnOnce(Plan) -> Entry) -> io::Result<u32> {
        let _alone = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.numbers()?.first().map_or(1, |last| last + 1);
        let folder = self.folder()?.enter_or_make(&name_of(number))?;
        Journal::open(&folder, JOURNAL)?.append(&entry(plan.clone()))?;
        self.0.written.send_modify(|count| *count += 1);
        Ok(number)
    }

    /// A sprint as it stands; `None` where there is none.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sprint(&self, number: u32) -> io::Result<Option<Sprint>> {
        Ok(Sprint::fold(number, &self.entries(number)?))
    }

    /// What happened in a sprint, the oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn entries(&self, number: u32) -> io::Result<Vec<Entry>> {
        self.read(number, JOURNAL)
    }

    /// Writes down what happens in a sprint.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write(&self, number: u32, entry: &Entry) -> io::Result<()> {
        self.append(number, JOURNAL, entry)
    }

    /// The files of the conversations about a story, in the order of their names.
    pub(super) fn conversations(&self, number: u32, story: u64) -> io::Result<Vec<String>> {
        let Some(folder) = self.folder()?.enter(&name_of(number))? else { return Ok(Vec::new()) };
        let start = format!("B-{story}-");
        let mut files = folder.entries()?;
        files.retain(|file| file.starts_with(&start) && file.ends_with(".jsonl"));
        files.sort();
        Ok(files)
    }

    pub(super) fn read<T: DeserializeOwned>(&self, number: u32, file: &str) -> io::Result<Vec<T>> {
        match self.folder()?.enter(&name_of(number))? {
            Some(folder) => Journal::read(&folder, file),
            None => Ok(Vec::new()),
        }
    }

    pub(super) fn append(&self, number: u32, file: &str, line: &impl Serialize) -> io::Result<()> {
        let _alone = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder()?.enter_or_make(&name_of(number))?;
        Journal::open(&folder, file)?.append(line)?;
        self.0.written.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Adds what follows from the lines that a file has, if anything does; whoever else writes waits.
    pub(super) fn append_after<T: Serialize + DeserializeOwned, E: From<io::Error>>(
        &self,
        number: u32,
        file: &str,
        next: impl FnOnce(&[T]) -> Result<Option<T>, E>,
    ) -> Result<(), E> {
        let _alone = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = next(&self.read(number, file)?)? else { return Ok(()) };
        let folder = self.folder()?.enter_or_make(&name_of(number))?;
        Journal::open(&folder, file)?.append(&line)?;
        self.0.written.send_modify(|count| *count += 1);
        Ok(())
    }

    fn folder(&self) -> io::Result<Folder> {
        Folder::open(&self.0.root)?.enter_or_make(SPRINTS)
    }
}

fn name_of(number: u32) -> String {
    format!("S-{number}")
}
