//! Unpacks a backup into a new folder. Whoever asked for it lets that take the place of what was there, once all of it is
//! there and proven whole.
//!
//! What is unpacked was ours when it was packed. It is read as if it was not: every entry is made below its folder's
//! descriptor, and only where there is nothing, so that no name and no link leads anywhere else.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, chmodat, chownat, fchmod, fchown, futimens,
    linkat, mkdirat, mknodat, openat, statat, symlinkat, utimensat,
};
use rustix::io::Errno;
use tar::{Archive, EntryType};

use crate::pack::{Contents, END, End, LEFT_OUT};
use crate::removal::remove_tree;
use crate::tree::DEEPEST;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// What says how a backup ends is small.
const LARGEST_END: u64 = 4096;

/// Unpacks into a folder, which is made. What is there from an earlier attempt goes first. Everything in it belongs to
/// `owner`, or to whoever unpacks.
///
/// # Errors
/// `InvalidData` when it is not what was packed; whatever the disk says otherwise.
pub fn unpack(incoming: &Path, owner: Option<u32>, packed: &mut dyn Read) -> io::Result<Contents> {
    remove_tree(incoming)?;
    fs::DirBuilder::new().mode(0o700).create(incoming)?;
    let top = openat(CWD, incoming, FOLDER, Mode::empty())?;
    let mut unpacking = Unpacking { top, owner, open: Vec::new(), seen: End::default(), end: None };
    for entry in Archive::new(packed).entries()? {
        unpacking.entry(&mut entry?).map_err(no_fault_of_the_disk)?;
    }
    unpacking.finish()
}

struct Unpacking {
    top: OwnedFd,
    owner: Option<u32>,
    /// The folders around what comes next, outermost first.
    open: Vec<OpenFolder>,
    seen: End,
    end: Option<End>,
}

struct OpenFolder {
    name: Vec<u8>,
    folder: OwnedFd,
    mode: Mode,
    modified: Timespec,
}

impl Unpacking {
    fn entry(&mut self, entry: &mut tar::Entry<'_, &mut dyn Read>) -> io::Result<()> {
        if self.end.is_some() {
            return Err(damaged("it goes on after its end"));
        }
        let path = entry.path_bytes().into_owned();
        if path == LEFT_OUT.as_bytes() {
            return Ok(());
        }
        if path == END.as_bytes() {
            let mut text = Vec::new();
            entry.take(LARGEST_END).read_to_end(&mut text)?;
            self.end = Some(serde_json::from_slice(&text).map_err(|_| damaged("its end can't be read"))?);
            return Ok(());
        }
        self.seen.entries += 1;
        let names = names(&path)?;
        let modified = modified(entry)?;
        let mode = Mode::from_raw_mode(entry.header().mode()? & 0o7777);
        let kind = entry.header().entry_type();
        let [above @ .., name] = names.as_slice() else { return Err(damaged("it has an entry without a name")) };
        self.leave_for(above)?;
        if self.open.is_empty() {
            return self.root(kind, name, mode, modified);
        }
        match kind {
            EntryType::Directory => self.folder(name, mode, modified),
            EntryType::Regular => self.file(name, mode, modified, entry),
            EntryType::Symlink => self.symlink(name, modified, &target(entry)?),
            EntryType::Link => self.hard_link(name, &target(entry)?),
            EntryType::Fifo => self.pipe(name, mode, modified),
            _ => Err(damaged("it has an entry of a kind that no backup has")),
        }
    }

    /// The folder of all data is there already.
    fn root(&mut self, kind: EntryType, name: &[u8], mode: Mode, modified: Timespec) -> io::Result<()> {
        if kind != EntryType::Directory || name != b"data" || self.seen.entries > 1 {
            return Err(damaged("it has an entry outside of the data"));
        }
        let folder = self.top.try_clone()?;
        self.hand_over(&folder)?;
        self.open.push(OpenFolder { name: name.to_vec(), folder, mode, modified });
        Ok(())
    }

    /// Closes folders until those around the next entry are left. It can't be in one that was not just opened: entries come
    /// in the order of a walk.
    fn leave_for(&mut self, above: &[&[u8]]) -> io::Result<()> {
        let is_open = |open: &[OpenFolder]| open.iter().map(|folder| folder.name.as_slice()).eq(above.iter().copied());
        while self.open.len() > above.len() {
            self.close_folder()?;
        }
        if is_open(&self.open) { Ok(()) } else { Err(damaged("its entries are not in the order of a walk")) }
    }

    fn close_folder(&mut self) -> io::Result<()> {
        let Some(folder) = self.open.pop() else { return Ok(()) };
        // Last, since each new entry changed it.
        fchmod(&folder.folder, folder.mode)?;
        Ok(futimens(&folder.folder, &at(folder.modified))?)
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.open.last().map_or(self.top.as_fd(), |open| open.folder.as_fd())
    }

    fn folder(&mut self, name: &[u8], mode: Mode, modified: Timespec) -> io::Result<()> {
        if self.open.len() >= DEEPEST {
            return Err(damaged("its folders are nested too deep"));
        }
        mkdirat(self.here(), name, Mode::RWXU)?;
        let folder = openat(self.here(), name, FOLDER, Mode::empty())?;
        self.hand_over(&folder)?;
        self.open.push(OpenFolder { name: name.to_vec(), folder, mode, modified });
        Ok(())
    }

