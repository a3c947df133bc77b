//! Files and folders below a folder, by paths such as `history/visions/shop`, and moves between them.

use std::fs::File;
use std::io;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Folder, TEMPORARY};

impl Folder {
    /// The folder that the last part of a path lies in, and that part; `None` where a folder on the
    /// way is missing.
    ///
    /// # Errors
    /// When something on the way is no folder, or may not be opened.
    pub fn way_to<'a>(&self, path: &'a str) -> io::Result<Option<(Self, &'a str)>> {
        let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
        let mut here = self.enter(".")?;
        for name in folders.split('/').filter(|name| !name.is_empty()) {
            let Some(folder) = here else { return Ok(None) };
            here = folder.enter(name)?;
        }
        Ok(here.map(|folder| (folder, last)))
    }

    /// The same, and makes the folders on the way where they are missing.
    ///
    /// # Errors
    /// As [`Folder::way_to`], and when one cannot be made.
    pub fn make_way_to<'a>(&self, path: &'a str) -> io::Result<(Self, &'a str)> {
        let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
        let mut here = self.enter_or_make(".")?;
        for name in folders.split('/').filter(|name| !name.is_empty()) {
            here = here.enter_or_make(name)?;
        }
        Ok((here, last))
    }

    /// Whether anything has that name here, a link too.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a new file for writing; it is on the disk only once somebody saw to that.
    ///
    /// # Errors
    /// When there is one, or it cannot be made.
    pub fn create_new(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o644))?))
    }

    /// Moves a file or a whole folder to another folder; says `false` and changes nothing where the
    /// name is taken there.
    ///
    /// # Errors
    /// When there is nothing to move, or it cannot be moved.
    pub fn move_to(&self, name: &str, to: &Self, new_name: &str) -> io::Result<bool> {
        match rustix::fs::renameat_with(&self.0, name, &to.0, new_name, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::NOTEMPTY) => return Ok(false),
            // File systems without the exclusive rename.
            Err(Errno::INVAL | Errno::NOSYS) => {
                if to.has(new_name)? {
                    return Ok(false);
                }
                rustix::fs::renameat(&self.0, name, &to.0, new_name)?;
            }
            Err(error) => return Err(error.into()),
        }
        to.sync()?;
        Ok(true)
    }

    /// Waits until everything that was written on this folder's disk is on it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync_disk(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }

    /// Whether a name is that of a file which is being written, or was when the program died.
    #[must_use]
    pub fn is_temporary(name: &str) -> bool {
        name.starts_with(TEMPORARY)
    }
}
