//! Files that belong to a vision or a backlog item: `attachments/<shelf>/<document>/<file>`.
//!
//! A file is never overwritten and never deleted: one of a name that was used gets a number, and one that
//! is removed lies in the folder `removed` beside the others until it is restored. Where a file lies says
//! whether it is there; the journal only tells who put it there and when, and is written first. So files
//! that another program puts there are attachments too, and a crash leaves nothing to mend.

mod picture;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::folder::Folder;
use crate::front_matter::Problem;
use crate::history::Signature;
use crate::journal::Journal;
use crate::library::{Library, LibraryError};
use crate::name::{Name, Shelf};

pub use picture::Picture;

/// The folder in the data folder.
pub const FOLDER: &str = "attachments";

const REMOVED: &str = "removed";
const JOURNAL: &str = "journal.jsonl";

/// The longest description, in characters.
const LONGEST_ABOUT: usize = 500;

/// A file that belongs to a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Its name.
    pub name: Name,
    /// How many bytes it has.
    pub size: u64,
    /// What can be seen in it, if it is a picture.
    pub picture: Option<Picture>,
    /// What it shows, in words, as far as somebody told.
    pub about: String,
    /// Who put it there or removed it, and when, if that was written down.
    pub last: Option<(String, Timestamp)>,
}

/// What belongs to a document.
#[derive(Debug, Default, PartialEq)]
pub struct Attachments {
    /// What is there.
    pub present: Vec<Attachment>,
    /// What was removed.
    pub removed: Vec<Attachment>,
}

/// Something to attach.
#[derive(Debug)]
pub struct NewFile<'a> {
    /// The name that it had.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
    /// What it shows, in words.
    pub about: &'a str,
    /// By which a repeated approval finds it.
    pub mark: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at: Timestamp,
    by: String,
    what: What,
    file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Added,
    Removed,
    Restored,
}

impl Attachments {
    /// What belongs to a document.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(library: &Library, shelf: Shelf, document: &Name) -> Result<Self, LibraryError> {
        let Some(folder) = existing(library, shelf, document)? else { return Ok(Self::default()) };
        let lines: Vec<Line> = Journal::read(&folder, JOURNAL)?;
        let removed = folder.enter(REMOVED)?.map_or(Ok(Vec::new()), |folder| in_folder(&folder, &lines))?;
        Ok(Self { present: in_folder(&folder, &lines)?, removed })
    }

    /// Puts a file to a document, under a name that no other file of it ever had.
    ///
    /// # Errors
    /// When the disk is full or fails; nothing is there then.
    pub fn add(
        library: &Library,
        shelf: Shelf,
        document: &Name,
        new: &NewFile<'_>,
        by: &Signature,
    ) -> Result<Name, LibraryError> {
        let root = library.locked()?;
        let folder = made(&root, shelf, document)?;
        let lines: Vec<Line> = Journal::read(&folder, JOURNAL)?;
        if let Some(name) = done_before(&folder, &lines, new.mark)? {
            return Ok(name);
        }
        let name = unused(&folder, &lines, new.name)?;
        let about: String = new.about.split_whitespace().collect::<Vec<_>>().join(" ");
        let about = about.chars().take(LONGEST_ABOUT).collect();
        write(&folder, What::Added, &name, about, new.mark, by)?;
        if !folder.create(name.as_str(), new.bytes)? {
            return Err(io::Error::other(format!("{} appeared while it was made", name.as_str())).into());
        }
        Ok(name)
    }

    /// Takes a file away; it can be restored.
    ///
    /// # Errors
    /// [`LibraryError::Missing`], [`LibraryError::Disk`].
    pub fn remove(
        library: &Library,
        shelf: Shelf,
        document: &Name,
        name: &Name,
        by: &Signature,
    ) -> Result<(), LibraryError> {
        let root = library.locked()?;
        let folder = made(&root, shelf, document)?;
        let removed = folder.enter_or_make(REMOVED)?;
        carry(&folder, &folder, &removed, What::Removed, name, by)
    }

    /// Puts a removed file back.
    ///
    /// # Errors
    /// [`LibraryError::Missing`], [`LibraryError::Disk`].
    pub fn restore(
        library: &Library,
        shelf: Shelf,
        document: &Name,
        name: &Name,
        by: &Signature,
    ) -> Result<(), LibraryError> {
        let root = library.locked()?;
        let folder = made(&root, shelf, document)?;
        let removed = folder.enter_or_make(REMOVED)?;
        carry(&folder, &removed, &folder, What::Restored, name, by)
    }

    /// A file, open for reading, and its size.
    ///
    /// # Errors
    /// [`LibraryError::Missing`], [`LibraryError::Disk`].
    pub fn open(library: &Library, shelf: Shelf, document: &Name, name: &Name) -> Result<(File, u64), LibraryError> {
        if is_reserved(name.as_str()) {
            return Err(LibraryError::Missing);
        }
        let folder = existing(library, shelf, document)?.ok_or(LibraryError::Missing)?;
        let file = folder.open_to_read(name.as_str())?.ok_or(LibraryError::Missing)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }
}

