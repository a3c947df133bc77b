//! Append-only files, one JSON value a line: what happened, in order, on disk before anybody is told.
//!
//! A crash in the middle of a line costs that line alone, which nobody was told of. Lines that cannot
//! be understood are left where they are and skipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::folder::Folder;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// An append-only file that is open for writing.
pub struct Journal(File);

impl Journal {
    /// Opens the journal `name` in a folder, and makes it first where it is missing.
    ///
    /// # Errors
    /// When it is no regular file, or may not be written.
    pub fn open(folder: &Folder, name: &str) -> io::Result<Self> {
        let mut file = folder.open_to_append(name)?;
        let end = file.seek(SeekFrom::End(0))?;
        if end > 0 && !ends_a_line(&mut file, end)? {
            file.write_all(b"\n")?;
        }
        Ok(Self(file))
    }

    /// Adds an entry; it is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk is full or fails; readers then never see more than a line they skip.
    pub fn append(&mut self, entry: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if let Err(error) = self.0.write_all(&line) {
            // What was written of the line must not swallow the next one.
            let _ = self.0.write_all(b"\n");
            return Err(error);
        }
        self.0.sync_data()
    }

    /// All entries of the journal `name` in a folder, the oldest first; none where there is none.
    ///
    /// # Errors
    /// When the disk fails, or it is no regular file.
    pub fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> io::Result<Vec<T>> {
        let Some(file) = folder.open_to_read(name)? else { return Ok(Vec::new()) };
        let mut reader = BufReader::new(file);
        let mut entries = Vec::new();
        let mut line = Vec::new();
        let mut skipped = 0_usize;
        loop {
            line.clear();
            let mut limited = io::Read::take(&mut reader, LONGEST_LINE);
            if limited.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            match serde_json::from_slice(&line) {
                Ok(entry) => entries.push(entry),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(_) => skipped += 1,
            }
        }
        if skipped > 0 {
            tracing::warn!(name, skipped, "{skipped} lines of {name} cannot be understood and were skipped");
        }
        Ok(entries)
    }
}

fn ends_a_line(file: &mut File, end: u64) -> io::Result<bool> {
    let mut last = [0_u8];
    file.seek(SeekFrom::Start(end - 1))?;
    io::Read::read_exact(file, &mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_line_that_a_crash_cut_costs_only_itself() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        let mut journal = Journal::open(&folder, "j.jsonl").unwrap();
        journal.append(&1).unwrap();
        let path = home.path().join("j.jsonl");
        std::fs::write(&path, [std::fs::read(&path).unwrap().as_slice(), b"{\"half"].concat()).unwrap();
        Journal::open(&folder, "j.jsonl").unwrap().append(&2).unwrap();
        assert_eq!(Journal::read::<u32>(&folder, "j.jsonl").unwrap(), [1, 2]);
        assert_eq!(Journal::read::<u32>(&folder, "none.jsonl").unwrap(), Vec::<u32>::new());
    }

    #[test]
    fn a_link_is_no_journal() {
        let home = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", home.path().join("j.jsonl")).unwrap();
        let folder = Folder::open(home.path()).unwrap();
        assert!(Journal::open(&folder, "j.jsonl").is_err());
        assert!(Journal::read::<u32>(&folder, "j.jsonl").is_err());
    }
}
