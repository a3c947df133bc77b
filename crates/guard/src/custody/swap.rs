//! Lets what was unpacked take the place of what an application keeps. Its folder can be where a volume is mounted, which
//! can't be renamed; so everything in it moves, by one rename each, and a record on disk says how far that got. Whatever
//! moment the guard ends at, the folder holds all of the old or, once its next start has gone on, all of the new.

use std::ffi::{CStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use archive::remove_tree;
use rustix::fs::syncfs;

use crate::disk;

/// Where it is done, in the folder itself: on the same disk in any case.
pub(crate) const WORKSHOP: &str = ".guard-restore";

/// How far an exchange got. Before the first of them is written nothing was touched, and nothing will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// What was there goes out of the way.
    Out,
    /// What was unpacked comes in.
    In,
    /// All is in its place; what was there before is removed.
    Done,
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Done => "done",
        }
    }
}

/// The folder in which an application keeps what it keeps, as far as it is exchanged.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    data: PathBuf,
    /// Names in it that stay where they are.
    apart: Vec<OsString>,
}

impl Exchange {
    pub(crate) fn new(data: &Path, apart: &[OsString]) -> Self {
        Self { data: data.to_owned(), apart: apart.to_vec() }
    }

    /// An empty workshop, and the folder in it that a backup is unpacked into. What an earlier attempt left is removed.
    pub(crate) fn prepare(&self) -> io::Result<PathBuf> {
        self.finish()?;
        fs::DirBuilder::new().mode(0o700).create(self.workshop())?;
        Ok(self.new_data())
    }

    /// Lets what was unpacked take the place of what is there.
    pub(crate) fn begin(&self) -> io::Result<()> {
        // On the disk before it counts.
        syncfs(File::open(self.new_data())?)?;
        fs::create_dir(self.old_data())?;
        step()?;
        self.note(Phase::Out)?;
        self.finish()
    }

    /// Ends what was begun, or removes what never counted. Fine when there is nothing.
    pub(crate) fn finish(&self) -> io::Result<()> {
        match self.phase()? {
            Some(Phase::Out) => {
                self.move_out()?;
                self.note(Phase::In)?;
                self.bring_in()
            }
            Some(Phase::In) => self.bring_in(),
            Some(Phase::Done) | None => self.clear(),
        }
    }

    fn bring_in(&self) -> io::Result<()> {
        self.move_in()?;
        // In its place on the disk before the old is gone.
        syncfs(File::open(&self.data)?)?;
        self.note(Phase::Done)?;
        self.clear()
    }

    fn clear(&self) -> io::Result<()> {
        step()?;
        match fs::symlink_metadata(self.workshop()) {
            Ok(found) if found.is_dir() => remove_tree(&self.workshop()),
            // Whatever an application put there in our place.
            Ok(_) => fs::remove_file(self.workshop()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn move_out(&self) -> io::Result<()> {
        let apart = |name: &CStr| self.apart.iter().any(|apart| apart.as_bytes() == name.to_bytes());
        move_all(&self.data, &self.old_data(), apart, |_| Ok(()))
    }

    fn move_in(&self) -> io::Result<()> {
        let out_of_the_way = |name: &CStr| {
            // What came there since is nobody's: nothing was running.
            let stray = self.workshop().join("strays");
            fs::create_dir_all(&stray)?;
            let number = fs::read_dir(&stray)?.count();
            relocate(&child(&self.data, name), &stray.join(number.to_string()))
        };
        move_all(&self.new_data(), &self.data, |_| false, out_of_the_way)
    }

    fn phase(&self) -> io::Result<Option<Phase>> {
        let is_ours = fs::symlink_metadata(self.workshop()).is_ok_and(|found| found.is_dir());
        let Some(word) = (if is_ours { disk::read(&self.record())? } else { None }) else { return Ok(None) };
        let known = [Phase::Out, Phase::In, Phase::Done].into_iter().find(|phase| phase.word().as_bytes() == word);
        let unknown = || io::Error::new(ErrorKind::InvalidData, format!("{} can't be read", self.record().display()));
        known.map(Some).ok_or_else(unknown)
    }

    fn note(&self, phase: Phase) -> io::Result<()> {
        disk::replace(&self.record(), phase.word().as_bytes())?;
        File::open(self.workshop())?.sync_all()?;
        step()
    }

    fn workshop(&self) -> PathBuf {
        self.data.join(WORKSHOP)
    }

    fn new_data(&self) -> PathBuf {
        self.workshop().join("new")
    }

    fn old_data(&self) -> PathBuf {
        self.workshop().join("old")
    }

    fn record(&self) -> PathBuf {
        self.workshop().join("phase")
    }
}

/// Moves everything from one folder into another, again and again until nothing is left: a listing may miss what is there
/// while the folder changes. `clash` makes room where something is in the way.
fn move_all(
    from: &Path,
    to: &Path,
    stays: impl Fn(&CStr) -> bool,
    clash: impl Fn(&CStr) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let mut moved = false;
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW;
        let folder = rustix::fs::open(from, flags | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
        let mut entries = rustix::fs::Dir::new(folder)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") || stays(name) {
                continue;
            }
            step()?;
            let (there, here) = (child(to, name), child(from, name));
            match relocate(&here, &there) {
                Err(error) if is_in_the_way(&error) => {
                    clash(name)?;
                    relocate(&here, &there)?;
                }
                // The listing showed it twice.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                outcome => outcome?,
            }
            moved = true;
        }
        if !moved {
            return Ok(());
        }
    }
}

/// Renames, also a folder that is locked against being written to, whose mode stays as it was.
fn relocate(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let mode = fs::symlink_metadata(from)?.permissions();
            fs::set_permissions(from, fs::Permissions::from_mode(0o700))?;
            fs::rename(from, to)?;
            fs::set_permissions(to, mode)
        }
        outcome => outcome,
    }
}

fn is_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::IsADirectory | ErrorKind::NotADirectory
    )
}

fn child(folder: &Path, name: &CStr) -> PathBuf {
    folder.join(std::ffi::OsStr::from_bytes(name.to_bytes()))
}

#[cfg(not(test))]
const fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use tests::step;

#[cfg(test)]
mod tests;
