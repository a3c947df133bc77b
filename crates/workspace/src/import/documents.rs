//! Documents of an export: what becomes of each, and how it gets there.

use std::collections::BTreeMap;
use std::io;

use super::plan::{Fate, Plan, Step};
use crate::folder::{Folder, Found};
use crate::history::{Change, History, Signature};
use crate::library::{Document, Entry, Library, LibraryError};
use crate::name::{Name, Shelf};

const HISTORY: &str = "history";

/// The name of the document that a file holds, if it holds one.
#[must_use]
pub fn name_of(file: &str) -> Option<Name> {
    Name::parse(file.strip_suffix(".md")?).ok()
}

/// Decides on all documents of a shelf. Names that are others here are added to `renamed`.
///
/// # Errors
/// When the disk fails.
pub fn plan(
    plan: &mut Plan,
    renamed: &mut BTreeMap<String, String>,
    shelf: Shelf,
    unpacked: &Library,
    here: &Library,
) -> Result<(), LibraryError> {
    let mut known = names(here, shelf)?;
    let theirs = all(unpacked, shelf)?;
    let mut taken: Vec<Name> = known.iter().chain(theirs.keys()).cloned().collect();
    let mut last = known.iter().chain(theirs.keys()).filter_map(Name::item_number).max().unwrap_or(0);
    for (name, document) in theirs {
        let what = words(shelf, &name);
        if known.contains(&name) {
            match document {
                // A record that people signed does not become another one.
                Some(document) if shelf == Shelf::Decisions && is_another(here, shelf, &document)? => {
                    if let Some(same) = with_text(here, shelf, &document.bytes)? {
                        plan.say(Fate::Left, what, format!("it is here as {}", same.as_str()));
                    } else if let Some(to) = (2..).map(|number| name.numbered(number)).find(|to| !taken.contains(to)) {
                        plan.say(Fate::Added, what, format!("as {}, since the one here is another", to.as_str()));
                        taken.push(to.clone());
                        plan.steps.push(step(shelf, &name, &to));
                    }
                }
                document => beside(plan, shelf, &name, document, here)?,
            }
            continue;
        }
        let clash = name.item_number().filter(|number| known.iter().any(|other| other.item_number() == Some(*number)));
        let to = match (clash, &document) {
            (Some(number), Some(document)) if shelf == Shelf::Backlog => {
                if let Some(same) = with_text(here, shelf, &document.bytes)? {
                    plan.say(Fate::Left, what, format!("it is here as {}", same.as_str()));
                    continue;
                }
                last = last.saturating_add(1);
                let to = renumbered(&name, last);
                renamed.insert(name.as_str().to_owned(), to.as_str().to_owned());
                plan.say(Fate::Added, what, format!("as {}, since B-{number} is another item here", to.as_str()));
                to
            }
            (Some(_), None) => continue,
            _ => {
                let why = if document.is_some() { "" } else { "it was deleted there, and is under “Deleted” here" };
                plan.say(Fate::Added, what, why);
                name.clone()
            }
        };
        known.push(to.clone());
        plan.steps.push(step(shelf, &name, &to));
    }
    Ok(())
}

fn step(shelf: Shelf, from: &Name, to: &Name) -> Step {
    let (shelf, from, to) = (shelf.folder().to_owned(), from.as_str().to_owned(), to.as_str().to_owned());
    Step::Document { shelf, from, to }
}

