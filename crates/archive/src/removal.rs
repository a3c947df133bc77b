//! Removes a folder whatever its former user made of it: nested deeper than any path can say,
//! locked, or full of links to elsewhere.
//!
//! Nothing is followed and nothing recurses. Folders below the second level are moved up into the
//! top folder under a number and emptied from there, so three descriptors and a fixed stack are
//! enough, every folder is visited once, and a removal that was broken off goes on where it stood.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmod, fchmod, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

/// Removes a folder with everything in it; fine when there is none.
///
/// # Errors
/// When something in it can't be removed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    if is_gone(CWD, path)? {
        return Ok(());
    }
    let Some(top) = open(CWD, path)? else { return Ok(()) };
    let mut doomed = Doomed { top, moved_up: 0, removed: 0, hindrance: Errno::NOTEMPTY };
    loop {
        let before = doomed.removed;
        doomed.empty()?;
        if is_gone(CWD, path)? {
            return Ok(());
        }
        if doomed.removed == before {
            return Err(doomed.hindrance.into());
        }
    }
}

struct Doomed {
    top: OwnedFd,
    /// How many numbers were given to folders that were moved up.
    moved_up: u64,
    /// How many entries are gone, to tell slow from stuck.
    removed: u64,
    /// What kept a folder from being moved up.
    hindrance: Errno,
}

impl Doomed {
    /// One round, after which the top folder is empty, unless a file system hid entries from a
    /// listing that changed meanwhile or had no room to move a folder.
    fn empty(&mut self) -> io::Result<()> {
        let mut next = self.moved_up;
        let mut entries = Dir::read_from(&self.top)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            if !is_self_or_parent(entry.file_name()) {
                self.dissolve(entry.file_name())?;
            }
        }
        while next < self.moved_up {
            self.dissolve(number(next).as_str())?;
            next += 1;
        }
        Ok(())
    }

    /// Removes an entry of the top folder, after moving up the folders in it that are not empty.
    fn dissolve(&mut self, name: impl Arg + Copy) -> io::Result<()> {
        if self.remove(None, name)? {
            return Ok(());
        }
        let Some(folder) = open(self.top.as_fd(), name)? else { return Ok(()) };
        let mut entries = Dir::new(folder)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            if !is_self_or_parent(entry.file_name()) && !self.remove(Some(entries.fd()?), entry.file_name())? {
                self.move_up(entries.fd()?, entry.file_name())?;
            }
        }
        self.remove(None, name).map(drop)
    }

    /// Whether an entry of a folder, or of the top one, is gone now.
    fn remove(&mut self, folder: Option<BorrowedFd<'_>>, name: impl Arg + Copy) -> io::Result<bool> {
        let gone = is_gone(folder.unwrap_or(self.top.as_fd()), name)?;
        self.removed += u64::from(gone);
        Ok(gone)
    }

    fn move_up(&mut self, folder: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        let mut is_unlocked = false;
        loop {
            match renameat(folder, name, &self.top, number(self.moved_up).as_str()) {
                Ok(()) => {
                    self.moved_up += 1;
                    return Ok(());
                }
                Err(Errno::NOENT) => return Ok(()),
                // An earlier removal gave that number away.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => self.moved_up += 1,
                // A folder that moves is written to: its parent changes.
                Err(Errno::ACCESS) if !is_unlocked => {
                    unlock(folder, name)?;
                    is_unlocked = true;
                }
                // There is room once others are gone.
                Err(cause @ (Errno::NOSPC | Errno::DQUOT | Errno::MLINK)) => {
                    self.hindrance = cause;
                    return Ok(());
                }
                Err(cause) => return Err(cause.into()),
            }
        }
    }
}

fn number(number: u64) -> String {
    number.to_string()
}

fn is_self_or_parent(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// Removes a file, a link or an empty folder; `false` when it is a folder that is not empty.
fn is_gone(folder: BorrowedFd<'_>, name: impl Arg + Copy) -> io::Result<bool> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(true),
        // Both are said of folders.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(cause) => return Err(cause.into()),
    }
    match unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}

/// Opens a folder so that its entries can be removed; `None` when it is gone.
fn open(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut opened = openat(parent, name, flags, Mode::empty());
    if opened.as_ref().is_err_and(|cause| *cause == Errno::ACCESS) {
        unlock(parent, name)?;
        opened = openat(parent, name, flags, Mode::empty());
    }
    let folder = match opened {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened?,
    };
    if !Mode::from_raw_mode(fstat(&folder)?.st_mode).contains(Mode::RWXU) {
        fchmod(&folder, Mode::RWXU)?;
    }
    Ok(Some(folder))
}

/// Gives the server access to a folder that its former user locked.
fn unlock(parent: BorrowedFd<'_>, name: impl Arg) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(parent, name, flags, Mode::empty()) {
        // What cannot be opened for reading can be changed through its descriptor's name only.
        Ok(locked) => Ok(chmod(format!("/proc/self/fd/{}", locked.as_raw_fd()), Mode::RWXU)?),
        Err(Errno::NOENT) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(test)]
mod tests;
