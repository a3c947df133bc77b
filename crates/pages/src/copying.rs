use askama::Template;
use domain::{Cents, Plan};
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// Orders a copy of a workspace. Posts `subdomain`, `backup` and `key` to `<portal_url>/copies`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/copy.html")]
pub struct CopyWorkspace {
    /// What surrounds the page.
    pub shell: Shell,
    /// The hostname of the workspace that is copied.
    pub hostname: String,
    /// What follows the subdomain in an address; no leading dot.
    pub base_domain: String,
    /// What the copy costs.
    pub plan: Plan,
    /// On whose page the card for it is entered, such as `Stripe`; `None` where none is asked for again.
    pub card_entered_at: Option<String>,
    /// The backups that it can begin with, newest first.
    pub backups: Vec<CopySource>,
    /// Names the order, so that sending it twice makes one copy.
    pub key: String,
    /// The name that was entered.
    pub entered: String,
    /// Why it was refused.
    pub error: Option<String>,
    /// Why nothing can be copied here; the form is left out then.
    pub instead: Option<String>,
    /// Where the workspace's page is.
    pub portal_url: String,
}

/// A backup that a copy can begin with.
#[derive(Debug, Clone)]
pub struct CopySource {
    /// What is sent.
    pub id: String,
    /// As of when it is.
    pub at: Timestamp,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

page!(CopyWorkspace, here: "/portal");

impl CopyWorkspace {
    fn price(&self, amount: &Cents) -> String {
        self.plan.price(*amount)
    }
}
