//! The data folder as a library: two shelves of documents, and everything that was ever on them.
//!
//! A change first goes to the history, then to the document itself, so whatever happens in between
//! nothing that someone wrote is lost. A change to text that meanwhile became another is refused.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::folder::{Folder, Found};
use crate::front_matter::Problem;
use crate::history::{Change, History, Signature, Version};
use crate::name::{Name, Shelf};

/// The largest document that is saved, in bytes.
pub const LARGEST_TEXT: usize = 256 * 1024;

const HISTORY: &str = "history";

/// The data folder.
pub struct Library {
    root: PathBuf,
}

/// A document as its file holds it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name on its shelf.
    pub name: Name,
    /// The file, exactly.
    pub bytes: Vec<u8>,
}

/// A place on a shelf.
pub enum Entry {
    /// A document.
    Document(Document),
    /// Something that cannot be opened, and why.
    Unreadable {
        /// Its name on its shelf.
        name: Name,
        /// Why, and what to do about it.
        why: String,
    },
}

/// Which text a change was made to: equal only for equal texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(String);

/// What a change has led to.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The document's name.
    pub name: Name,
    /// Its newest version; `None` when it said the same already and nothing was saved.
    pub version: Option<Version>,
    /// The text it has now.
    pub revision: Revision,
}

/// Why a document could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is none of that name, or no such version of it.
    #[error("there is no document of that name")]
    Missing,
    /// Its text is not the one the change was made to; this is the one it has now.
    #[error("it was changed in the meantime")]
    Stale(Box<Document>),
    /// It is something that is not opened, and why.
    #[error("{0}")]
    Unreadable(String),
    /// What is wrong with the text.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The new text is this many bytes, more than [`LARGEST_TEXT`].
    #[error("the text is {0} bytes, and {LARGEST_TEXT} is the most")]
    TooLarge(usize),
    /// The disk failed or is full.
    #[error("the data folder: {0}")]
    Disk(#[from] io::Error),
}

impl Document {
    /// Which text it has.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision::of(&self.bytes)
    }

    /// Its text, if all its bytes are text, so that none is lost when a part of it is changed.
    ///
    /// # Errors
    /// [`Problem`] when some bytes are not UTF-8.
    pub fn exact_text(&self) -> Result<&str, Problem> {
        let problem = "The file is not plain text in UTF-8; some of its bytes are shown as �.";
        str::from_utf8(&self.bytes).map_err(|_| Problem(problem.to_owned()))
    }

    /// Its text; bytes that are not UTF-8 are shown as `�`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

