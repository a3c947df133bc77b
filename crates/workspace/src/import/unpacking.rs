//! An archive is unpacked into a folder of its own and looked at whole, before anything else happens.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};
use tar::EntryType;

use super::paths::Inside;
use crate::export::{MANIFEST, Manifest, hex};
use crate::folder::Folder;

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Files.
    pub files: usize,
    /// Bytes of its list of digests.
    pub manifest: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { files: 200_000, manifest: 64 << 20 }
    }
}

/// The longest header that tells of another file: a name, or a few of its properties.
const LONGEST_NOTE: u64 = 64 * 1024;

/// Why an archive is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is none.
    #[error(
        "This is no export: it cannot be read as a tar archive ({0}). Choose the .tar file that “Download everything” gave you; if it was packed in another way, unpack that first."
    )]
    NoArchive(String),
    /// It ends too early.
    #[error("The archive ends in the middle of “{0}”: it was not sent or downloaded whole. Download it again.")]
    Cut(String),
    /// It holds something that is no file.
    #[error(
        "“{0}” in the archive is {1}, and exports hold only files. Nothing was taken from it: somebody has changed this archive."
    )]
    NoFile(String, &'static str),
    /// A path that no export has.
    #[error(
        "“{0}” in the archive is not taken: {1}. Nothing was taken from the others either. Bring in an archive just as it was downloaded."
    )]
    Path(String, &'static str),
    /// Two things at one path.
    #[error("“{0}” is in the archive twice. Nothing was taken from it: somebody has changed this archive.")]
    Twice(String),
    /// Too many files.
    #[error(
        "The archive holds more than {0} files, which is the most. Remove what the apps no longer need from their data, and download it again."
    )]
    TooMany(usize),
    /// A part of the archive that describes others is too large.
    #[error("A part of the archive that only describes files is larger than any export’s. Nothing was taken from it.")]
    Bloated,
    /// It has no list of digests.
    #[error(
        "The archive has no {MANIFEST}, so nobody can tell whether it is whole. Bring in an archive just as it was downloaded; older downloads did not have that list, and cannot be brought in."
    )]
    NoManifest,
    /// The list is wrong.
    #[error("Line {0} of {MANIFEST} cannot be understood. Download the export again.")]
    Manifest(usize),
    /// A file is not what the list says.
    #[error("“{0}” is not as it was when the export was made: its digest is another one. Download the export again.")]
    Different(String),
    /// A file of the list is not there.
    #[error("“{0}” is listed in {MANIFEST} and is not in the archive. Download the export again.")]
    Missing(String),
    /// A file is not in the list.
    #[error(
        "“{0}” is in the archive and not listed in {MANIFEST}. Nothing was taken from it: somebody has changed this archive."
    )]
    Unlisted(String),
    /// The disk failed or is full.
    #[error("The archive cannot be unpacked here ({0}). Make room on the disk and try again.")]
    Disk(#[from] io::Error),
}

/// Unpacks an archive into an empty folder; gives the paths of its files. Nothing is left out and
/// nothing is followed.
///
/// # Errors
/// [`Fault`]; what was unpacked until then is in the folder.
pub fn unpack(archive: File, into: &Folder, bounds: Bounds) -> Result<BTreeSet<String>, Fault> {
    let mut digests = Manifest::default();
    let mut paths = BTreeSet::new();
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(64 * 1024, archive));
    let entries = archive.entries().map_err(no_archive)?;
    let mut told = None;
    // Raw: names of any length are read here, within bounds.
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(no_archive)?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                told = Some(note(&mut entry)?.split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
                continue;
            }
            EntryType::XHeader => {
                told = name_in(&note(&mut entry)?)?.or(told);
                continue;
            }
            EntryType::XGlobalHeader => {
                note(&mut entry)?;
                continue;
            }
            _ => {}
        }
        let raw = told.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let shown = || shown(&raw);
        if let Some(what) = no_file(kind) {
            return Err(Fault::NoFile(shown(), what));
        }
        if kind == EntryType::Directory {
            continue;
        }
        let path = Inside::parse(&raw).map_err(|why| Fault::Path(shown(), why))?;
        if paths.len() >= bounds.files {
            return Err(Fault::TooMany(bounds.files));
        }
        if path.as_str() == MANIFEST && entry.size() > bounds.manifest {
            return Err(Fault::Bloated);
        }
        let digest = keep(&mut entry, into, &path)?;
        digests.add(path.as_str(), &digest);
        paths.insert(path.as_str().to_owned());
    }
    if paths.is_empty() {
        return Err(Fault::NoArchive("nothing is in it".to_owned()));
    }
    compare(into, &digests)?;
    paths.remove(MANIFEST);
    into.sync_disk()?;
    Ok(paths)
}

