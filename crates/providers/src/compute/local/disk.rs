//! How much of its volume an instance uses, and when to look again.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How often the free space of the whole file system is looked at, which costs next to nothing.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// The longest time between two measurements.
const LONGEST: Duration = Duration::from_secs(120);
/// The share of its time that measuring may take: one part in so many.
const EASE: u32 = 20;

/// Bytes in use below a folder. Symbolic links are not followed, hard links counted once. `None`
/// when folders are nested too deeply to be measured, which only happens on purpose.
pub(super) fn used_bytes(volume: &Path) -> Option<u64> {
    let mut open = vec![volume.to_owned()];
    let mut seen = HashSet::new();
    let mut sum = 0_u64;
    while let Some(folder) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == std::io::ErrorKind::InvalidFilename => return None,
            // Gone meanwhile, or locked by its owner for itself too.
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let found = match entry.metadata() {
                Ok(found) => found,
                Err(cause) if cause.kind() == std::io::ErrorKind::InvalidFilename => return None,
                Err(_) => continue,
            };
            if found.is_dir() {
                open.push(entry.path());
            } else if found.nlink() > 1 && !seen.insert(found.ino()) {
                continue;
            }
            sum = sum.saturating_add(found.blocks().saturating_mul(512));
        }
    }
    Some(sum)
}

/// One measurement of a volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measurement {
    pub(super) used: u64,
    /// Free space of the file system at that time.
    pub(super) free: u64,
    /// How long measuring took.
    pub(super) took: Duration,
}

impl Measurement {
    /// Whether it is time to measure again: when the file system lost a good part of what the
    /// volume may still grow by, or after a while, but never so often that measuring is a burden.
    pub(super) fn is_outdated(&self, age: Duration, free_now: u64, quota: u64) -> bool {
        let lost = self.free.saturating_sub(free_now);
        let room = quota.saturating_sub(self.used);
        age >= self.took * EASE && (age >= LONGEST || (lost > 0 && lost >= room / 4))
    }
}

/// Free bytes of the file system that holds a folder.
pub(super) fn free_bytes(folder: &Path) -> u64 {
    nix::sys::statvfs::statvfs(folder).map_or(0, |found| found.blocks_free() * found.fragment_size())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn links_neither_hide_nor_inflate_what_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("theirs"), vec![1; 1 << 20]).unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("below/file"), vec![1; 300_000]).unwrap();
        fs::hard_link(folder.path().join("below/file"), folder.path().join("again")).unwrap();
        let used = used_bytes(folder.path()).unwrap();
        assert!((300_000..400_000).contains(&used), "{used}");
    }

    #[test]
    fn a_volume_is_measured_again_when_space_vanishes_or_time_passes_but_never_all_the_time() {
        let seconds = Duration::from_secs;
        let last = Measurement { used: 60, free: 1000, took: Duration::from_millis(100) };
        assert!(!last.is_outdated(seconds(30), 1000, 100));
        assert!(!last.is_outdated(seconds(30), 995, 100));
        assert!(last.is_outdated(seconds(30), 990, 100));
        assert!(!last.is_outdated(seconds(1), 0, 100));
        assert!(last.is_outdated(seconds(120), 2000, 100));
        let slow = Measurement { took: seconds(10), ..last };
        assert!(!slow.is_outdated(seconds(150), 0, 100));
    }
}