fn existing(library: &Library, shelf: Shelf, document: &Name) -> io::Result<Option<Folder>> {
    let Some(all) = library.root()?.enter(FOLDER)? else { return Ok(None) };
    let Some(shelf) = all.enter(shelf.folder())? else { return Ok(None) };
    shelf.enter(document.as_str())
}

fn made(root: &Folder, shelf: Shelf, document: &Name) -> io::Result<Folder> {
    root.enter_or_make(FOLDER)?.enter_or_make(shelf.folder())?.enter_or_make(document.as_str())
}

/// Names of files that say something about the others.
fn is_reserved(name: &str) -> bool {
    [REMOVED, JOURNAL].contains(&name)
}

fn in_folder(folder: &Folder, lines: &[Line]) -> io::Result<Vec<Attachment>> {
    let mut told: HashMap<&str, (&str, &Line)> = HashMap::new();
    for line in lines {
        let about = told.get(line.file.as_str()).map_or("", |(about, _)| *about);
        told.insert(&line.file, (if line.about.is_empty() { about } else { &line.about }, line));
    }
    let mut entries = folder.entries()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries.into_iter().filter(|entry| !is_reserved(entry)) {
        let Ok(name) = Name::parse(&entry) else { continue };
        // What is no file, or may not be read, is none of ours.
        let Ok(Some(mut file)) = folder.open_to_read(&entry) else { continue };
        let size = file.metadata()?.len();
        let mut head = Vec::new();
        file.by_ref().take(Picture::HEAD).read_to_end(&mut head)?;
        let told = told.get(entry.as_str());
        found.push(Attachment {
            picture: Picture::of(&entry, &head),
            name,
            size,
            about: told.map(|(about, _)| (*about).to_owned()).unwrap_or_default(),
            last: told.map(|(_, line)| (line.by.clone(), line.at)),
        });
    }
    Ok(found)
}

fn write(
    folder: &Folder,
    what: What,
    name: &Name,
    about: String,
    mark: Option<&str>,
    by: &Signature,
) -> io::Result<()> {
    let proposal = mark.map(str::to_owned);
    let line = Line { at: by.at, by: by.by.to_string(), what, file: name.as_str().to_owned(), about, proposal };
    Journal::open(folder, JOURNAL)?.append(&line)
}

fn carry(
    folder: &Folder,
    from: &Folder,
    to: &Folder,
    what: What,
    name: &Name,
    by: &Signature,
) -> Result<(), LibraryError> {
    if is_reserved(name.as_str()) || from.open_to_read(name.as_str())?.is_none() {
        return Err(LibraryError::Missing);
    }
    if to.open_to_read(name.as_str())?.is_some() {
        let why = "is there twice, once removed and once not. Give one of the two another name in the data folder, then try again.";
        return Err(Problem(format!("“{}” {why}", name.as_str())).into());
    }
    write(folder, what, name, String::new(), None, by)?;
    if from.move_into(name.as_str(), to)? {
        Ok(())
    } else {
        Err(io::Error::other(format!("{} appeared while it was moved", name.as_str())).into())
    }
}

/// What an approval that did not come to its end left there.
fn done_before(folder: &Folder, lines: &[Line], mark: Option<&str>) -> io::Result<Option<Name>> {
    for line in lines.iter().filter(|line| mark.is_some() && line.proposal.as_deref() == mark) {
        if let Ok(name) = Name::parse(&line.file)
            && folder.open_to_read(name.as_str()).is_ok_and(|file| file.is_some())
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A name that can be recognised, holds nothing but letters, digits and dashes, and was never used.
fn unused(folder: &Folder, lines: &[Line], wanted: &str) -> Result<Name, LibraryError> {
    let (stem, ending) = safe(wanted);
    let mut used = folder.entries()?;
    used.extend(folder.enter(REMOVED)?.map_or(Ok(Vec::new()), |removed| removed.entries())?);
    let is_free = |name: &str| {
        !is_reserved(name) && !used.iter().any(|entry| entry == name) && !lines.iter().any(|line| line.file == name)
    };
    let names = (1_u32..).map(|number| match number {
        1 => format!("{}{ending}", stem.as_str()),
        number => format!("{}{ending}", stem.numbered(number).as_str()),
    });
    let mut names = names.filter(|name| is_free(name));
    let name = names.next().unwrap_or_default();
    Name::parse(&name)
        .map_err(|_| Problem("The file cannot be kept under its name. Give it another.".to_owned()).into())
}

fn safe(wanted: &str) -> (Name, String) {
    let file = wanted.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, ending) = match file.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (stem, ending)
        }
        _ => (file, ""),
    };
    let ending =
        if ending.is_empty() || ending.len() > 12 { String::new() } else { format!(".{}", ending.to_lowercase()) };
    (Name::from_title(stem, "file"), ending)
}

#[cfg(test)]
mod tests;
