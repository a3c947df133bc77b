//! The page on which an export is brought in.

use askama::Template;

use crate::pages::{Changed, Chrome};

/// `/import`
#[derive(Template)]
#[template(path = "import.html")]
pub struct ImportPage {
    pub(crate) chrome: Chrome,
    pub(crate) flash: Option<&'static str>,
    /// Why the last thing that was sent is not taken.
    pub(crate) trouble: Option<String>,
    pub(crate) view: ImportView,
    /// The largest archive, in MiB.
    pub(crate) most: u64,
    pub(crate) past: Vec<PastImport>,
}

/// Where an export on its way stands.
pub enum ImportView {
    /// None is on its way.
    Nothing,
    /// One waits for a click.
    Ready {
        /// Who sent it, and when.
        sent: Changed,
        /// How many files it holds.
        files: usize,
        /// What would become of them.
        fates: Vec<FateRows>,
        /// Which plan is shown.
        seen: String,
    },
    /// One was begun and is not in place whole.
    BrokenOff(Changed),
}

/// Parts of an export that share a fate.
pub struct FateRows {
    /// The fate, in a word or two.
    pub title: &'static str,
    /// What that means.
    pub hint: &'static str,
    /// What, and why where that needs saying.
    pub rows: Vec<(String, String)>,
}

/// An export that was brought in.
pub struct PastImport {
    /// By whom, and when.
    pub changed: Changed,
    /// What became of it.
    pub fates: Vec<FateRows>,
    /// The folder with what had no place of its own.
    pub aside: Option<String>,
}
