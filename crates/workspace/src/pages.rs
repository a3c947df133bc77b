//! What each page shows, ready to be drawn. Templates decide nothing but how it looks.

pub mod backlog;
pub mod chats;
pub mod import;
pub mod made;
pub mod meetings;
pub mod projects;
pub mod review;
pub mod settings;
pub mod sprints;

use askama::Template;
use backlog::AttachmentsView;

use crate::assets;
use crate::comparison::Line;
use crate::criteria::Criterion;
use crate::members::{Right, Standing};
use crate::moment::Moment;
use crate::settings::Theme;
use crate::surroundings::{self, AppAround};
use crate::visitor::Visitor;
use crate::web::backlog::ItemForm;
use crate::web::saving::Setback;
use crate::web::visions::VisionForm;

/// What is around every page.
pub struct Chrome {
    user: Option<String>,
    theme: Theme,
    is_rehearsal: bool,
    standing: Standing,
    app: AppAround,
    style: String,
    script: String,
    icon: String,
}

impl Chrome {
    /// For a person.
    #[must_use]
    pub fn of(visitor: &Visitor) -> Self {
        let user = match visitor {
            Visitor::You => None,
            Visitor::Member(email) => Some(email.clone()),
        };
        Self { user, ..Self::nameless() }
    }

    /// For whoever it is.
    #[must_use]
    pub fn nameless() -> Self {
        let around = surroundings::now();
        Self {
            user: None,
            theme: around.theme,
            is_rehearsal: around.is_rehearsal,
            standing: around.standing,
            app: around.app,
            style: assets::address("style.css"),
            script: assets::address("script.js"),
            icon: assets::address("icon.svg"),
        }
    }

    /// Whether the visitor may change documents and meetings.
    #[must_use]
    pub fn may_edit(&self) -> bool {
        Right::Edit.is_of(self.standing)
    }

    /// Whether the visitor may change settings and members.
    #[must_use]
    pub fn may_own(&self) -> bool {
        Right::Own.is_of(self.standing)
    }

    /// The theme that the page insists on, if it does.
    fn forced_theme(&self) -> Option<&'static str> {
        Some(self.theme).filter(|theme| *theme != Theme::Device).map(Theme::word)
    }

    /// The address of an asset.
    fn asset(&self, name: &str) -> String {
        assets::address(name)
    }
}

/// Who changed something last, and when if that is known.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Who, in a sentence.
    pub by: String,
    /// When.
    pub moment: Option<Moment>,
}

/// A document's place: its addresses and its file.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its address.
    pub href: String,
    /// Its file, relative to the data folder.
    pub file: String,
    /// What it is called in a sentence.
    pub noun: &'static str,
    /// Which text it has.
    pub revision: String,
}

/// A vision in a list.
pub struct VisionCard {
    /// Its address.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Its status.
    pub status: &'static str,
    /// How it begins.
    pub words: String,
    /// How many backlog items belong to it.
    pub items: usize,
    /// How many of them are done.
    pub done: usize,
    /// Its last change.
    pub changed: Option<Changed>,
}

impl VisionCard {
    fn progress(&self) -> usize {
        (self.done * 100).checked_div(self.items).unwrap_or(0)
    }
}

/// A backlog item in a list.
pub struct ItemCard {
    /// Its name, as in addresses.
    pub name: String,
    /// Its address.
    pub href: String,
    /// Its number, `B-12`.
    pub id: Option<String>,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub status: &'static str,
    /// How much it matters.
    pub priority: &'static str,
    /// Its points.
    pub estimate: Option<u16>,
    /// How many of its criteria are met.
    pub met: usize,
    /// How many criteria it has.
    pub criteria: usize,
    /// The title of its vision.
    pub vision: Option<String>,
    /// The status it can move back to.
    pub former: Option<&'static str>,
    /// The status it can move on to.
    pub next: Option<&'static str>,
    /// Its last change.
    pub changed: Option<Changed>,
}

/// One column of the board.
pub struct Column {
    /// The status.
    pub word: &'static str,
    /// What it means.
    pub hint: &'static str,
    /// What is in it.
    pub cards: Vec<ItemCard>,
    /// The sum of their points.
    pub points: u32,
}

/// A file that could not be understood.
pub struct Ailing {
    /// The file, relative to the data folder.
    pub file: String,
    /// Where it can be mended, if it can be opened.
    pub href: Option<String>,
    /// What is wrong.
    pub why: String,
}

