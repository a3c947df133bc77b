//! How much of its volume an instance uses, and when to look again.

use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

/// How often the free space of the whole file system is looked at, which costs next to nothing.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// The longest time between two measurements.
const LONGEST: Duration = Duration::from_secs(120);
/// The shortest while nothing tells that the volume grew. Others on the same file system may free just what
/// it takes, so that its free space tells nothing.
const SHORTEST: Duration = Duration::from_secs(10);
/// The share of its time that measuring for nothing may take: one part in so many.
const THRIFT: u32 = 1000;
/// The share of its time that measuring may take: one part in so many.
const EASE: u32 = 20;
/// What an entry counts at least. Empty files take no blocks, yet the file system can hold only so
/// many of them.
const ENTRY_BYTES: u64 = 4096;
/// Folders within folders that are measured. Package managers nest some dozens.
const DEPTH: usize = 256;
/// Memory for the names of folders that are still to be looked into.
const NAMES_BYTES: usize = 16 << 20;

/// Why it is not known how much of a volume is in use.
#[derive(Debug)]
pub(super) enum Unmeasured {
    /// Its user made it so, which only happens on purpose. What follows "folders in its volume are".
    Evaded(&'static str),
    /// The server could not look.
    Failed(io::Error),
}

impl From<Errno> for Unmeasured {
    fn from(cause: Errno) -> Self {
        match cause {
            Errno::ACCESS | Errno::PERM => Self::Evaded("locked against being measured"),
            Errno::NAMETOOLONG => Self::Evaded("nested too deeply to be measured"),
            cause => Self::Failed(cause.into()),
        }
    }
}

/// Bytes in use below a folder, or what was counted when it became more than `quota`. Symbolic
/// links are not followed, the content of hard links is counted once.
pub(super) fn used_bytes(volume: &Path, quota: u64) -> Result<u64, Unmeasured> {
    let top = match openat(CWD, volume, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(0),
        opened => opened?,
    };
    let mut walk = Walk { quota, ..Walk::default() };
    walk.look_into(top.try_clone().map_err(Unmeasured::Failed)?, 0)?;
    while let Some((depth, name)) = walk.take_next() {
        walk.path.truncate(depth);
        walk.path.push(name);
        if let Some(folder) = walk.open(&top)? {
            walk.look_into(folder, depth + 1)?;
        }
        if walk.sum > quota {
            break;
        }
    }
    Ok(walk.sum)
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[derive(Default)]
struct Walk {
    quota: u64,
    sum: u64,
    /// Inodes with several names.
    seen: HashSet<u64>,
    /// Folders to be looked into, each with the number of folders around it.
    open: Vec<(usize, CString)>,
    open_bytes: usize,
    /// The names from the volume down to the present folder.
    path: Vec<CString>,
}

impl Walk {
    fn take_next(&mut self) -> Option<(usize, CString)> {
        let (depth, name) = self.open.pop()?;
        self.open_bytes -= cost(&name);
        Some((depth, name))
    }

    /// `None` when it is gone, or no folder any more.
    fn open(&self, top: &OwnedFd) -> Result<Option<OwnedFd>, Unmeasured> {
        let path = self.path.iter().map(|name| name.as_bytes()).collect::<Vec<_>>().join(&b'/');
        // An application that runs meanwhile could put a link in place of a folder on the way.
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let opened = match openat2(top, &path, FOLDER, Mode::empty(), resolve) {
            Err(Errno::NOSYS) => openat(top, &path, FOLDER, Mode::empty()),
            opened => opened,
        };
        match opened {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::AGAIN) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    fn look_into(&mut self, folder: OwnedFd, depth: usize) -> Result<(), Unmeasured> {
        let mut entries = Dir::new(folder)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            self.count(entries.fd()?.as_fd(), entry.file_name(), depth)?;
            if self.sum > self.quota {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self, folder: rustix::fd::BorrowedFd<'_>, name: &CStr, depth: usize) -> Result<(), Unmeasured> {
        let found = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            found => found?,
        };
        let mut bytes = u64::try_from(found.st_blocks).unwrap_or(0).saturating_mul(512);
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
            self.leave_for_later(depth, name.to_owned())?;
        } else if found.st_nlink > 1 && !self.seen.insert(found.st_ino) {
            bytes = 0;
        }
        self.sum = self.sum.saturating_add(bytes.max(ENTRY_BYTES));
        Ok(())
    }

    fn leave_for_later(&mut self, depth: usize, name: CString) -> Result<(), Unmeasured> {
        if depth >= DEPTH {
            return Err(Unmeasured::Evaded("nested too deeply to be measured"));
        }
        self.open_bytes += cost(&name);
        if self.open_bytes > NAMES_BYTES {
            return Err(Unmeasured::Evaded("too many to be measured"));
        }
        self.open.push((depth, name));
        Ok(())
    }
}

fn cost(name: &CStr) -> usize {
    size_of::<(usize, CString)>() + name.count_bytes() + 1
}

/// What a file system can still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) bytes: u64,
    /// Files and folders; always 0 where the file system sets no limit.
    pub(super) entries: u64,
}

impl Room {
    /// Of the file system that holds a folder.
    pub(super) fn around(folder: &Path) -> Self {
        nix::sys::statvfs::statvfs(folder).map_or(Self { bytes: 0, entries: 0 }, |found| Self {
            bytes: found.blocks_free() * found.fragment_size(),
            entries: found.files_free(),
        })
    }

    /// What volumes grew by at least, as they are measured.
    fn lost_since(self, earlier: Self) -> u64 {
        let entries = earlier.entries.saturating_sub(self.entries);
        earlier.bytes.saturating_sub(self.bytes).max(entries.saturating_mul(ENTRY_BYTES))
    }
}

/// One measurement of a volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measurement {
    pub(super) used: u64,
    /// What the file system could take at that time.
    pub(super) room: Room,
    /// How long measuring took.
    pub(super) took: Duration,
}

impl Measurement {
    /// Whether it is time to measure again: when the file system lost a good part of what the
    /// volume may still grow by, or after a while, but never so often that measuring is a burden.
    pub(super) fn is_outdated(&self, age: Duration, room_now: Room, quota: u64) -> bool {
        let lost = room_now.lost_since(self.room);
        let left = quota.saturating_sub(self.used);
        let without_a_sign = (self.took * THRIFT).clamp(SHORTEST, LONGEST);
        age >= self.took * EASE && (age >= without_a_sign || (lost > 0 && lost >= left / 4))
    }
}

#[cfg(test)]
mod tests;
