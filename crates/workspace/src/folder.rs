//! A folder that nothing can lead out of: every step is opened relative to the one before it,
//! links are never followed, and a file is either its old self or its new self, never half of each.

mod ways;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::name::Name;

/// The largest file that is read, in bytes; larger ones are listed but not opened.
pub const LARGEST_FILE: u64 = 1024 * 1024;

const TEMPORARY: &str = ".ai-diy-";

/// An open folder.
pub struct Folder(OwnedFd);

/// What was found where a file was looked for.
pub enum Found {
    /// A regular file's bytes, exactly.
    File(Vec<u8>),
    /// Something is there, and this is why it was left alone.
    Unreadable(String),
    /// Nothing is there.
    Nothing,
}

impl Folder {
    /// Opens the folder at `path`, which may itself be reached through links: the person who
    /// started the program chose it.
    ///
    /// # Errors
    /// When there is no folder at `path` or it may not be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens the folder `name` inside this one, or `None` when there is none.
    ///
    /// # Errors
    /// When `name` is not a folder (a link to one is not) or may not be opened.
    pub fn enter(&self, name: &str) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(folder) => Ok(Some(Self(folder))),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(io::Error::other(format!(
                "“{name}” in the data folder is not a folder; move it away and try again"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the folder `name` inside this one and makes it first where it is missing.
    ///
    /// # Errors
    /// As [`Folder::enter`], and when it cannot be made.
    pub fn enter_or_make(&self, name: &str) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.enter(name)?.ok_or_else(|| io::Error::other(format!("“{name}” vanished while it was made")))
    }

    /// Waits until nobody else changes this folder; it stays so until the folder is dropped.
    ///
    /// # Errors
    /// When the file system has no locks.
    pub fn lock(&self) -> io::Result<()> {
        Ok(rustix::fs::flock(&self.0, FlockOperation::LockExclusive)?)
    }

    /// The names in this folder that [`Name`] accepts, without an ending, for entries ending in `.md`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn documents(&self) -> io::Result<Vec<Name>> {
        let mut names: Vec<Name> =
            self.entries()?.iter().filter_map(|entry| Name::parse(entry.strip_suffix(".md")?).ok()).collect();
        names.sort();
        Ok(names)
    }

    /// The names of everything in this folder but hidden entries; what is not UTF-8 in them becomes `�`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn entries(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if !name.starts_with('.') {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }

    /// The names of everything in this folder, hidden entries too; those that are not UTF-8 are left out.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all_entries(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            names
                .extend(entry.file_name().to_str().ok().filter(|name| !matches!(*name, "." | "..")).map(str::to_owned));
        }
        Ok(names)
    }

    /// Reads the file `name`.
    ///
    /// # Errors
    /// When the disk fails; anything that is merely not a readable file is [`Found::Unreadable`].
    pub fn read(&self, name: &str) -> io::Result<Found> {
        // NONBLOCK: a named pipe must not hold up the page it would be listed on.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let unreadable = |why: &str| Ok(Found::Unreadable(why.to_owned()));
        let file = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(Errno::LOOP) => {
                return unreadable(
                    "It is a link to somewhere else, and links are not followed. Put the file itself here instead.",
                );
            }
            Err(Errno::ACCESS | Errno::PERM) => {
                return unreadable("The file may not be read. Change its permissions so that AI-DIY may.");
            }
            Err(Errno::NXIO) => return unreadable("It is not a file."),
            Err(error) => return Err(error.into()),
        };
        let about = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return unreadable("It is not a file.");
        }
        let mut bytes = Vec::new();
        File::from(file).take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return unreadable("The file is larger than 1 MiB. Split it into several.");
        }
        Ok(Found::File(bytes))
    }

    /// Opens the file `name` for adding to its end, and makes it where it is missing.
    ///
    /// # Errors
    /// When it is no regular file (a link is none), or may not be written.
    pub fn open_to_append(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => regular(file, name),
            Err(Errno::NOENT) => {
                let mode = Mode::from_raw_mode(0o644);
                let file = rustix::fs::openat(&self.0, name, flags | OFlags::CREATE, mode)?;
                self.sync()?;
                regular(file, name)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the file `name` for reading all of it, however large; `None` where there is none.
    ///
    /// # Errors
    /// When it is no regular file (a link is none), or may not be read.
    pub fn open_to_read(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(regular(file, name)?)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts `bytes` into the file `name`, whether or not there is one.
    ///
    /// # Errors
    /// When the disk is full or fails; the file is then what it was before.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.write_temporary(name, bytes)?;
        rustix::fs::renameat(&self.0, &temporary, &self.0, name)?;
        self.sync()
    }

    /// Puts `bytes` into a new file `name`; says `false` and changes nothing when there is one.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let temporary = self.write_temporary(name, bytes)?;
        let moved = rename_to_new(&self.0, &temporary, &self.0, name);
        if !matches!(moved, Ok(true)) {
            self.remove(&temporary)?;
        }
        self.sync()?;
        moved
    }

    /// Moves the file `name` into another folder under the same name; says `false` and changes nothing
    /// where that folder has one.
    ///
    /// # Errors
    /// When there is none, or it cannot be moved.
    pub fn move_into(&self, name: &str, other: &Self) -> io::Result<bool> {
        let moved = rename_to_new(&self.0, name, &other.0, name)?;
        other.sync()?;
        self.sync()?;
        Ok(moved)
    }

    /// Removes the file `name`; a link is removed itself, not what it names.
    ///
    /// # Errors
    /// When there is none or it cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?;
        self.sync()
    }

    fn write_temporary(&self, name: &str, bytes: &[u8]) -> io::Result<String> {
        // One writer at a time holds the lock, so one temporary name is enough, and what a crash
        // left behind is overwritten. It must not be a longer name than the file system takes.
        let short: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let temporary = format!("{TEMPORARY}{short}");
        match rustix::fs::unlinkat(&self.0, &temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, &temporary, flags, Mode::from_raw_mode(0o644))?;
        let mut file = File::from(file);
        if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
            rustix::fs::unlinkat(&self.0, &temporary, AtFlags::empty())?;
            return Err(error);
        }
        Ok(temporary)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

