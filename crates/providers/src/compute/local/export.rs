//! Packs what an application keeps, whatever it made of it: nothing is followed, nothing is waited for, and nothing
//! outside of its folder is read.
//!
//! Every entry is opened by its folder's descriptor, never by a path, so that a folder which is swapped for a link
//! meanwhile leads nowhere. Only files and folders are packed; what else there is, and what could not be read whole, is
//! named in a list of its own. The manifest and that list wait in files without a name, so memory does not grow with the
//! number of files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;
use tar::{Builder, EntryType, Header};

use super::folder::Folder;

/// Folders may be nested so deep; each level holds a descriptor.
const DEEPEST: usize = 128;
/// A file may have so many bytes more than it takes up on the disk: holes cost an application nothing, and a reader a
/// day.
const MOST_HOLES: u64 = 1 << 30;

const README: &str = "\
data/            everything that the workspace keeps
MANIFEST.sha256  the checksum of each file; check with: sha256sum -c MANIFEST.sha256
LEFT-OUT.txt     what is not here, or was written to while it was packed, and why; missing where there is nothing to say
";

/// Writes the archive of a project's data below a folder called `top`.
pub(super) fn write(folder: &Folder, top: &str, sink: &mut dyn Write) -> io::Result<()> {
    let gzip = GzEncoder::new(sink, Compression::fast());
    let mut packing = Packing {
        tar: Builder::new(gzip),
        top: top.to_owned(),
        manifest: tempfile::tempfile_in(folder.path())?,
        left_out: tempfile::tempfile_in(folder.path())?,
    };
    packing.text("README.txt", README)?;
    packing.data(&folder.data())?;
    packing.spooled()?;
    packing.tar.into_inner()?.finish()?;
    Ok(())
}

struct Packing<'a> {
    tar: Builder<GzEncoder<&'a mut dyn Write>>,
    top: String,
    manifest: File,
    left_out: File,
}

impl Packing<'_> {
    fn data(&mut self, data: &Path) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(CWD, data, flags, Mode::empty())?;
        let stat = fstat(&opened)?;
        let mut path = b"data".to_vec();
        self.folder(&path, &stat)?;
        let mut open = vec![Dir::new(opened)?];
        while let Some(entries) = open.last_mut() {
            let Some(entry) = entries.read() else {
                open.pop();
                cut(&mut path);
                continue;
            };
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let length = path.len();
            path.push(b'/');
            path.extend(name.to_bytes());
            let parent = entries.fd()?;
            match open_entry(parent, name) {
                Ok(Opened::File(file)) => self.file(&path, file)?,
                Ok(Opened::Folder(_)) if open.len() == DEEPEST => self.leave_out(&path, "it is nested too deep")?,
                Ok(Opened::Folder(folder)) => {
                    let stat = fstat(&folder)?;
                    self.folder(&path, &stat)?;
                    open.push(Dir::new(folder)?);
                    continue;
                }
                Ok(Opened::Gone) => {}
                Ok(Opened::Other(what)) => self.leave_out(&path, &what)?,
                Err(error) => self.leave_out(&path, &format!("it can't be read: {error}"))?,
            }
            path.truncate(length);
        }
        // What a deletion took away meanwhile is missing, and an archive that ends well would say that it is whole.
        let now = statat(CWD, data, AtFlags::SYMLINK_NOFOLLOW)?;
        let same = (now.st_dev, now.st_ino) == (stat.st_dev, stat.st_ino);
        if same { Ok(()) } else { Err(io::Error::other("the instance was removed while it was packed")) }
    }

    fn folder(&mut self, path: &[u8], stat: &Stat) -> io::Result<()> {
        let mut header = header(EntryType::Directory, 0o755, stat);
        self.tar.append_data(&mut header, inside(&self.top, path), io::empty())
    }

    /// As many bytes as it had when it was opened: that is said before them.
    fn file(&mut self, path: &[u8], file: File) -> io::Result<()> {
        let before = fstat(&file)?;
        let size = u64::try_from(before.st_size).unwrap_or(0);
        let on_disk = u64::try_from(before.st_blocks).unwrap_or(0).saturating_mul(512);
        if size.saturating_sub(on_disk) > MOST_HOLES {
            let why = format!("it is said to have {size} bytes, of which {on_disk} were written");
            return self.leave_out(path, &why);
        }
        let mode = if before.st_mode & 0o100 == 0 { 0o644 } else { 0o755 };
        let mut header = header(EntryType::Regular, mode, &before);
        header.set_size(size);
        let mut exactly = Exactly { file: &file, left: size, digest: Context::new(&SHA256), trouble: None };
        self.tar.append_data(&mut header, inside(&self.top, path), &mut exactly)?;
        let Exactly { digest, trouble, .. } = exactly;
        self.note_sum(path, digest)?;
        let after = fstat(&file)?;
        let same = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        match trouble {
            Some(trouble) => self.leave_out(path, &format!("only a part of it is here: {trouble}")),
            None if same(&before) != same(&after) => self.leave_out(path, "it is here, but changed while it was read"),
            None => Ok(()),
        }
    }

    fn note_sum(&mut self, path: &[u8], digest: Context) -> io::Result<()> {
        let sum = hex::encode(digest.finish());
        let escaped = escaped(path);
        let mark: &[u8] = if escaped == path { b"" } else { b"\\" };
        self.manifest.write_all(&[mark, sum.as_bytes(), b"  ", &escaped, b"\n"].concat())
    }

    fn leave_out(&mut self, path: &[u8], why: &str) -> io::Result<()> {
        self.left_out.write_all(&[&escaped(path), b": ".as_slice(), &escaped(why.as_bytes()), b"\n"].concat())
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        let mut header = own_header(text.len() as u64);
        self.tar.append_data(&mut header, inside(&self.top, name.as_bytes()), text.as_bytes())
    }

    /// What was noted on the way. No list where nothing was left out.
    fn spooled(&mut self) -> io::Result<()> {
        let Self { tar, top, manifest, left_out } = self;
        for (name, file) in [("MANIFEST.sha256", manifest), ("LEFT-OUT.txt", left_out)] {
            let size = file.stream_position()?;
            if size > 0 || name == "MANIFEST.sha256" {
                file.rewind()?;
                tar.append_data(&mut own_header(size), inside(top, name.as_bytes()), file.take(size))?;
            }
        }
        Ok(())
    }
}

