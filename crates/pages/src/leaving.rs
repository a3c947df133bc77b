use askama::Template;
use domain::LeavingReason;

use crate::page::page;
use crate::shell::Shell;

/// What it means to give a workspace up, before and after it was done. Posts `confirmation` to `<portal_url>/cancel`,
/// with `reason` and `comment`, which may be empty, and nothing to `<portal_url>/cancel/undo` and `<portal_url>/export`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/leave.html")]
pub struct Leave {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Its subdomain, which has to be typed.
    pub subdomain: String,
    /// How far it has come.
    pub leaving: Leaving,
    /// What is still to be paid, while nobody asked for it.
    pub last_bill: Option<LastBillView>,
    /// What is charged once the customer is back, in a sentence.
    pub charged_again: String,
    /// Whether everything can be downloaded here, or what can be done instead.
    pub download: Download,
    /// Why somebody leaves, as they said it in a form that is shown again.
    pub why: WhyLeaving,
    /// Why the confirmation was refused.
    pub error: Option<String>,
    /// Where the workspace's page is; forms go below it.
    pub portal_url: String,
}

/// How far it has come with giving a workspace up. All days and moments are in words, such as `the end of
/// 30 November 2026`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    /// Nobody asked for it; this is what would happen.
    Possible {
        /// Until when it would run: `the end of 30 November 2026`.
        ends: String,
        /// Until when data would be kept.
        kept_until: String,
        /// The day on which its deletion would be announced.
        announced_on: String,
    },
    /// It runs out.
    RunningOut {
        /// Until when it runs.
        ends: String,
        /// Until when data is kept.
        kept_until: String,
        /// The day on which that was asked for.
        requested_on: String,
    },
    /// It ended, and data is kept.
    Ended {
        /// Until when.
        kept_until: String,
    },
}

/// Whether everything can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Download {
    /// As one archive.
    Possible,
    /// What can be done instead, in a sentence.
    Instead(String),
}

/// What is still to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastBillView {
    /// It ends within its trial.
    Free,
    /// One more invoice.
    Coming {
        /// What it charges so far, with amounts.
        lines: Vec<(String, String)>,
        /// What is to be paid of it, if the period ended now.
        due: String,
        /// The day on which it is made.
        made_on: String,
    },
    /// What is known stands under bills.
    UnderBills,
}

/// Why somebody leaves, who may say nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WhyLeaving {
    /// The reason that they chose.
    pub reason: Option<LeavingReason>,
    /// What they wrote beside it.
    pub comment: String,
}

page!(Leave, here: "/portal");

impl WhyLeaving {
    /// Each reason that can be chosen, and whether it is.
    pub(crate) fn choices(&self) -> [(LeavingReason, bool); 8] {
        LeavingReason::ALL.map(|reason| (reason, self.reason == Some(reason)))
    }
}
