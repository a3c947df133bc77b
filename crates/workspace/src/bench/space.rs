//! How much room a command's folders take.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

/// Between two looks at a command, and at what runs for long.
const PAUSE: Duration = Duration::from_millis(500);
const LONG_PAUSE: Duration = Duration::from_secs(10);
/// Folders inside folders, and things in all of them, that anybody needs.
const DEEPEST: u32 = 100;
const MOST_ENTRIES: u64 = 500_000;

/// Returns once the folders together hold more than `most` bytes, or more than can be looked at.
pub(super) async fn exceeds(folders: Vec<PathBuf>, most: u64, runs_for_long: bool) {
    loop {
        tokio::time::sleep(if runs_for_long { LONG_PAUSE } else { PAUSE }).await;
        let folders = folders.clone();
        let bytes = tokio::task::spawn_blocking(move || room_taken(&folders)).await;
        if bytes.is_ok_and(|bytes| bytes.is_none_or(|bytes| bytes > most)) {
            return;
        }
    }
}

/// Bytes on the disk; `None` for more than can be counted.
fn room_taken(folders: &[PathBuf]) -> Option<u64> {
    let mut count = Count { bytes: 0, entries: 0 };
    for folder in folders {
        // What is gone takes no room.
        let opened =
            rustix::fs::openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        if let Ok(opened) = opened {
            count.add(&opened, 0)?;
        }
    }
    Some(count.bytes)
}

struct Count {
    bytes: u64,
    entries: u64,
}

impl Count {
    /// Goes step by step and follows no link, so that nothing leads it elsewhere.
    fn add(&mut self, folder: &OwnedFd, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let Ok(entries) = Dir::read_from(folder) else { return Some(()) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return None;
            }
            let Ok(about) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            self.bytes += u64::try_from(about.st_blocks).unwrap_or_default() * 512;
            if FileType::from_raw_mode(about.st_mode) == FileType::Directory
                && let Some(inside) = enter(folder.as_fd(), name)
            {
                self.add(&inside, depth + 1)?;
            }
        }
        Some(())
    }
}

fn enter(folder: BorrowedFd<'_>, name: &std::ffi::CStr) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn everything_inside_counts_and_links_lead_nowhere() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("a/b")).unwrap();
        std::fs::write(home.path().join("a/b/c"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", home.path().join("a/usr")).unwrap();
        let taken = room_taken(&[home.path().to_owned(), PathBuf::from("/no/such")]).unwrap();
        assert!((100_000..1_000_000).contains(&taken), "{taken}");
    }
}
