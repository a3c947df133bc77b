//! Everything on the shelves at one moment, read and understood as far as it can be.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::front_matter::Problem;
use crate::history::{Change, Version};
use crate::item::Item;
use crate::library::{Document, Entry, Library, LibraryError, Revision};
use crate::markdown;
use crate::moment::Moment;
use crate::name::{Name, Shelf};
use crate::order::Order;
use crate::pages::{Ailing, Changed, ItemCard, VisionCard};
use crate::vision::Vision;

/// A document and what is known about it.
pub struct Shelved<T> {
    /// Its name.
    pub name: Name,
    /// Which text it has; none if it cannot be opened.
    pub revision: Option<Revision>,
    /// Its newest version and whether the file still has its text.
    pub newest: Option<(Version, bool)>,
    /// What it says, or what is wrong with it.
    pub content: Result<T, Problem>,
}

/// Both shelves.
pub struct Overview {
    /// The visions.
    pub visions: Vec<Shelved<Vision>>,
    /// The backlog items.
    pub items: Vec<Shelved<Item>>,
    misnamed: Vec<(Shelf, String)>,
}

impl Overview {
    /// Reads everything.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(library: &Library) -> Result<Self, LibraryError> {
        let mut visions = read_shelf(library, Shelf::Visions, Vision::parse)?;
        // What was worked on last is what a person looks for first.
        visions.sort_by_key(|vision| Reverse(vision.newest.as_ref().and_then(|(version, _)| version.at)));
        let mut items = read_shelf(library, Shelf::Backlog, Item::parse)?;
        // The most important first, then in the order they were thought of, unless somebody put them elsewhere.
        items.sort_by_key(|item| {
            let priority = item.content.as_ref().ok().map(|item| item.priority);
            (priority, item.name.item_number().unwrap_or(u64::MAX), item.name.clone())
        });
        let items = Order::read(library)?.arrange(items, |item| &item.name, follows);
        let mut misnamed = Vec::new();
        for shelf in Shelf::ALL {
            misnamed.extend(library.misnamed(shelf)?.into_iter().map(|name| (shelf, name)));
        }
        Ok(Self { visions, items, misnamed })
    }

    /// The visions that can be understood, as cards.
    #[must_use]
    pub fn vision_cards(&self, now: Timestamp) -> Vec<VisionCard> {
        let cards = self.visions.iter().filter_map(|shelved| {
            let vision = shelved.content.as_ref().ok()?;
            let items: Vec<&Item> =
                self.items_of(&shelved.name).filter_map(|item| item.content.as_ref().ok()).collect();
            Some(VisionCard {
                href: format!("/visions/{}", shelved.name.in_address()),
                title: vision.title.as_str().to_owned(),
                status: vision.status.word(),
                words: markdown::first_words(&vision.body),
                items: items.len(),
                done: items.iter().filter(|item| item.status.next().is_none()).count(),
                changed: changed(shelved.newest.as_ref(), now),
            })
        });
        cards.collect()
    }

    /// The items that belong to a vision.
    pub fn items_of<'a>(&'a self, vision: &'a Name) -> impl Iterator<Item = &'a Shelved<Item>> {
        self.items
            .iter()
            .filter(move |item| item.content.as_ref().is_ok_and(|item| item.vision.as_ref() == Some(vision)))
    }

    /// An item as a card, if it can be understood.
    #[must_use]
    pub fn item_card(&self, shelved: &Shelved<Item>, now: Timestamp) -> Option<ItemCard> {
        let item = shelved.content.as_ref().ok()?;
        Some(ItemCard {
            name: shelved.name.in_address(),
            href: format!("/backlog/{}", shelved.name.in_address()),
            id: shelved.name.item_number().map(|number| format!("B-{number}")),
            title: item.title.as_str().to_owned(),
            status: item.status.word(),
            priority: item.priority.word(),
            estimate: item.estimate.map(|estimate| estimate.points()),
            met: item.met(),
            criteria: item.criteria.len(),
            vision: item.vision.as_ref().map(|name| self.vision_title(name)),
            former: item.status.former().map(|status| status.word()),
            next: item.status.next().map(|status| status.word()),
            changed: changed(shelved.newest.as_ref(), now),
        })
    }

    /// Names and titles of the visions, for choosing one.
    #[must_use]
    pub fn vision_choices(&self) -> Vec<(String, String)> {
        let names = self.visions.iter().map(|shelved| &shelved.name);
        names.map(|name| (name.as_str().to_owned(), self.vision_title(name))).collect()
    }

    /// Whether there is a vision of that name.
    #[must_use]
    pub fn has_vision(&self, name: &Name) -> bool {
        self.visions.iter().any(|shelved| shelved.name == *name)
    }

    /// The files that cannot be understood.
    #[must_use]
    pub fn ailing(&self) -> Vec<Ailing> {
        let visions = self.visions.iter().filter_map(|shelved| ailing(Shelf::Visions, shelved));
        let items = self.items.iter().filter_map(|shelved| ailing(Shelf::Backlog, shelved));
        let misnamed = self.misnamed.iter().map(|(shelf, name)| Ailing {
            file: format!("{}/{name}", shelf.folder()),
            href: None,
            why: "It cannot be opened under this name. Give the file a name of letters, digits and dashes.".to_owned(),
        });
        visions.chain(items).chain(misnamed).collect()
    }

    /// The last change of all.
    #[must_use]
    pub fn changed(&self, now: Timestamp) -> Option<Changed> {
        let visions = self.visions.iter().filter_map(|shelved| shelved.newest.as_ref());
        let all = visions.chain(self.items.iter().filter_map(|shelved| shelved.newest.as_ref()));
        changed(all.max_by_key(|(version, _)| version.at), now)
    }

    /// What a vision is called, also one that is not there.
    #[must_use]
    pub fn vision_title(&self, name: &Name) -> String {
        let vision = self.visions.iter().find(|shelved| shelved.name == *name);
        match vision.map(|shelved| &shelved.content) {
            Some(Ok(vision)) => vision.title.as_str().to_owned(),
            Some(Err(_)) => name.as_title(),
            None => format!("{} (not there)", name.as_str()),
        }
    }
}