fn rename_to_new(folder: &OwnedFd, from: &str, other: &OwnedFd, to: &str) -> io::Result<bool> {
    match rustix::fs::renameat_with(folder, from, other, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // File systems without the exclusive rename: the lock already keeps other writers out.
        Err(Errno::INVAL | Errno::NOSYS) => match rustix::fs::statat(other, to, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(false),
            Err(Errno::NOENT) => {
                rustix::fs::renameat(folder, from, other, to)?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

fn regular(file: OwnedFd, name: &str) -> io::Result<File> {
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) == FileType::RegularFile {
        Ok(File::from(file))
    } else {
        Err(io::Error::other(format!("“{name}” in the data folder is not a file; move it away and try again")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn text(folder: &Folder, name: &str) -> String {
        match folder.read(name).unwrap() {
            Found::File(bytes) => String::from_utf8(bytes).unwrap(),
            Found::Unreadable(why) => format!("unreadable: {why}"),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_written_file_is_read_back_and_leaves_nothing_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        assert!(folder.create("a.md", b"one").unwrap());
        assert!(!folder.create("a.md", b"two").unwrap(), "an existing file is not replaced");
        assert_eq!(text(&folder, "a.md"), "one");
        folder.replace("a.md", b"three").unwrap();
        assert_eq!(text(&folder, "a.md"), "three");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_moved_into_another_folder_unless_that_has_one() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        let other = folder.enter_or_make("other").unwrap();
        folder.replace("a", b"one").unwrap();
        assert!(folder.move_into("a", &other).unwrap());
        folder.replace("a", b"two").unwrap();
        assert!(!folder.move_into("a", &other).unwrap(), "an existing file is not replaced");
        assert_eq!((text(&folder, "a"), text(&other, "a")), ("two".to_owned(), "one".to_owned()));
        assert!(folder.move_into("none", &other).is_err());
    }

    #[test]
    fn links_are_not_followed_neither_for_files_nor_for_folders() {
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.md"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.md"), home.path().join("link.md")).unwrap();
        std::os::unix::fs::symlink(outside.path(), home.path().join("visions")).unwrap();
        let folder = Folder::open(home.path()).unwrap();
        assert!(text(&folder, "link.md").starts_with("unreadable: It is a link"));
        assert!(folder.enter("visions").is_err());
        assert!(folder.enter_or_make("visions").is_err());
        folder.replace("link.md", b"mine").unwrap();
        assert_eq!(std::fs::read_to_string(outside.path().join("secret.md")).unwrap(), "secret");
    }

    #[test]
    fn pipes_folders_and_huge_files_are_named_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("folder.md")).unwrap();
        std::fs::write(home.path().join("huge.md"), vec![b'a'; 1024 * 1024 + 1]).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            home.path().join("pipe.md"),
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let folder = Folder::open(home.path()).unwrap();
        for name in ["folder.md", "huge.md", "pipe.md"] {
            assert!(text(&folder, name).starts_with("unreadable"), "{name}");
        }
    }
}