/// What an entry turned out to be.
enum Opened {
    File(File),
    Folder(rustix::fd::OwnedFd),
    /// In words.
    Other(String),
    /// Removed since it was listed.
    Gone,
}

/// Opens files and folders. A pipe or a device is not even touched: to open it can wait, or do something.
fn open_entry(parent: rustix::fd::BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<Opened, Errno> {
    let kind = |stat: &Stat| FileType::from_raw_mode(stat.st_mode);
    let seen = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(Opened::Gone),
        seen => kind(&seen?),
    };
    let what = match seen {
        FileType::RegularFile | FileType::Directory => None,
        FileType::Symlink => {
            let target = readlinkat(parent, name, Vec::new())?;
            Some(format!("it is a link, to {}", String::from_utf8_lossy(target.to_bytes())))
        }
        FileType::Fifo => Some("it is a pipe".to_owned()),
        FileType::Socket => Some("it is a socket".to_owned()),
        _ => Some("it is neither a file nor a folder".to_owned()),
    };
    if let Some(what) = what {
        return Ok(Opened::Other(what));
    }
    // Something else may stand there by now, which is not followed and not waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match openat(parent, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Opened::Gone),
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Opened::Other("it changed while it was read".to_owned())),
        opened => opened?,
    };
    Ok(match kind(&fstat(&opened)?) {
        FileType::RegularFile => Opened::File(opened.into()),
        FileType::Directory => Opened::Folder(opened),
        _ => Opened::Other("it changed while it was read".to_owned()),
    })
}

/// Exactly as many bytes as were announced: what is missing is zeros, what is more is not read.
struct Exactly<'a> {
    file: &'a File,
    left: u64,
    digest: Context,
    trouble: Option<String>,
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

/// Whose it is and what else could be done to it on our disk is nobody's business elsewhere.
fn header(kind: EntryType, mode: u32, stat: &Stat) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
    header.set_size(0);
    header
}

fn own_header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    header
}

fn inside(top: &str, path: &[u8]) -> std::path::PathBuf {
    Path::new(top).join(OsStr::from_bytes(path))
}

/// Takes the last name off.
fn cut(path: &mut Vec<u8>) {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    path.truncate(end);
}

/// As `sha256sum` writes names that would break its lines.
fn escaped(path: &[u8]) -> Vec<u8> {
    path.iter().fold(Vec::with_capacity(path.len()), |mut escaped, byte| {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            other => escaped.push(*other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests;
