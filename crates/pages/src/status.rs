use askama::Template;
use domain::{Impact, IncidentState};
use jiff::Timestamp;

use crate::health::UptimeView;
use crate::page::{page, written};
use crate::shell::Shell;

/// Public status: how all of it is doing, what was wrong, and how to hear of it; names no customer.
#[derive(Debug, Clone, Template)]
#[template(path = "site/status.html")]
pub struct Status {
    /// What surrounds the page.
    pub shell: Shell,
    /// The parts of the service, as they were last seen.
    pub components: Vec<ComponentRow>,
    /// What is wrong at this moment, newest first.
    pub open: Vec<IncidentView>,
    /// What was wrong within 90 days, newest first.
    pub past: Vec<IncidentView>,
    /// The counts, or `None` when nothing was observed yet.
    pub counts: Option<StatusCounts>,
    /// How much of the time workspaces answered, all together.
    pub uptime: UptimeView,
    /// What was entered into the form when it was refused.
    pub entered: String,
    /// Why it was refused.
    pub error: Option<String>,
}

/// One part of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRow {
    /// What it is.
    pub name: String,
    /// How it is.
    pub condition: Condition,
    /// More about it, such as a provider's own words.
    pub note: Option<String>,
    /// When it was seen to be so; none where nobody looked yet.
    pub observed_at: Option<Timestamp>,
}

/// How a part of the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It works.
    Fine,
    /// Nobody looked lately enough to say.
    Unknown,
    /// Some of it does not work as it should.
    Degraded,
    /// It does not work.
    Broken,
}

/// An incident as visitors read it.
#[derive(Debug, Clone)]
pub struct IncidentView {
    /// Its id, which is also its place on the page.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// How many notice it.
    pub impact: Impact,
    /// Which parts of the service it is about.
    pub components: Vec<String>,
    /// How far it has come.
    pub state: IncidentState,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// What was said, latest first.
    pub updates: Vec<UpdateView>,
}

/// What was said of an incident at a moment.
#[derive(Debug, Clone)]
pub struct UpdateView {
    /// How far it had come.
    pub state: IncidentState,
    /// What was known.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// How many workspaces were last seen how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusCounts {
    /// Answering, be it slowly, or asleep until somebody comes.
    pub answering: u32,
    /// Being made or started.
    pub starting: u32,
    /// Not answering.
    pub not_answering: u32,
    /// Not observed, or not lately enough to say.
    pub unknown: u32,
    /// When they were looked at.
    pub observed_at: Timestamp,
}

/// A word on a subscription, with a button where something is still to be done.
#[derive(Debug, Clone, Template)]
#[template(path = "site/subscription.html")]
pub struct Subscription {
    /// What surrounds the page.
    pub shell: Shell,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// A button: its words, and where it posts to.
    pub action: Option<(String, String)>,
}

/// The same news as a feed (Atom, RFC 4287).
#[derive(Debug, Clone, Template)]
#[template(path = "site/feed.xml")]
pub struct StatusFeed {
    /// What is sold here.
    pub product: String,
    /// Where the status page is.
    pub url: String,
    /// Where this feed is.
    pub feed_url: String,
    /// When something of it changed last.
    pub updated_at: Timestamp,
    /// The incidents, newest first.
    pub incidents: Vec<IncidentView>,
}

page!(Status, here: "/status");
page!(Subscription, here: "/status");

impl Subscription {
    /// Where one goes on from there: words and address.
    fn onward(&self) -> (&'static str, &'static str) {
        ("To the status page", "/status")
    }
}

impl StatusFeed {
    /// The feed as XML, complete.
    pub fn render(&self) -> String {
        written(Template::render(self))
    }
}

/// How far an incident has come, in words.
pub(crate) fn state_label(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Investigating => "Being looked into",
        IncidentState::Identified => "Cause known",
        IncidentState::Monitoring => "Put right, being watched",
        IncidentState::Resolved => "Over",
    }
}

/// How many notice it, in words.
pub(crate) fn impact_label(impact: Impact) -> &'static str {
    match impact {
        Impact::Minor => "Few notice it",
        Impact::Major => "Many notice it",
        Impact::Critical => "Nothing works",
    }
}

impl Condition {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Fine => "Works",
            Self::Unknown => "Unknown",
            Self::Degraded => "Some trouble",
            Self::Broken => "Does not work",
        }
    }

    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::Fine => "good",
            Self::Unknown => "off",
            Self::Degraded => "wait",
            Self::Broken => "bad",
        }
    }
}

impl Status {
    /// What is said about the whole, in one sentence, and its colour. Never better than its worst part.
    fn verdict(&self) -> (&'static str, &'static str) {
        match self.components.iter().map(|row| row.condition).max() {
            None | Some(Condition::Unknown) => ("off", "Not all of it was looked at yet"),
            Some(Condition::Fine) => ("good", "All of it works"),
            Some(Condition::Degraded) => ("wait", "Some of it has trouble"),
            Some(Condition::Broken) => ("bad", "Some of it does not work"),
        }
    }
}

impl IncidentView {
    pub(crate) fn impact_label(&self) -> &'static str {
        impact_label(self.impact)
    }

    pub(crate) fn tone(&self) -> &'static str {
        match (self.state, self.impact) {
            (IncidentState::Resolved, _) => "good",
            (_, Impact::Minor) => "wait",
            (_, Impact::Major | Impact::Critical) => "bad",
        }
    }

    pub(crate) fn state_label(&self) -> &'static str {
        state_label(self.state)
    }

    pub(crate) fn about(&self) -> String {
        self.components.join(", ")
    }

    fn changed_at(&self) -> Timestamp {
        self.updates.first().map_or(self.opened_at, |update| update.at)
    }
}

impl UpdateView {
    pub(crate) fn state_label(&self) -> &'static str {
        state_label(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_never_called_better_than_its_worst_part() {
        let ordered = [Condition::Fine, Condition::Unknown, Condition::Degraded, Condition::Broken];
        assert!(ordered.is_sorted());
        for worst in ordered {
            let rows = [Condition::Fine, worst].map(|condition| ComponentRow {
                name: "Site".to_owned(),
                condition,
                note: None,
                observed_at: None,
            });
            let page = Status {
                shell: Shell::new("Status", "AI-DIY", Timestamp::UNIX_EPOCH),
                components: rows.to_vec(),
                open: Vec::new(),
                past: Vec::new(),
                counts: None,
                uptime: UptimeView { rows: Vec::new(), days: Vec::new() },
                entered: String::new(),
                error: None,
            };
            assert_eq!(page.verdict().0, worst.tone());
        }
    }
}