fn no_archive(error: io::Error) -> Fault {
    Fault::NoArchive(error.to_string())
}

fn shown(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).chars().filter(|letter| !letter.is_control()).take(200).collect()
}

fn no_file(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => None,
        EntryType::Link | EntryType::Symlink | EntryType::GNULongLink => Some("a link"),
        EntryType::Char | EntryType::Block => Some("a device"),
        EntryType::Fifo => Some("a pipe"),
        EntryType::GNUSparse => Some("a file with holes"),
        _ => Some("something unknown"),
    }
}

fn note(entry: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    entry.take(LONGEST_NOTE + 1).read_to_end(&mut bytes).map_err(no_archive)?;
    if bytes.len() as u64 > LONGEST_NOTE { Err(Fault::Bloated) } else { Ok(bytes) }
}

/// The name in the properties of the next file; other properties do not matter, but for its size.
fn name_in(properties: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let mut name = None;
    for property in tar::PaxExtensions::new(properties) {
        let property = property.map_err(no_archive)?;
        match property.key_bytes() {
            b"path" => name = Some(property.value_bytes().to_vec()),
            b"size" => return Err(Fault::NoArchive("a file in it is larger than any export’s".to_owned())),
            key if key.starts_with(b"GNU.sparse") => {
                return Err(Fault::NoFile(String::new(), "a file with holes"));
            }
            _ => {}
        }
    }
    Ok(name)
}

fn keep<R: Read>(entry: &mut tar::Entry<'_, R>, into: &Folder, path: &Inside) -> Result<String, Fault> {
    let twice = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Disk(error),
        // A file is where another one, or a folder, was.
        _ => Fault::Twice(path.to_string()),
    };
    let (folder, name) = into.make_way_to(path.as_str()).map_err(twice)?;
    let mut file = folder.create_new(name).map_err(twice)?;
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = entry.read(&mut buffer).map_err(no_archive)?;
        if read == 0 {
            break;
        }
        let piece = buffer.get(..read).unwrap_or_default();
        digest.update(piece);
        file.write_all(piece)?;
        length += read as u64;
    }
    if length < entry.size() { Err(Fault::Cut(path.to_string())) } else { Ok(hex(&digest.finalize())) }
}

fn compare(folder: &Folder, found: &Manifest) -> Result<(), Fault> {
    let Some(file) = folder.open_to_read(MANIFEST)? else { return Err(Fault::NoManifest) };
    let text = io::read_to_string(file).map_err(|_| Fault::Manifest(1))?;
    let listed = Manifest::parse(&text).map_err(Fault::Manifest)?;
    for path in listed.paths() {
        match found.digest(path) {
            None => return Err(Fault::Missing(path.to_owned())),
            digest if digest != listed.digest(path) => return Err(Fault::Different(path.to_owned())),
            Some(_) => {}
        }
    }
    let unlisted = found.paths().find(|path| *path != MANIFEST && listed.digest(path).is_none());
    unlisted.map_or(Ok(()), |path| Err(Fault::Unlisted(path.to_owned())))
}

#[cfg(test)]
mod tests;
