//! What the pages about the backlog as a table, attachments and wireframes show.

use askama::Template;

use super::{Changed, Chrome, ItemCard};

/// `/backlog?view=table`
#[derive(Template)]
#[template(path = "table.html")]
pub struct TablePage {
    pub(crate) chrome: Chrome,
    pub(crate) heads: Vec<Head>,
    /// What is looked at, as in the address.
    pub(crate) query: String,
    pub(crate) words: String,
    pub(crate) vision: String,
    pub(crate) status: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) sort: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) is_all: bool,
    pub(crate) is_sorted: bool,
    /// Names and titles of the visions there are.
    pub(crate) visions: Vec<(String, String)>,
    pub(crate) statuses: Vec<&'static str>,
    pub(crate) priorities: Vec<&'static str>,
    /// How many items there are.
    pub(crate) all: usize,
    /// How many files cannot be understood.
    pub(crate) ailing: usize,
    /// What could not be done, if it is about no row that is shown.
    pub(crate) trouble: Option<String>,
    pub(crate) rows: Vec<TableRow>,
    pub(crate) results: Vec<ChangeResult>,
}

/// The head of a column.
pub struct Head {
    /// What is in it.
    pub title: &'static str,
    /// The table sorted by it.
    pub href: String,
    /// Which way it is sorted by it, if it is.
    pub direction: Option<&'static str>,
}

/// A row.
pub struct TableRow {
    /// The item.
    pub card: ItemCard,
    /// Which text it has.
    pub revision: String,
    /// What its box says when it is chosen.
    pub chosen: String,
    /// What came of saving it.
    pub said: Option<Said>,
}

/// What is said about a row.
pub struct Said {
    /// In words.
    pub text: String,
    /// Whether it was not saved.
    pub is_refusal: bool,
}

/// What came of a change to one of several rows.
pub struct ChangeResult {
    /// The item's address.
    pub href: String,
    /// Its number and title.
    pub title: String,
    /// Whether it was not saved.
    pub is_refusal: bool,
    /// In words.
    pub text: String,
}

/// What belongs to a document.
#[derive(Default)]
pub struct AttachmentsView {
    /// Where more is put.
    pub href: String,
    /// What is there.
    pub rows: Vec<AttachmentRow>,
    /// What was removed.
    pub removed: Vec<AttachmentRow>,
}

/// A file that belongs to a document.
pub struct AttachmentRow {
    /// Its address.
    pub href: String,
    /// Its name as in addresses.
    pub key: String,
    /// Its name.
    pub name: String,
    /// How large it is, in words.
    pub size: String,
    /// What it shows, if somebody told.
    pub about: String,
    /// The address of its picture, if it is one.
    pub picture: Option<String>,
    /// What it says, if it is drawn from words.
    pub words: Option<String>,
    /// Who put it there or removed it, and when.
    pub changed: Option<Changed>,
}

impl AttachmentRow {
    /// What is said to somebody who does not see the picture.
    pub(crate) fn description(&self) -> &str {
        if self.about.is_empty() { &self.name } else { &self.about }
    }
}
