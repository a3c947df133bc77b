//! The archive while it is written: files, and their digests for the end.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::manifest::{Manifest, hex};
use super::{LEFT_OUT, MANIFEST};
use crate::folder::Folder;

/// An archive that is being written.
pub struct Parcel<W: Write> {
    tar: tar::Builder<io::BufWriter<W>>,
    manifest: Manifest,
    left_out: Vec<String>,
    time: u64,
}

impl<W: Write> Parcel<W> {
    /// An empty one; `time` is that of its files, in seconds.
    pub fn new(to: W, time: u64) -> Self {
        let tar = tar::Builder::new(io::BufWriter::with_capacity(64 * 1024, to));
        Self { tar, manifest: Manifest::default(), left_out: Vec::new(), time }
    }

    /// Adds a file with these bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_bytes(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.add(path, bytes.len() as u64, bytes)
    }

    /// Adds a file of a folder, as far as it goes now; what is no file is left out.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn add_file(&mut self, folder: &Folder, name: &str, path: &str) -> io::Result<()> {
        let file = match folder.open_to_read(name) {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.left_out.push(format!("{path}: {error}\n"));
                return Ok(());
            }
        };
        // A journal may grow while it is read; what comes meanwhile is in the next archive.
        let length = file.metadata()?.len();
        self.add(path, length, file)
    }

    /// Adds a folder with everything in it that is a file or a folder.
    ///
    /// # Errors
    /// When something cannot be read or written.
    pub fn add_folder(&mut self, folder: &Folder, path: &str, deeper: usize) -> io::Result<()> {
        let mut names = folder.all_entries()?;
        names.sort();
        for name in names.iter().filter(|name| !Folder::is_temporary(name)) {
            let path = format!("{path}/{name}");
            // Only a folder opens as one; links are left out.
            match folder.enter(name) {
                Ok(Some(inner)) if deeper > 0 => self.add_folder(&inner, &path, deeper - 1)?,
                Ok(Some(_)) => self.left_out.push(format!("{path}: it lies in too many folders\n")),
                Ok(None) | Err(_) => self.add_file(folder, name, &path)?,
            }
        }
        Ok(())
    }

    /// Ends the archive with the digests of everything in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.left_out.is_empty() {
            let left_out = self.left_out.concat();
            self.add_bytes(LEFT_OUT, left_out.as_bytes())?;
        }
        let manifest = std::mem::take(&mut self.manifest).to_string();
        self.add_bytes(MANIFEST, manifest.as_bytes())?;
        self.tar.into_inner()?.flush()
    }

    fn add(&mut self, path: &str, length: u64, bytes: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(length);
        header.set_mode(0o644);
        header.set_mtime(self.time);
        // A file that shrinks meanwhile must not shift what follows.
        let padded = bytes.chain(io::repeat(0)).take(length);
        let mut digested = Digested { bytes: padded, digest: Sha256::new() };
        self.tar.append_data(&mut header, path, &mut digested)?;
        self.manifest.add(path, &hex(&digested.digest.finalize()));
        Ok(())
    }
}

/// Takes the digest of what is read.
struct Digested<R> {
    bytes: R,
    digest: Sha256,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.digest.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}