impl Revision {
    /// The revision of a text.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A revision as a form or a program sends it back.
    #[must_use]
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Library {
    /// The library in the folder `root`, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made or opened.
    pub fn open(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let folder = Folder::open(root)?;
        for shelf in Shelf::ALL {
            folder.enter_or_make(shelf.folder())?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Everything on a shelf, in the order of names.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn list(&self, shelf: Shelf) -> Result<Vec<Entry>, LibraryError> {
        let Some(folder) = self.root()?.enter(shelf.folder())? else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        for name in folder.documents()? {
            match folder.read(&name.file())? {
                Found::File(bytes) => entries.push(Entry::Document(Document { name, bytes })),
                Found::Unreadable(why) => entries.push(Entry::Unreadable { name, why }),
                Found::Nothing => {}
            }
        }
        Ok(entries)
    }

    /// Files on a shelf whose names cannot be those of documents.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn misnamed(&self, shelf: Shelf) -> Result<Vec<String>, LibraryError> {
        let Some(folder) = self.root()?.enter(shelf.folder())? else { return Ok(Vec::new()) };
        let is_misnamed = |entry: &String| entry.strip_suffix(".md").is_some_and(|name| Name::parse(name).is_err());
        Ok(folder.entries()?.into_iter().filter(is_misnamed).collect())
    }

    /// One document.
    ///
    /// # Errors
    /// [`LibraryError::Missing`], [`LibraryError::Unreadable`] or [`LibraryError::Disk`].
    pub fn read(&self, shelf: Shelf, name: &Name) -> Result<Document, LibraryError> {
        let folder = self.root()?.enter(shelf.folder())?.ok_or(LibraryError::Missing)?;
        read_from(&folder, name)
    }

    /// The whole name of the backlog item that begins with `B-number`.
    ///
    /// # Errors
    /// [`LibraryError::Missing`] or [`LibraryError::Disk`].
    pub fn item(&self, number: u64) -> Result<Name, LibraryError> {
        let folder = self.root()?.enter(Shelf::Backlog.folder())?.ok_or(LibraryError::Missing)?;
        let mut names = folder.documents()?.into_iter();
        names.find(|name| name.item_number() == Some(number)).ok_or(LibraryError::Missing)
    }

    /// Puts a new document on a shelf, under a name made from `title` that was never used before.
    ///
    /// # Errors
    /// [`LibraryError::TooLarge`] or [`LibraryError::Disk`].
    pub fn create(&self, shelf: Shelf, title: &str, text: &str, by: &Signature) -> Result<Saved, LibraryError> {
        check_size(text)?;
        let root = self.locked()?;
        let folder = root.enter_or_make(shelf.folder())?;
        let name = unused_name(&root, &folder, shelf, title)?;
        let version =
            history_of(&root, shelf, &name)?.add(Change::Created, &by.by.to_string(), by.at, text.as_bytes())?;
        if !folder.create(&name.file(), text.as_bytes())? {
            return Err(io::Error::other(format!("{} appeared while it was made", name.file())).into());
        }
        Ok(Saved { name, version: Some(version), revision: Revision::of(text.as_bytes()) })
    }

    /// Changes a document's text to what `change` makes of the document. With `based_on`, only if that is the
    /// text it has.
    ///
    /// # Errors
    /// All of [`LibraryError`]; nothing is changed then.
    pub fn edit(
        &self,
        shelf: Shelf,
        name: &Name,
        based_on: Option<&Revision>,
        by: &Signature,
        change: impl FnOnce(&Document) -> Result<String, LibraryError>,
    ) -> Result<Saved, LibraryError> {
        let root = self.locked()?;
        let folder = root.enter(shelf.folder())?.ok_or(LibraryError::Missing)?;
        let current = read_from(&folder, name)?;
        refuse_stale(based_on, &current)?;
        let text = change(&current)?;
        check_size(&text)?;
        let revision = Revision::of(text.as_bytes());
        if text.as_bytes() == current.bytes {
            return Ok(Saved { name: name.clone(), version: None, revision });
        }
        let history = history_of(&root, shelf, name)?;
        keep_outside_change(&history, &current, by)?;
        let version = history.add(Change::Edited, &by.by.to_string(), by.at, text.as_bytes())?;
        folder.replace(&name.file(), text.as_bytes())?;
        Ok(Saved { name: name.clone(), version: Some(version), revision })
    }

    /// Takes a document off its shelf; its history stays.
    ///
    /// # Errors
    /// All of [`LibraryError`]; nothing is changed then.
    pub fn delete(
        &self,
        shelf: Shelf,
        name: &Name,
        based_on: &Revision,
        by: &Signature,
    ) -> Result<Version, LibraryError> {
        let root = self.locked()?;
        let folder = root.enter(shelf.folder())?.ok_or(LibraryError::Missing)?;
        let current = read_from(&folder, name)?;
        refuse_stale(Some(based_on), &current)?;
        let history = history_of(&root, shelf, name)?;
        keep_outside_change(&history, &current, by)?;
        let version = history.add(Change::Deleted, &by.by.to_string(), by.at, &current.bytes)?;
        folder.remove(&name.file())?;
        Ok(version)
    }

    /// Brings back an old version, of a deleted document too; the present text stays in the history.
    /// `based_on` is the present text, `None` for a deleted document.
    ///
    /// # Errors
    /// All of [`LibraryError`]; nothing is changed then.
    pub fn restore(
        &self,
        shelf: Shelf,
        name: &Name,
        number: u32,
        based_on: Option<&Revision>,
        by: &Signature,
    ) -> Result<Saved, LibraryError> {
        let root = self.locked()?;
        let folder = root.enter_or_make(shelf.folder())?;
        let history = existing_history(&root, shelf, name)?.ok_or(LibraryError::Missing)?;
        let (_, bytes) = history.read(number)?.ok_or(LibraryError::Missing)?;
        match read_from(&folder, name) {
            Ok(current) => {
                refuse_stale(Some(based_on.unwrap_or(&Revision(String::new()))), &current)?;
                keep_outside_change(&history, &current, by)?;
            }
            Err(LibraryError::Missing) => {}
            Err(error) => return Err(error),
        }
        let version = history.add(Change::Restored(number), &by.by.to_string(), by.at, &bytes)?;
        folder.replace(&name.file(), &bytes)?;
        Ok(Saved { name: name.clone(), version: Some(version), revision: Revision::of(&bytes) })
    }

    /// The versions of a document, the newest first; none for one that was only ever changed outside.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn versions(&self, shelf: Shelf, name: &Name) -> Result<Vec<Version>, LibraryError> {
        Ok(existing_history(&self.root()?, shelf, name)?.map_or(Ok(Vec::new()), |history| history.versions())?)
    }

    /// One version of a document and the text it had.
    ///
    /// # Errors
    /// [`LibraryError::Missing`] or [`LibraryError::Disk`].
    pub fn version(&self, shelf: Shelf, name: &Name, number: u32) -> Result<(Version, Document), LibraryError> {
        let history = existing_history(&self.root()?, shelf, name)?.ok_or(LibraryError::Missing)?;
        let (version, bytes) = history.read(number)?.ok_or(LibraryError::Missing)?;
        Ok((version, Document { name: name.clone(), bytes }))
    }

    /// The newest version of a document and whether the file still has its text.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn newest(&self, shelf: Shelf, document: &Document) -> Result<Option<(Version, bool)>, LibraryError> {
        let history = existing_history(&self.root()?, shelf, &document.name)?;
        let newest = history.map_or(Ok(None), |history| history.newest())?;
        Ok(newest.map(|(version, bytes)| (version, bytes == document.bytes)))
    }

