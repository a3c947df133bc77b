use askama::Template;
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// Whether support may enter a workspace, and the log of when it could and did. Forms go to `<url>/let-in` (fields
/// `hours` and `may_change`), `<url>/decline` and `<url>/end`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/support.html")]
pub struct SupportPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where this page is.
    pub url: String,
    /// Where to go back to.
    pub back_url: String,
    /// Whether the workspace is open, so that somebody could enter.
    pub is_open: bool,
    /// How it stands now.
    pub now: SupportNow,
    /// What was asked for and given, newest first.
    pub log: Vec<SupportRow>,
}

/// How support's access stands at this moment.
#[derive(Debug, Clone)]
pub enum SupportNow {
    /// Nobody asked, and nobody may enter.
    Shut,
    /// Support asks for leave.
    Asked {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Support may enter.
    LetIn {
        /// Until when.
        until: Timestamp,
        /// Whether it may do more than look.
        may_change: bool,
    },
}

/// One entry of the log, with the hours in which support was inside.
#[derive(Debug, Clone)]
pub struct SupportRow {
    /// When it began.
    pub at: Timestamp,
    /// What happened, in sentences.
    pub what: Vec<String>,
    /// Each hour in which somebody of support was inside, in a sentence.
    pub hours: Vec<String>,
}

page!(SupportPage, here: "/portal");