/// Whether the document of that name here is another one, and never was this one.
fn is_another(here: &Library, shelf: Shelf, document: &Document) -> Result<bool, LibraryError> {
    match here.read(shelf, &document.name) {
        Ok(ours) if ours.bytes == document.bytes => Ok(false),
        Ok(_) => Ok(!was_here(here, shelf, &document.name, &document.bytes)?),
        Err(LibraryError::Missing | LibraryError::Unreadable(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Decides on a document whose name is known here.
fn beside(
    plan: &mut Plan,
    shelf: Shelf,
    name: &Name,
    document: Option<Document>,
    here: &Library,
) -> Result<(), LibraryError> {
    let what = words(shelf, name);
    let Some(document) = document else {
        plan.say(Fate::Left, what, "it was deleted there; here it stays as it is");
        return Ok(());
    };
    let ours = match here.read(shelf, name) {
        Ok(ours) => Some(ours),
        Err(LibraryError::Missing) => None,
        Err(LibraryError::Unreadable(_)) => {
            plan.say(Fate::Aside, what, "the file here cannot be read");
            plan.steps.push(Step::Aside { path: format!("{}/{}", shelf.folder(), name.file()) });
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let (fate, why) = match ours {
        Some(ours) if ours.bytes == document.bytes => (Fate::Left, "it is the same here"),
        Some(_) if was_here(here, shelf, name, &document.bytes)? => (Fate::Left, "here is a newer version of it"),
        Some(_) => (Fate::Changed, "as a new version; the present one stays in the history"),
        None => (Fate::Added, "it had been deleted here"),
    };
    plan.say(fate, what, why);
    if fate != Fate::Left {
        plan.steps.push(Step::Version { shelf: shelf.folder().to_owned(), name: name.as_str().to_owned() });
    }
    Ok(())
}

/// Puts a document of the export into its place, with its history; says `false` where something has
/// come to be in the way, and then the rest stays where it is.
///
/// # Errors
/// When the disk fails.
pub fn place(unpacked: &Folder, here: &Folder, shelf: Shelf, from: &Name, to: &Name) -> io::Result<bool> {
    let past = format!("{HISTORY}/{}/", shelf.folder());
    here.lock()?;
    let (from_past, to_past) = (format!("{past}{}", from.as_str()), format!("{past}{}", to.as_str()));
    let (from_file, to_file) = (from.file(), to.file());
    let shelf = shelf.folder();
    // The history first, so that no document is ever without it.
    for (from, to) in [(from_past, to_past), (format!("{shelf}/{from_file}"), format!("{shelf}/{to_file}"))] {
        let Some((folder, name)) = unpacked.way_to(&from)? else { continue };
        if folder.has(name)? {
            let (there, new_name) = here.make_way_to(&to)?;
            if !folder.move_to(name, &there, new_name)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Makes the export's text of a document its newest version.
///
/// # Errors
/// When the disk fails.
pub fn renew(unpacked: &Folder, here: &Folder, shelf: Shelf, name: &Name, by: &Signature) -> io::Result<()> {
    let Some(folder) = unpacked.enter(shelf.folder())? else { return Ok(()) };
    let Found::File(text) = folder.read(&name.file())? else { return Ok(()) };
    here.lock()?;
    let place = here.enter_or_make(shelf.folder())?;
    let past = here.enter_or_make(HISTORY)?.enter_or_make(shelf.folder())?.enter_or_make(name.as_str())?;
    let history = History::of(past);
    let present = match place.read(&name.file())? {
        Found::File(present) => Some(present),
        Found::Unreadable(_) | Found::Nothing => None,
    };
    if present.as_ref() == Some(&text) {
        return Ok(());
    }
    let newest = |bytes: &[u8]| Ok::<_, io::Error>(history.newest()?.filter(|(_, newest)| newest == bytes));
    let is_under_way = newest(&text)?.is_some_and(|(version, _)| version.change != Change::Deleted);
    if !is_under_way {
        if let Some(present) = &present
            && newest(present)?.is_none()
        {
            history.add(Change::Outside, "another program", by.at, present)?;
        }
        history.add(Change::Edited, &format!("{}, from an export", by.by), by.at, &text)?;
    }
    place.replace(&name.file(), &text)
}

fn words(shelf: Shelf, name: &Name) -> String {
    match name.item_number() {
        Some(number) => format!("{} B-{number} “{}”", shelf.noun(), name.as_title()),
        None => format!("{} “{}”", shelf.noun(), name.as_title()),
    }
}

/// Every name of a shelf, with its document unless it was deleted.
fn all(library: &Library, shelf: Shelf) -> Result<BTreeMap<Name, Option<Document>>, LibraryError> {
    let mut all = BTreeMap::new();
    for (document, _) in library.deleted(shelf)? {
        all.insert(document.name, None);
    }
    for entry in library.list(shelf)? {
        match entry {
            Entry::Document(document) => all.insert(document.name.clone(), Some(document)),
            Entry::Unreadable { name, .. } => all.insert(name, None),
        };
    }
    Ok(all)
}

fn names(library: &Library, shelf: Shelf) -> Result<Vec<Name>, LibraryError> {
    Ok(all(library, shelf)?.into_keys().collect())
}

fn with_text(library: &Library, shelf: Shelf, bytes: &[u8]) -> Result<Option<Name>, LibraryError> {
    let same = |entry| match entry {
        Entry::Document(document) if document.bytes == bytes => Some(document.name),
        _ => None,
    };
    Ok(library.list(shelf)?.into_iter().find_map(same))
}

fn was_here(library: &Library, shelf: Shelf, name: &Name, bytes: &[u8]) -> Result<bool, LibraryError> {
    for version in library.versions(shelf, name)? {
        if library.version(shelf, name, version.number)?.1.bytes == bytes {
            return Ok(true);
        }
    }
    Ok(false)
}

fn renumbered(name: &Name, number: u64) -> Name {
    let rest = name.as_str().splitn(3, '-').nth(2).unwrap_or("untitled");
    Name::from_title(rest, "untitled").of_item(number)
}
