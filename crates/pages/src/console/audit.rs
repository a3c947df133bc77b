use askama::Template;
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// Every change, newest first.
#[derive(Debug, Clone, Template)]
#[template(path = "console/audit.html")]
pub struct ConsoleAudit {
    /// What surrounds the page.
    pub shell: Shell,
    /// The entries.
    pub entries: Vec<AuditRow>,
    /// Where older ones are.
    pub next: Option<String>,
}

/// One change.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Who: an address, a token's name, or `system`.
    pub who: String,
    /// What was done, such as `member.removed`.
    pub what: String,
    /// To what.
    pub subject: String,
    /// Where that is shown.
    pub subject_url: Option<String>,
    /// More about it.
    pub details: String,
}

page!(ConsoleAudit, here: "/admin/audit");
