//! What was kept of a document, and when, and by whom: one file for each saved version.
//!
//! A version's file is a short header and then the document's bytes exactly as they were, so that
//! history can be read, searched and restored with nothing but a text editor.

use std::io;

use jiff::Timestamp;
use serde_norway::{Mapping, Value};

use crate::folder::{Folder, Found};
use crate::visitor::Visitor;

/// What made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The document was new.
    Created,
    /// Its text was changed.
    Edited,
    /// It was taken away; the version holds its last text.
    Deleted,
    /// An old version was brought back.
    Restored(u32),
    /// Someone changed the file with another program.
    Outside,
}

/// One saved version of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The first is 1.
    pub number: u32,
    /// When it was saved; unknown only if the file's header was damaged.
    pub at: Option<Timestamp>,
    /// Who saved it, as [`Visitor`] shows them.
    pub by: String,
    /// What made it.
    pub change: Change,
}

/// Who changes something, and when.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Who.
    pub by: Visitor,
    /// When.
    pub at: Timestamp,
}

/// The versions of one document.
pub struct History(Folder);

impl History {
    /// The history in a folder of its own.
    #[must_use]
    pub fn of(folder: Folder) -> Self {
        Self(folder)
    }

    /// All versions, the newest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn versions(&self) -> io::Result<Vec<Version>> {
        let mut versions = Vec::new();
        for number in self.numbers()? {
            versions.extend(self.read(number)?.map(|(version, _)| version));
        }
        versions.reverse();
        Ok(versions)
    }

    /// The newest version and its bytes.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn newest(&self) -> io::Result<Option<(Version, Vec<u8>)>> {
        self.numbers()?.last().map_or(Ok(None), |number| self.read(*number))
    }

    /// A version and its bytes.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(&self, number: u32) -> io::Result<Option<(Version, Vec<u8>)>> {
        match self.0.read(&file_of(number))? {
            Found::File(bytes) => {
                let (version, content) = take_apart(number, &bytes);
                Ok(Some((version, content.to_vec())))
            }
            Found::Unreadable(_) | Found::Nothing => Ok(None),
        }
    }

    /// Keeps `bytes` as the next version.
    ///
    /// # Errors
    /// When the disk is full or fails; nothing is kept then.
    pub fn add(&self, change: Change, by: &str, at: Timestamp, bytes: &[u8]) -> io::Result<Version> {
        let number = self.numbers()?.last().map_or(1, |last| last + 1);
        let version = Version { number, at: Some(at), by: by.to_owned(), change };
        let mut file = header_of(&version).into_bytes();
        file.extend_from_slice(bytes);
        if self.0.create(&file_of(number), &file)? {
            return Ok(version);
        }
        Err(io::Error::other(format!("version {number} in the history folder is in the way")))
    }

    fn numbers(&self) -> io::Result<Vec<u32>> {
        let entries = self.0.entries()?;
        let number = |entry: &String| entry.strip_suffix(".md")?.parse().ok();
        let mut numbers: Vec<u32> = entries.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn file_of(number: u32) -> String {
    format!("{number:05}.md")
}

fn header_of(version: &Version) -> String {
    let mut fields = Mapping::new();
    if let Some(at) = version.at {
        fields.insert("saved".into(), at.to_string().into());
    }
    fields.insert("by".into(), version.by.as_str().into());
    let word = match version.change {
        Change::Created => "created",
        Change::Edited => "edited",
        Change::Deleted => "deleted",
        Change::Restored(_) => "restored",
        Change::Outside => "changed outside",
    };
    fields.insert("change".into(), word.into());
    if let Change::Restored(from) = version.change {
        fields.insert("from".into(), from.into());
    }
    format!("---\n{}---\n", serde_norway::to_string(&fields).unwrap_or_default())
}

/// A damaged header costs the names in it, never the bytes: then the whole file is the version.
fn take_apart(number: u32, file: &[u8]) -> (Version, &[u8]) {
    let unknown = Version { number, at: None, by: "unknown".to_owned(), change: Change::Outside };
    let Some(rest) = file.strip_prefix(b"---\n") else { return (unknown, file) };
    let end = rest.windows(5).position(|window| window == b"\n---\n");
    let Some(end) = end else { return (unknown, file) };
    let header = str::from_utf8(&rest[..end]).ok();
    let Some(fields) = header.and_then(|yaml| serde_norway::from_str::<Mapping>(yaml).ok()) else {
        return (unknown, file);
    };
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    let from = || fields.get("from").and_then(Value::as_u64).and_then(|from| u32::try_from(from).ok());
    let change = match text("change") {
        Some("created") => Change::Created,
        Some("edited") => Change::Edited,
        Some("deleted") => Change::Deleted,
        Some("restored") => Change::Restored(from().unwrap_or(0)),
        _ => Change::Outside,
    };
    let at = text("saved").and_then(|at| at.parse().ok());
    let by = text("by").unwrap_or("unknown").to_owned();
    (Version { number, at, by, change }, &rest[end + 5..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn versions_keep_bytes_exactly_and_count_up() {
        let home = tempfile::tempdir().unwrap();
        let history = History::of(Folder::open(home.path()).unwrap());
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let bytes: &[u8] = b"---\ntitle: a\n---\n\xff\0 not even UTF-8";
        assert_eq!(history.add(Change::Created, "a@x", at, b"").unwrap().number, 1);
        let second = history.add(Change::Restored(1), "b: \"x\"\n---\n@y", at, bytes).unwrap();
        let (read, content) = history.newest().unwrap().unwrap();
        assert_eq!((read, content.as_slice()), (second, bytes));
        assert_eq!(history.versions().unwrap().len(), 2);
    }

    #[test]
    fn a_damaged_header_still_gives_the_text() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("00007.md"), "---\nby: [\n---\ntext").unwrap();
        let history = History::of(Folder::open(home.path()).unwrap());
        let (version, content) = history.newest().unwrap().unwrap();
        assert_eq!((version.number, version.at), (7, None));
        assert_eq!(content, b"---\nby: [\n---\ntext");
    }
}
