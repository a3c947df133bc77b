use askama::Template;
use domain::{AlertState, Severity};
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// What waits for an operator, newest first.
#[derive(Debug, Clone, Template)]
#[template(path = "console/alerts.html")]
pub struct ConsoleAlerts {
    /// What surrounds the page.
    pub shell: Shell,
    /// The alerts.
    pub alerts: Vec<AlertRow>,
    /// Whether those are shown that are over.
    pub resolved: bool,
    /// Whether the reader may do something about them.
    pub may_act: bool,
    /// Where older ones are.
    pub next: Option<String>,
}

/// One alert. Posts to `/admin/alerts/<id>/{acknowledge,silence,resolve}`.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// How much of a hurry there is.
    pub severity: Severity,
    /// What happened, in one line.
    pub what: String,
    /// Why, as it was recorded.
    pub why: String,
    /// Where it is seen to.
    pub url: String,
    /// The name of its runbook.
    pub runbook: String,
    /// How far it has come.
    pub state: AlertState,
    /// When it was seen first.
    pub first_seen_at: Timestamp,
    /// When it was seen last.
    pub last_seen_at: Timestamp,
    /// How often.
    pub seen: u32,
    /// Who took it up or silenced it.
    pub handled_by: Option<String>,
    /// What they said.
    pub note: Option<String>,
}

page!(ConsoleAlerts, here: "/admin/alerts");

impl AlertRow {
    fn severity_label(&self) -> &'static str {
        match self.severity {
            Severity::Notice => "Good to know",
            Severity::Warning => "Look at it today",
            Severity::Critical => "Look at it now",
        }
    }

    fn severity_tone(&self) -> &'static str {
        match self.severity {
            Severity::Notice => "off",
            Severity::Warning => "wait",
            Severity::Critical => "bad",
        }
    }

    fn state_label(&self) -> &'static str {
        match self.state {
            AlertState::Open => "Nobody looks after it",
            AlertState::Acknowledged => "Somebody looks after it",
            AlertState::Silenced { .. } => "Silenced",
            AlertState::Resolved { .. } => "Over",
        }
    }

    fn may_be_acknowledged(&self) -> bool {
        matches!(self.state, AlertState::Open | AlertState::Silenced { .. })
    }

    fn may_be_silenced(&self) -> bool {
        !self.state.is_over()
    }

    fn silent_until(&self) -> Option<Timestamp> {
        match self.state {
            AlertState::Silenced { until } => Some(until),
            _ => None,
        }
    }
}