/// Whether an item that nobody has put anywhere comes behind another: in its column, behind what matters as much.
fn follows(item: &Shelved<Item>, other: &Shelved<Item>) -> bool {
    match (&item.content, &other.content) {
        (Ok(item), Ok(other)) => item.status == other.status && other.priority <= item.priority,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Who changed a document last, as far as its newest version and its file tell.
#[must_use]
pub fn changed(newest: Option<&(Version, bool)>, now: Timestamp) -> Option<Changed> {
    match newest {
        Some((version, true)) => Some(changed_by(version, now)),
        Some((_, false)) => Some(Changed { by: "another program".to_owned(), moment: None }),
        None => None,
    }
}

/// Who made a version, and when.
#[must_use]
pub fn changed_by(version: &Version, now: Timestamp) -> Changed {
    Changed { by: version.by.clone(), moment: version.at.map(|at| Moment::new(at, now)) }
}

/// What was done, in a few words.
#[must_use]
pub fn deed(change: Change) -> String {
    match change {
        Change::Created => "Created".to_owned(),
        Change::Edited => "Edited".to_owned(),
        Change::Deleted => "Deleted".to_owned(),
        Change::Restored(0) => "Brought back".to_owned(),
        Change::Restored(number) => format!("Version {number} brought back"),
        Change::Outside => "Changed outside the notebook".to_owned(),
    }
}

fn read_shelf<T>(
    library: &Library,
    shelf: Shelf,
    parse: impl Fn(&Name, &str) -> Result<T, Problem>,
) -> Result<Vec<Shelved<T>>, LibraryError> {
    let entries = library.list(shelf)?.into_iter().map(|entry| match entry {
        Entry::Document(document) => shelved(library, shelf, &document, &parse),
        Entry::Unreadable { name, why } => {
            Ok(Shelved { name, revision: None, newest: None, content: Err(Problem(why)) })
        }
    });
    entries.collect()
}

fn shelved<T>(
    library: &Library,
    shelf: Shelf,
    document: &Document,
    parse: impl Fn(&Name, &str) -> Result<T, Problem>,
) -> Result<Shelved<T>, LibraryError> {
    Ok(Shelved {
        name: document.name.clone(),
        revision: Some(document.revision()),
        newest: library.newest(shelf, document)?,
        content: understand(document, parse),
    })
}

/// What a document says; bytes that are no text cannot be edited field by field without losing them.
///
/// # Errors
/// [`Problem`] says what is wrong with it.
pub fn understand<T>(document: &Document, parse: impl Fn(&Name, &str) -> Result<T, Problem>) -> Result<T, Problem> {
    parse(&document.name, document.exact_text()?)
}

fn ailing<T>(shelf: Shelf, shelved: &Shelved<T>) -> Option<Ailing> {
    let problem = shelved.content.as_ref().err()?;
    let folder = shelf.folder();
    let href = shelved.revision.as_ref().map(|_| format!("/{folder}/{}/file", shelved.name.in_address()));
    Some(Ailing { file: format!("{folder}/{}", shelved.name.file()), href, why: problem.to_string() })
}