    /// What was on a shelf and no longer is, each with its newest version.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn deleted(&self, shelf: Shelf) -> Result<Vec<(Document, Version)>, LibraryError> {
        let root = self.root()?;
        let present = root.enter(shelf.folder())?.map_or(Ok(Vec::new()), |folder| folder.documents())?;
        let mut deleted = Vec::new();
        for name in names_in_history(&root, shelf)? {
            if present.contains(&name) {
                continue;
            }
            let history = existing_history(&root, shelf, &name)?;
            let newest = history.map_or(Ok(None), |history| history.newest())?;
            deleted.extend(newest.map(|(version, bytes)| (Document { name, bytes }, version)));
        }
        deleted.sort_by_key(|(_, version)| std::cmp::Reverse(version.at));
        Ok(deleted)
    }

    /// The open data folder, for reading all of it.
    ///
    /// # Errors
    /// When it is gone.
    pub fn root(&self) -> io::Result<Folder> {
        Folder::open(&self.root)
    }

    /// The open data folder while nobody else changes it; it stays so until it is dropped.
    ///
    /// # Errors
    /// When it is gone, or cannot be locked.
    pub fn locked(&self) -> io::Result<Folder> {
        let root = self.root()?;
        root.lock()?;
        Ok(root)
    }
}

fn read_from(folder: &Folder, name: &Name) -> Result<Document, LibraryError> {
    match folder.read(&name.file())? {
        Found::File(bytes) => Ok(Document { name: name.clone(), bytes }),
        Found::Unreadable(why) => Err(LibraryError::Unreadable(why)),
        Found::Nothing => Err(LibraryError::Missing),
    }
}

fn check_size(text: &str) -> Result<(), LibraryError> {
    if text.len() > LARGEST_TEXT { Err(LibraryError::TooLarge(text.len())) } else { Ok(()) }
}

fn refuse_stale(based_on: Option<&Revision>, current: &Document) -> Result<(), LibraryError> {
    match based_on {
        Some(revision) if *revision != current.revision() => Err(LibraryError::Stale(Box::new(current.clone()))),
        _ => Ok(()),
    }
}

/// A text that another program wrote would vanish with the next save; it becomes a version first.
fn keep_outside_change(history: &History, current: &Document, by: &Signature) -> io::Result<()> {
    let is_kept = history.newest()?.is_some_and(|(_, bytes)| bytes == current.bytes);
    if !is_kept {
        history.add(Change::Outside, "another program", by.at, &current.bytes)?;
    }
    Ok(())
}

fn unused_name(root: &Folder, folder: &Folder, shelf: Shelf, title: &str) -> io::Result<Name> {
    let mut used = names_in_history(root, shelf)?;
    used.extend(folder.documents()?);
    let wanted = Name::from_title(title, "untitled");
    Ok(match shelf {
        Shelf::Backlog => {
            let last = used.iter().filter_map(Name::item_number).max().unwrap_or(0);
            wanted.of_item(last.saturating_add(1))
        }
        Shelf::Visions | Shelf::Decisions => {
            let numbered = (2..).map(|number| wanted.numbered(number));
            let mut candidates = std::iter::once(wanted.clone()).chain(numbered);
            candidates.find(|name| !used.contains(name)).unwrap_or(wanted)
        }
    })
}

fn names_in_history(root: &Folder, shelf: Shelf) -> io::Result<Vec<Name>> {
    let Some(all) = root.enter(HISTORY)? else { return Ok(Vec::new()) };
    let Some(folder) = all.enter(shelf.folder())? else { return Ok(Vec::new()) };
    Ok(folder.entries()?.iter().filter_map(|entry| Name::parse(entry).ok()).collect())
}

fn history_of(root: &Folder, shelf: Shelf, name: &Name) -> io::Result<History> {
    let folder = root.enter_or_make(HISTORY)?.enter_or_make(shelf.folder())?;
    Ok(History::of(folder.enter_or_make(name.as_str())?))
}

fn existing_history(root: &Folder, shelf: Shelf, name: &Name) -> io::Result<Option<History>> {
    let Some(all) = root.enter(HISTORY)? else { return Ok(None) };
    let Some(folder) = all.enter(shelf.folder())? else { return Ok(None) };
    Ok(folder.enter(name.as_str())?.map(History::of))
}
