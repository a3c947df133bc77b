//! One hour of a workspace, with what shows that it was used.

use askama::Template;
use domain::{Signal, UsageHour};
use jiff::Timestamp;

use crate::calendar;
use crate::page::page;
use crate::shell::Shell;

/// One hour: what shows that it was used, whether it is charged, and the way to contest it.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/hour.html")]
pub struct HourPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where its bills are.
    pub bills_url: String,
    /// The hour.
    pub hour: UsageHour,
    /// Whether it is charged.
    pub charge: HourCharge,
    /// What shows that it was used, earliest first.
    pub evidence: Vec<Sighting>,
    /// Where a contest of it stands.
    pub contest: Contest,
    /// Where the form that contests it goes (field `reason`).
    pub contest_action: String,
}

/// Whether an hour is charged, and where.
#[derive(Debug, Clone)]
pub enum HourCharge {
    /// It will stand on the next invoice.
    Coming {
        /// What it costs, before taxes.
        price: String,
    },
    /// It stands on an invoice.
    Billed {
        /// What it cost, before taxes.
        price: String,
        /// The number of the invoice.
        number: String,
        /// Where that is.
        url: String,
    },
    /// It costs nothing, for a reason given in a sentence.
    Free(String),
    /// It was waived before it was billed.
    Waived,
    /// It was waived after it was billed, and credited.
    Credited {
        /// The number of the invoice that billed it.
        number: String,
        /// Where that is.
        url: String,
    },
    /// It was not used.
    Unused,
}

/// One thing that was seen within an hour.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// What was seen.
    pub signal: Signal,
    /// Whose doing it was, where that is known.
    pub who: Option<String>,
    /// Who saw it.
    pub seen_by: SeenBy,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How often.
    pub count: u32,
}

/// Who sees that something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenBy {
    /// The guard in front of the workspace.
    Guard,
    /// The application in it.
    Application,
    /// The provider of the machine.
    Compute,
    /// The edge, where people sign in.
    Edge,
}

/// Where a contest of an hour stands.
#[derive(Debug, Clone)]
pub enum Contest {
    /// It can be contested.
    Possible {
        /// What was entered when it was refused.
        reason: String,
        /// Why it was refused.
        error: Option<String>,
    },
    /// It can't, for a reason given in a sentence.
    Impossible(String),
    /// The operator has not answered yet.
    Waiting {
        /// Why the customer contests it.
        reason: String,
        /// Since when.
        at: Timestamp,
    },
    /// The operator agreed.
    Accepted {
        /// Why the customer contested it.
        reason: String,
        /// What the operator answered.
        answer: String,
        /// When.
        at: Timestamp,
    },
    /// The operator did not agree.
    Refused {
        /// Why the customer contested it.
        reason: String,
        /// What the operator answered.
        answer: String,
        /// When.
        at: Timestamp,
    },
}

page!(HourPage, here: "/portal");

impl HourPage {
    fn label(&self) -> String {
        calendar::hour_in_words(self.hour)
    }

    fn start(&self) -> Timestamp {
        self.hour.start()
    }

    fn names_somebody(&self) -> bool {
        self.evidence.iter().any(|seen| seen.who.is_some())
    }
}

impl Sighting {
    /// With a capital, as it begins a sentence.
    fn what(&self) -> String {
        let words = self.signal.in_words();
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    fn first_clock(&self) -> String {
        calendar::clock(self.first)
    }

    fn last_clock(&self) -> String {
        calendar::clock(self.last)
    }

    fn happened_once(&self) -> bool {
        self.count <= 1
    }
}

impl SeenBy {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Guard => "the guard in front of your workspace, which sees every request to it",
            Self::Application => "the workspace itself",
            Self::Compute => {
                "the provider of the machine, which knows whether your workspace was up; that alone is never charged"
            }
            Self::Edge => "the sign-in, which knows who came; that alone is never charged",
        }
    }
}
