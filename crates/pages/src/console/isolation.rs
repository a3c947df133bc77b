use askama::Template;
use jiff::Timestamp;

use crate::isolation::IsolationStanding;
use crate::page::page;
use crate::shell::Shell;

/// Whether instances are walled off from each other, as far as that was tried.
#[derive(Debug, Clone, Template)]
#[template(path = "console/isolation.html")]
pub struct ConsoleIsolation {
    /// What surrounds the page.
    pub shell: Shell,
    /// How many instances are open.
    pub open: u64,
    /// How many of them were proven once.
    pub proven: u64,
    /// When the one was proven for which that is longest ago.
    pub oldest: Option<Timestamp>,
    /// The latest rounds, newest first.
    pub rounds: Vec<IsolationRoundRow>,
}

/// One round, in a list or above its own page.
#[derive(Debug, Clone)]
pub struct IsolationRoundRow {
    /// Where its page is.
    pub url: String,
    /// What was tried: `3 instances`, or a hostname.
    pub what: String,
    /// Who asked for it.
    pub by: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Attempts that were refused.
    pub refused: u64,
    /// Attempts that were not.
    pub admitted: u64,
    /// Attempts that were not made, or say nothing.
    pub not_tried: u64,
    /// How many instances it proves.
    pub proven: u64,
    /// How many it tries.
    pub tried: u64,
}

/// All that one round says.
#[derive(Debug, Clone, Template)]
#[template(path = "console/isolation_round.html")]
pub struct ConsoleIsolationRound {
    /// What surrounds the page.
    pub shell: Shell,
    /// Its sums.
    pub round: IsolationRoundRow,
    /// Why attempts were not made, in words, with how many.
    pub not_tried: Vec<(String, u64)>,
    /// What can't be tried here, and what was left to later rounds; in sentences.
    pub limits: Vec<String>,
    /// What was no refusal, in sentences.
    pub entrances: Vec<String>,
    /// The instances that were tried.
    pub places: Vec<IsolationPlaceRow>,
    /// Where the workflow is.
    pub workflow_url: String,
}

/// What a round says of one instance.
#[derive(Debug, Clone)]
pub struct IsolationPlaceRow {
    /// Its hostname.
    pub hostname: String,
    /// Where its page is.
    pub url: String,
    /// Where it stands.
    pub standing: IsolationStanding,
    /// Attempts that were refused.
    pub refused: u64,
    /// Attempts that were not made, or say nothing.
    pub not_tried: u64,
    /// Why it is not proven; empty when it is.
    pub why: String,
}

page!(ConsoleIsolation, here: "/admin/isolation");
page!(ConsoleIsolationRound, here: "/admin/isolation");

impl IsolationRoundRow {
    fn tone(&self) -> &'static str {
        match () {
            () if self.admitted > 0 => "bad",
            () if self.ended_at.is_none() => "wait",
            () if self.proven == 0 => "off",
            () => "good",
        }
    }

    fn label(&self) -> String {
        match () {
            () if self.admitted > 0 => format!("{} got in", self.admitted),
            () if self.ended_at.is_none() => "Under way".to_owned(),
            () => format!("{} of {} proven", self.proven, self.tried),
        }
    }
}
