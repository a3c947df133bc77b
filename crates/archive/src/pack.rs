//! Packs what an application keeps so that it can be put back as it was: with modes, times, links and pipes. What can't be
//! taken along is named inside of the backup, and counted outside.
//!
//! The last entry says what the whole holds, so that nothing that was cut off passes for whole.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{Stat, fstat};
use serde::{Deserialize, Serialize};
use tar::{Builder, EntryType, Header};

use crate::Volume;
use crate::tree::{self, Exactly, Found};

/// The list of what was left out, one line each.
pub(crate) const LEFT_OUT: &str = "LEFT-OUT.txt";
/// The last entry.
pub(crate) const END: &str = "END.json";
/// Memory for the names of files that have several.
const MOST_NAMES: usize = 16 << 20;
/// What fits into the header itself.
const SHORT_LINK: usize = 100;

/// What went into a backup. Names stay inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be taken along; the backup itself names it, and why.
    pub left_out: u64,
}

/// What a backup says of itself at its end.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) entries: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) left_out: u64,
}

impl From<&End> for Contents {
    fn from(end: &End) -> Self {
        Self { files: end.files, bytes: end.bytes, left_out: end.left_out }
    }
}

/// Writes the archive of a volume's data, not sealed yet.
///
/// # Errors
/// When the data or the spool can't be read or written, or the sink takes nothing more.
pub fn pack(volume: &Volume, sink: &mut dyn Write) -> io::Result<Contents> {
    let mut packing = Packing {
        tar: Builder::new(sink),
        end: End::default(),
        left_out: tempfile::tempfile_in(&volume.spool)?,
        several_names: HashMap::new(),
        names_bytes: 0,
    };
    tree::walk(volume, &mut |path, found| packing.found(path, found))?;
    packing.finish()
}

struct Packing<'a> {
    tar: Builder<&'a mut dyn Write>,
    end: End,
    left_out: File,
    /// The first name of each file that has several.
    several_names: HashMap<(u64, u64), Vec<u8>>,
    names_bytes: usize,
}

impl Packing<'_> {
    fn found(&mut self, path: &[u8], found: Found) -> io::Result<()> {
        match found {
            Found::Folder(stat) => self.nothing_but_a_name(path, EntryType::Directory, &stat),
            Found::Pipe(stat) => self.nothing_but_a_name(path, EntryType::Fifo, &stat),
            Found::Link { target, stat } => self.link(path, EntryType::Symlink, &target, &stat),
            Found::File(file) => self.file(path, file),
            Found::LeftOut(why) => self.leave_out(path, &why),
        }
    }

    fn nothing_but_a_name(&mut self, path: &[u8], kind: EntryType, stat: &Stat) -> io::Result<()> {
        let mut header = self.header(kind, stat)?;
        self.tar.append_data(&mut header, as_path(path), io::empty())
    }

    fn link(&mut self, path: &[u8], kind: EntryType, target: &[u8], stat: &Stat) -> io::Result<()> {
        let mut header = self.header(kind, stat)?;
        if target.len() < SHORT_LINK {
            header.set_link_name_literal(target)?;
        } else {
            self.long_link(target)?;
        }
        self.tar.append_data(&mut header, as_path(path), io::empty())
    }

    /// As GNU tar says a link that is too long for a header.
    fn long_link(&mut self, target: &[u8]) -> io::Result<()> {
        let mut header = own_header(target.len() as u64 + 1);
        header.set_entry_type(EntryType::GNULongLink);
        self.tar.append_data(&mut header, "././@LongLink", target.chain(&[0][..]))
    }

    /// As many bytes as it had when it was opened: that is said before them.
    fn file(&mut self, path: &[u8], file: File) -> io::Result<()> {
        let before = fstat(&file)?;
        if let Some(why) = tree::too_many_holes(&before) {
            return self.leave_out(path, &why);
        }
        if before.st_nlink > 1 {
            let known = (before.st_dev, before.st_ino);
            if let Some(first) = self.several_names.get(&known).cloned() {
                return self.link(path, EntryType::Link, &first, &before);
            }
            // Beyond that the content is taken along once more.
            if self.names_bytes + path.len() < MOST_NAMES {
                self.names_bytes += path.len();
                self.several_names.insert(known, path.to_vec());
            }
        }
        let size = u64::try_from(before.st_size).unwrap_or(0);
        let mut header = self.header(EntryType::Regular, &before)?;
        header.set_size(size);
        let mut exactly = Exactly::of(&file, size);
        self.tar.append_data(&mut header, as_path(path), &mut exactly)?;
        self.end.files += 1;
        self.end.bytes += size;
        let after = fstat(&file)?;
        match exactly.trouble {
            Some(trouble) => self.leave_out(path, &format!("only a part of it is here: {trouble}")),
            None if tree::changed(&before, &after) => self.leave_out(path, "it is here, but changed while it was read"),
            None => Ok(()),
        }
    }

    /// Whose it is stays here: what is put back belongs to whoever runs it then.
    fn header(&mut self, kind: EntryType, stat: &Stat) -> io::Result<Header> {
        self.end.entries += 1;
        let (seconds, nanos) = (stat.st_mtime, stat.st_mtime_nsec);
        if nanos != 0 || seconds < 0 {
            // A fraction counts forward from the second, before 1970 too: written as one decimal number.
            let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
            let sign = if total < 0 { "-" } else { "" };
            let (whole, rest) = (total.unsigned_abs() / 1_000_000_000, total.unsigned_abs() % 1_000_000_000);
            let text = format!("{sign}{whole}.{rest:09}");
            self.tar.append_pax_extensions([("mtime", text.as_bytes())])?;
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(stat.st_mode & 0o7777);
        header.set_mtime(u64::try_from(seconds).unwrap_or(0));
        header.set_size(0);
        Ok(header)
    }

    fn leave_out(&mut self, path: &[u8], why: &str) -> io::Result<()> {
        self.end.left_out += 1;
        let path = String::from_utf8_lossy(path);
        writeln!(self.left_out, "{}: {}", path.escape_debug(), why.escape_debug())
    }

    fn finish(mut self) -> io::Result<Contents> {
        let size = self.left_out.stream_position()?;
        self.left_out.rewind()?;
        self.tar.append_data(&mut own_header(size), LEFT_OUT, self.left_out.take(size))?;
        let end = serde_json::to_vec(&self.end)?;
        self.tar.append_data(&mut own_header(end.len() as u64), END, end.as_slice())?;
        self.tar.into_inner()?.flush()?;
        Ok(Contents::from(&self.end))
    }
}

fn own_header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(size);
    header
}

fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
