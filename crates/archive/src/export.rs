//! Packs what an application keeps for its customer. Only files and folders are packed; what else there is, and what
//! could not be read whole, is named in a list of its own. The manifest and that list wait in files without a name, so memory does not grow with the
//! number of files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use aws_lc_rs::digest::Context;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{Stat, fstat};
use tar::{Builder, EntryType, Header};

use crate::Volume;
use crate::tree::{self, Exactly, Found};

const README: &str = "\
data/            everything that the workspace keeps
MANIFEST.sha256  the checksum of each file; check with: sha256sum -c MANIFEST.sha256
LEFT-OUT.txt     what is not here, or was written to while it was packed, and why; missing where there is nothing to say
";

/// Writes the archive of a volume's data for its customer, below a folder called `top`.
///
/// # Errors
/// When the data or the spool can't be read or written, or the sink takes nothing more.
pub fn export(volume: &Volume, top: &str, sink: &mut dyn Write) -> io::Result<()> {
    let gzip = GzEncoder::new(sink, Compression::fast());
    let mut packing = Packing {
        tar: Builder::new(gzip),
        top: top.to_owned(),
        manifest: tempfile::tempfile_in(&volume.spool)?,
        left_out: tempfile::tempfile_in(&volume.spool)?,
    };
    packing.text("README.txt", README)?;
    tree::walk(volume, &mut |path, found| packing.found(path, found))?;
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
    fn found(&mut self, path: &[u8], found: Found) -> io::Result<()> {
        match found {
            Found::Folder(stat) => self.folder(path, &stat),
            Found::File(file) => self.file(path, file),
            Found::Link { target, .. } => {
                self.leave_out(path, &format!("it is a link, to {}", String::from_utf8_lossy(&target)))
            }
            Found::Pipe(_) => self.leave_out(path, "it is a pipe"),
            Found::LeftOut(why) => self.leave_out(path, &why),
        }
    }

    fn folder(&mut self, path: &[u8], stat: &Stat) -> io::Result<()> {
        let mut header = header(EntryType::Directory, 0o755, stat);
        self.tar.append_data(&mut header, inside(&self.top, path), io::empty())
    }

    /// As many bytes as it had when it was opened: that is said before them.
    fn file(&mut self, path: &[u8], file: File) -> io::Result<()> {
        let before = fstat(&file)?;
        if let Some(why) = tree::too_many_holes(&before) {
            return self.leave_out(path, &why);
        }
        let size = u64::try_from(before.st_size).unwrap_or(0);
        let mode = if before.st_mode & 0o100 == 0 { 0o644 } else { 0o755 };
        let mut header = header(EntryType::Regular, mode, &before);
        header.set_size(size);
        let mut exactly = Exactly::of(&file, size);
        self.tar.append_data(&mut header, inside(&self.top, path), &mut exactly)?;
        let Exactly { digest, trouble, .. } = exactly;
        self.note_sum(path, digest)?;
        let after = fstat(&file)?;
        match trouble {
            Some(trouble) => self.leave_out(path, &format!("only a part of it is here: {trouble}")),
            None if tree::changed(&before, &after) => self.leave_out(path, "it is here, but changed while it was read"),
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