    fn file(&mut self, name: &[u8], mode: Mode, modified: Timespec, content: &mut dyn Read) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(self.here(), name, flags, Mode::RUSR | Mode::WUSR)?);
        self.seen.bytes += copy_with_holes(content, &mut file)?;
        self.seen.files += 1;
        self.hand_over(&file)?;
        fchmod(&file, mode)?;
        Ok(futimens(&file, &at(modified))?)
    }

    fn symlink(&self, name: &[u8], modified: Timespec, target: &[u8]) -> io::Result<()> {
        symlinkat(target, self.here(), name)?;
        self.hand_over_name(name)?;
        Ok(utimensat(self.here(), name, &at(modified), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// To a file that was unpacked before. Each folder on the way is opened by itself, so that no link is followed.
    fn hard_link(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        let names = names(target)?;
        let ([b"data", above @ ..], Some(last)) = (&names[..names.len() - 1], names.last()) else {
            return Err(damaged("it has a link that leads outside of the data"));
        };
        let mut folder = self.top.try_clone()?;
        for above in above {
            folder = openat(&folder, *above, FOLDER, Mode::empty())?;
        }
        let found = statat(&folder, *last, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(damaged("it has a second name of something that is no file"));
        }
        Ok(linkat(&folder, *last, self.here(), name, AtFlags::empty())?)
    }

    fn pipe(&self, name: &[u8], mode: Mode, modified: Timespec) -> io::Result<()> {
        mknodat(self.here(), name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        self.hand_over_name(name)?;
        chmodat(self.here(), name, mode, AtFlags::empty())?;
        Ok(utimensat(self.here(), name, &at(modified), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn hand_over(&self, made: impl rustix::fd::AsFd) -> io::Result<()> {
        let Some(owner) = self.owner else { return Ok(()) };
        Ok(fchown(made, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?)
    }

    fn hand_over_name(&self, name: &[u8]) -> io::Result<()> {
        let Some(owner) = self.owner else { return Ok(()) };
        let (user, group) = (Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)));
        Ok(chownat(self.here(), name, user, group, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn finish(mut self) -> io::Result<Contents> {
        while !self.open.is_empty() {
            self.close_folder()?;
        }
        let Some(end) = self.end else { return Err(damaged("it ends too early")) };
        let seen = End { left_out: end.left_out, ..self.seen };
        if seen != end {
            return Err(damaged("it does not hold what it says at its end"));
        }
        Ok(Contents::from(&end))
    }
}

/// The names on a path, each of which stays where it is.
fn names(path: &[u8]) -> io::Result<Vec<&[u8]>> {
    let names: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    if names.iter().any(|name| matches!(*name, b"" | b"." | b"..") || name.contains(&0)) {
        return Err(damaged("it has an entry whose path leads elsewhere"));
    }
    Ok(names)
}

fn target(entry: &tar::Entry<'_, &mut dyn Read>) -> io::Result<Vec<u8>> {
    let target = entry.link_name_bytes().filter(|target| !target.is_empty() && !target.contains(&0));
    target.map(std::borrow::Cow::into_owned).ok_or_else(|| damaged("it has a link that leads nowhere"))
}

/// To the nanosecond, where the entry says it.
fn modified(entry: &mut tar::Entry<'_, &mut dyn Read>) -> io::Result<Timespec> {
    let whole = i64::try_from(entry.header().mtime()?).unwrap_or(0);
    let mut modified = Timespec { tv_sec: whole, tv_nsec: 0 };
    if let Some(extensions) = entry.pax_extensions()? {
        for extension in extensions {
            let extension = extension?;
            if extension.key_bytes() == b"mtime" {
                let text = extension.value().unwrap_or_default();
                modified = exact_time(text).ok_or_else(|| damaged("it has an entry whose time can't be read"))?;
            }
        }
    }
    Ok(modified)
}

/// Reads `-12.000000005`.
fn exact_time(text: &str) -> Option<Timespec> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, rest) = digits.split_once('.')?;
    let total = sign * (i128::from(whole.parse::<i64>().ok()?) * 1_000_000_000 + i128::from(rest.parse::<u32>().ok()?));
    let (tv_sec, tv_nsec) = (total.div_euclid(1_000_000_000), total.rem_euclid(1_000_000_000));
    Some(Timespec { tv_sec: i64::try_from(tv_sec).ok()?, tv_nsec: i64::try_from(tv_nsec).ok()? })
}

fn at(modified: Timespec) -> Timestamps {
    Timestamps { last_access: modified, last_modification: modified }
}

/// Writes everything but zeros, which become holes: a volume may hold only so much.
fn copy_with_holes(content: &mut dyn Read, file: &mut File) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let length = match content.read(&mut buffer) {
            Ok(0) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            length => length?,
        };
        let piece = &buffer[..length];
        if piece.iter().all(|byte| *byte == 0) {
            file.seek(SeekFrom::Current(i64::try_from(length).unwrap_or(i64::MAX)))?;
        } else {
            file.write_all(piece)?;
        }
        size += length as u64;
    }
    file.set_len(size)?;
    Ok(size)
}

/// The folder was empty and nobody else is in it: what is in the way there, or missing, was packed so.
fn no_fault_of_the_disk(error: io::Error) -> io::Error {
    let packed_so = [Errno::EXIST, Errno::NOTDIR, Errno::NOENT, Errno::LOOP, Errno::ISDIR];
    match Errno::from_io_error(&error) {
        Some(errno) if packed_so.contains(&errno) => damaged(&format!("its entries do not fit together: {error}")),
        _ => error,
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
