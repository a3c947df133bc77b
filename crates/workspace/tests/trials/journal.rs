//! What a sprint wrote down, read as any other program would, and the moment at which it is written: the
//! kernel tells of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use serde_json::Value;
use tokio::sync::watch;

use crate::program::Home;

/// More than any sprint here rests between two lines.
const PATIENCE: Duration = Duration::from_secs(300);

/// Hears whenever something is written in a folder.
pub struct Watch {
    written: watch::Receiver<u64>,
    folder: PathBuf,
}

impl Watch {
    pub fn on(folder: &Path) -> Self {
        let inotify = inotify::init(CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&inotify, folder, WatchFlags::MODIFY | WatchFlags::CREATE).unwrap();
        let (sender, written) = watch::channel(0);
        // It ends with the folder at the latest: that is told too, and nobody listens any more.
        std::thread::spawn(move || {
            let mut told = [0_u8; 4096];
            while rustix::io::read(&inotify, &mut told).is_ok() && !sender.is_closed() {
                sender.send_modify(|count| *count += 1);
            }
        });
        Self { written, folder: folder.to_owned() }
    }

    /// Waits until something holds, which is looked at whenever something was written.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let mut written = self.written.clone();
        let waiting = async {
            while !holds() {
                written.changed().await.unwrap();
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "{what} never came; {} has {} lines", self.folder.display(), lines(&self.folder));
    }
}

/// How many lines the journals in a folder have.
pub fn lines(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let journals = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let counts = journals.map(|path| std::fs::read(path).unwrap().iter().filter(|byte| **byte == b'\n').count());
    counts.sum()
}

impl Home {
    /// Where a sprint is kept.
    pub fn sprint(&self, number: u32) -> PathBuf {
        self.path(&format!("sprints/S-{number}"))
    }

    /// What happened in a sprint.
    pub fn entries(&self, number: u32) -> Vec<Value> {
        read(&self.sprint(number).join("journal.jsonl"))
    }

    /// Whether a sprint is over or waits for a person.
    pub fn rests(&self, number: u32) -> bool {
        let last = self.entries(number).last().cloned().unwrap_or_default();
        ["finished", "paused", "stopped"].iter().any(|what| last["what"] == *what)
    }

    /// What calls of the model took, as it is written down.
    pub fn usage(&self) -> Vec<Value> {
        read(&self.path("usage.jsonl"))
    }
}

/// The whole lines of a file.
fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line.strip_suffix('\n')?).ok()).collect()
}

/// What happened, without when, in words that can be compared. What began is told once, however often it
/// did before it ended.
pub fn story_of(entries: &[Value]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for entry in entries {
        let result = &entry["result"];
        let words = format!("{} {} {} {}", entry["what"], entry["story"], entry["task"], result["result"]);
        if told.last() != Some(&words) {
            told.push(words);
        }
    }
    told
}
