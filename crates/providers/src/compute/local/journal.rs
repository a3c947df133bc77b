//! What guard and application write, kept with the time: three files of a megabyte at most.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use world::Clock;

const LARGEST: u64 = 1 << 20;
const OLDER: [&str; 2] = ["log.1", "log.2"];
const LONGEST_LINE: usize = 8 << 10;

/// Writes lines to the newest file and moves the files on when it is full.
pub(super) struct Journal {
    folder: PathBuf,
    clock: Clock,
    file: File,
    size: u64,
}

impl Journal {
    pub(super) fn open(folder: &Path, clock: Clock) -> io::Result<Self> {
        let (file, size) = open_newest(folder)?;
        Ok(Self { folder: folder.to_owned(), clock, file, size })
    }

    /// Keeps everything that is written until nobody can write any more. A full disk loses lines,
    /// but never stops the writer.
    pub(super) async fn keep(mut self, from: impl AsyncRead + Unpin) {
        let mut reader = BufReader::with_capacity(LONGEST_LINE, from);
        let mut line = Vec::new();
        loop {
            let (length, ended) = match reader.fill_buf().await {
                Ok([]) | Err(_) => break,
                Ok(bytes) => match bytes.iter().position(|byte| *byte == b'\n') {
                    Some(at) => {
                        line.extend_from_slice(&bytes[..at]);
                        (at + 1, true)
                    }
                    None => {
                        line.extend_from_slice(bytes);
                        (bytes.len(), line.len() >= LONGEST_LINE)
                    }
                },
            };
            reader.consume(length);
            if ended {
                self.write(&line);
                line.clear();
            }
        }
        if !line.is_empty() {
            self.write(&line);
        }
    }

    /// A line of the driver's own.
    pub(super) fn write(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let entry = format!("{} {}\n", self.clock.now(), text.trim_end());
        if self.size + entry.len() as u64 > LARGEST && self.move_on().is_err() {
            return;
        }
        if self.file.write_all(entry.as_bytes()).is_ok() {
            self.size += entry.len() as u64;
        }
    }

    fn move_on(&mut self) -> io::Result<()> {
        let [first, second] = OLDER.map(|name| self.folder.join(name));
        let _ = fs::rename(&first, &second);
        fs::rename(newest(&self.folder), &first)?;
        (self.file, self.size) = open_newest(&self.folder)?;
        Ok(())
    }
}

/// The last lines, oldest first.
pub(super) fn last_lines(folder: &Path, count: usize) -> String {
    let [first, second] = OLDER.map(|name| folder.join(name));
    let mut lines: Vec<String> = Vec::new();
    for file in [newest(folder), first, second] {
        if lines.len() >= count {
            break;
        }
        let text = fs::read(file).unwrap_or_default();
        let older = String::from_utf8_lossy(&text);
        let mut older: Vec<String> = older.lines().map(str::to_owned).collect();
        older.append(&mut lines);
        lines = older;
    }
    let skip = lines.len().saturating_sub(count);
    lines.split_off(skip).into_iter().map(|line| line + "\n").collect()
}

fn newest(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn open_newest(folder: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(newest(folder))?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn logs_are_bounded_and_the_last_lines_are_found_across_files() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..60_000).map(|n| format!("line {n} {}\n", "x".repeat(80))).collect();
        let journal = Journal::open(folder.path(), Clock::at("2026-01-02T03:04:05Z".parse().unwrap())).unwrap();
        journal.keep(text.as_bytes()).await;
        let sizes: u64 = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
        assert!(sizes <= 3 * LARGEST, "{sizes}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        let last = last_lines(folder.path(), 15_000);
        assert_eq!(last.lines().count(), 15_000);
        assert!(last.starts_with("2026-01-02T03:04:05Z line 45000 x"), "{:.40}", last);
        assert!(last.lines().last().unwrap().contains("line 59999"));
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let endless = vec![b'y'; 5 * LONGEST_LINE / 2];
        Journal::open(folder.path(), Clock::System).unwrap().keep(&endless[..]).await;
        assert_eq!(last_lines(folder.path(), 10).lines().count(), 3);
    }
}