/// `/`
#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub(crate) chrome: Chrome,
    pub(crate) flash: Option<String>,
    pub(crate) visions: Vec<VisionCard>,
    pub(crate) columns: Vec<Column>,
    pub(crate) ailing: Vec<Ailing>,
    pub(crate) items: usize,
    pub(crate) changed: Option<Changed>,
}

/// `/visions/{name}`
#[derive(Template)]
#[template(path = "vision.html")]
pub struct VisionPage {
    pub(crate) chrome: Chrome,
    pub(crate) files: AttachmentsView,
    pub(crate) flash: Option<String>,
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) status: &'static str,
    pub(crate) html: String,
    pub(crate) changed: Option<Changed>,
    pub(crate) items: Vec<ItemCard>,
}

/// `/backlog/{name}`
#[derive(Template)]
#[template(path = "item.html")]
pub struct ItemPage {
    pub(crate) chrome: Chrome,
    pub(crate) files: AttachmentsView,
    pub(crate) flash: Option<String>,
    pub(crate) place: Place,
    pub(crate) card: ItemCard,
    pub(crate) statuses: Vec<&'static str>,
    pub(crate) vision_href: Option<String>,
    pub(crate) html: String,
    pub(crate) criteria: Vec<Criterion>,
}

/// A vision's form, for a new one or an old one.
#[derive(Template)]
#[template(path = "vision_form.html")]
pub struct VisionFormPage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Option<Place>,
    pub(crate) form: VisionForm,
    pub(crate) setback: Option<Setback>,
}

/// An item's form, for a new one or an old one.
#[derive(Template)]
#[template(path = "item_form.html")]
pub struct ItemFormPage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Option<Place>,
    pub(crate) form: ItemForm,
    /// Names and titles of the visions there are.
    pub(crate) visions: Vec<(String, String)>,
    pub(crate) setback: Option<Setback>,
}

/// A file's own text.
#[derive(Template)]
#[template(path = "file.html")]
pub struct FilePage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Place,
    pub(crate) text: String,
    pub(crate) based_on: String,
    pub(crate) problem: Option<String>,
    pub(crate) damaged: bool,
    pub(crate) setback: Option<Setback>,
}

/// Asks before something is deleted.
#[derive(Template)]
#[template(path = "deletion.html")]
pub struct DeletionPage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Place,
    pub(crate) title: String,
}

/// A version in a list.
pub struct VersionRow {
    /// Its number.
    pub number: u32,
    /// What was done, in a few words.
    pub change: String,
    /// By whom and when.
    pub changed: Changed,
}

/// `…/history`
#[derive(Template)]
#[template(path = "history.html")]
pub struct HistoryPage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Place,
    pub(crate) title: String,
    pub(crate) versions: Vec<VersionRow>,
    /// Whether the file has a text that no version has.
    pub(crate) unsaved: bool,
    pub(crate) deleted: bool,
}

/// `…/history/{number}`
#[derive(Template)]
#[template(path = "version.html")]
pub struct VersionPage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Place,
    pub(crate) title: String,
    pub(crate) version: VersionRow,
    pub(crate) text: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) before: Option<u32>,
    /// Whether this is the text that the document has now.
    pub(crate) current: bool,
    pub(crate) deleted: bool,
}

/// `…/history/comparison`
#[derive(Template)]
#[template(path = "comparison.html")]
pub struct ComparisonPage {
    pub(crate) chrome: Chrome,
    pub(crate) place: Place,
    pub(crate) title: String,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) lines: Vec<Line>,
}

/// `/deleted`
#[derive(Template)]
#[template(path = "deleted.html")]
pub struct DeletedPage {
    pub(crate) chrome: Chrome,
    pub(crate) rows: Vec<DeletedRow>,
}

/// Something deleted.
pub struct DeletedRow {
    /// Its addresses and file.
    pub place: Place,
    /// Its title, or its name if it cannot be understood.
    pub title: String,
    /// The version that holds its last text.
    pub number: u32,
    /// Who deleted it and when.
    pub changed: Changed,
}

/// Says no.
#[derive(Template)]
#[template(path = "refusal.html")]
pub struct RefusalPage<'a> {
    pub(crate) chrome: Chrome,
    pub(crate) title: &'static str,
    pub(crate) text: &'a str,
}

impl ItemFormPage {
    fn names_an_absent_vision(&self) -> bool {
        !self.form.vision.is_empty() && self.visions.iter().all(|(name, _)| *name != self.form.vision)
    }
}
