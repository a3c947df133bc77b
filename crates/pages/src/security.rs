use askama::Template;
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// What keeps customers apart, and what was last seen of it.
#[derive(Debug, Clone, Template)]
#[template(path = "site/security.html")]
pub struct Security {
    /// What surrounds the page.
    pub shell: Shell,
    /// The last round of the isolation prover that ended.
    pub walls: Option<Walls>,
    /// When a backup was last restored that then answered.
    pub restore: Option<Timestamp>,
    /// Whether backups are kept here at all.
    pub backs_up: bool,
}

/// What a round of attempts came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walls {
    /// Attempts that were refused, and whose refusal was signed.
    pub refused: u64,
    /// Attempts that were not.
    pub got_in: u64,
    /// Workspaces at which every attempt was refused.
    pub proven: u64,
    /// Workspaces at which it was tried.
    pub tried: u64,
    /// Workspaces that there were.
    pub of: u64,
    /// When it was over.
    pub ended_at: Timestamp,
}

page!(Security, here: "/security");

impl Walls {
    pub(crate) const fn is_sample(self) -> bool {
        self.tried < self.of
    }

    pub(crate) const fn in_words(self) -> &'static str {
        match (self.got_in, self.refused) {
            (0, 0) => "Nothing could be tried",
            (0, _) => "Every attempt was refused",
            _ => "Somebody got in, and we are at work on it",
        }
    }
}
