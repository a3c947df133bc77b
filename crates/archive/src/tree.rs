//! Reads what an application keeps, whatever it made of it: nothing is followed, nothing is waited for, and nothing
//! outside of its folder is read.
//!
//! Every entry is opened by its folder's descriptor, never by a path, so that a folder which is swapped for a link
//! meanwhile leads nowhere.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;

use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::Volume;

/// Folders may be nested so deep; each level holds a descriptor.
pub(crate) const DEEPEST: usize = 128;
/// A file may have so many bytes more than it takes up on the disk: holes cost an application nothing, and a reader a
/// day.
const MOST_HOLES: u64 = 1 << 30;

/// What an entry turned out to be.
pub(crate) enum Found {
    Folder(Stat),
    File(File),
    Link {
        target: Vec<u8>,
        stat: Stat,
    },
    Pipe(Stat),
    /// It can't be read, and why.
    LeftOut(String),
}

/// Visits the data of a volume and everything in it, each folder before what is in it. Paths begin with `data`.
pub(crate) fn walk(volume: &Volume, visit: &mut dyn FnMut(&[u8], Found) -> io::Result<()>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let data = &volume.data;
    let opened = openat(CWD, data, flags, Mode::empty())?;
    let stat = fstat(&opened)?;
    let mut path = b"data".to_vec();
    visit(&path, Found::Folder(stat))?;
    let mut open = vec![Dir::new(opened)?];
    loop {
        let is_top = open.len() == 1;
        let Some(entries) = open.last_mut() else { break };
        let Some(entry) = entries.read() else {
            open.pop();
            cut(&mut path);
            continue;
        };
        let entry = entry?;
        let name = entry.file_name();
        let is_apart = is_top && volume.apart.iter().any(|apart| apart.as_bytes() == name.to_bytes());
        if is_apart || matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let length = path.len();
        path.push(b'/');
        path.extend(name.to_bytes());
        let parent = entries.fd()?;
        match open_entry(parent, name) {
            Ok(Opened::Folder(_)) if open.len() == DEEPEST => {
                visit(&path, Found::LeftOut("it is nested too deep".to_owned()))?;
            }
            Ok(Opened::Folder(folder)) => {
                visit(&path, Found::Folder(fstat(&folder)?))?;
                open.push(Dir::new(folder)?);
                continue;
            }
            Ok(Opened::Gone) => {}
            Ok(Opened::Other(found)) => visit(&path, found)?,
            Err(error) => visit(&path, Found::LeftOut(format!("it can't be read: {error}")))?,
        }
        path.truncate(length);
    }
    // What a deletion took away meanwhile is missing, and an archive that ends well would say that it is whole.
    let now = statat(CWD, data, AtFlags::SYMLINK_NOFOLLOW)?;
    let same = (now.st_dev, now.st_ino) == (stat.st_dev, stat.st_ino);
    if same { Ok(()) } else { Err(io::Error::other("the instance was removed while it was packed")) }
}

enum Opened {
    Folder(rustix::fd::OwnedFd),
    Other(Found),
    /// Removed since it was listed.
    Gone,
}

/// Opens files and folders. A pipe or a device is not even touched: to open it can wait, or do something.
fn open_entry(parent: rustix::fd::BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<Opened, Errno> {
    let kind = |stat: &Stat| FileType::from_raw_mode(stat.st_mode);
    let left_out = |why: &str| Ok(Opened::Other(Found::LeftOut(why.to_owned())));
    let seen = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(Opened::Gone),
        seen => seen?,
    };
    match kind(&seen) {
        FileType::RegularFile | FileType::Directory => {}
        FileType::Symlink => {
            let target = readlinkat(parent, name, Vec::new())?;
            return Ok(Opened::Other(Found::Link { target: target.into_bytes(), stat: seen }));
        }
        FileType::Fifo => return Ok(Opened::Other(Found::Pipe(seen))),
        FileType::Socket => return left_out("it is a socket"),
        _ => return left_out("it is neither a file nor a folder"),
    }
    // Something else may stand there by now, which is not followed and not waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match openat(parent, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Opened::Gone),
        Err(Errno::LOOP | Errno::NXIO) => return left_out("it changed while it was read"),
        opened => opened?,
    };
    match kind(&fstat(&opened)?) {
        FileType::RegularFile => Ok(Opened::Other(Found::File(opened.into()))),
        FileType::Directory => Ok(Opened::Folder(opened)),
        _ => left_out("it changed while it was read"),
    }
}

/// Why a file is not read, if it is almost nothing but holes.
pub(crate) fn too_many_holes(stat: &Stat) -> Option<String> {
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let on_disk = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    let many = size.saturating_sub(on_disk) > MOST_HOLES;
    many.then(|| format!("it is said to have {size} bytes, of which {on_disk} were written"))
}

/// Whether a file was written to between two looks.
pub(crate) fn changed(before: &Stat, after: &Stat) -> bool {
    let seen = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
    seen(before) != seen(after)
}

/// Exactly as many bytes as were announced: what is missing is zeros, what is more is not read.
pub(crate) struct Exactly<'a> {
    file: &'a File,
    left: u64,
    pub(crate) digest: Context,
    pub(crate) trouble: Option<String>,
}

impl<'a> Exactly<'a> {
    pub(crate) fn of(file: &'a File, bytes: u64) -> Self {
        Self { file, left: bytes, digest: Context::new(&SHA256), trouble: None }
    }
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..wanted];
        let mut read = 0;
        if self.trouble.is_none() {
            match self.file.read(buffer) {
                Ok(0) if wanted > 0 => self.trouble = Some("it became shorter while it was read".to_owned()),
                Ok(bytes) => read = bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.trouble = Some(error.to_string()),
            }
        }
        if self.trouble.is_some() {
            buffer.fill(0);
            read = wanted;
        }
        self.digest.update(&buffer[..read]);
        self.left -= read as u64;
        Ok(read)
    }
}

/// Takes the last name off.
fn cut(path: &mut Vec<u8>) {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    path.truncate(end);
}
