use askama::Template;
use domain::{TicketKind, TicketState, TicketVoice};
use jiff::Timestamp;

use crate::book::BookHit;
use crate::page::page;
use crate::shell::Shell;

/// What a customer asked support, newest first.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/tickets.html")]
pub struct PortalTickets {
    /// What surrounds the page.
    pub shell: Shell,
    /// The tickets.
    pub tickets: Vec<TicketRow>,
    /// Where older ones are.
    pub next: Option<String>,
}

/// One ticket in the customer's list.
#[derive(Debug, Clone)]
pub struct TicketRow {
    /// Where it is shown.
    pub url: String,
    /// What it is about, in a line.
    pub subject: String,
    /// Whose turn it is.
    pub state: TicketState,
    /// The workspace that it is about, if it is about one.
    pub hostname: Option<String>,
    /// When something was said or done last.
    pub changed_at: Timestamp,
}

/// The form for asking support, in two steps: what it is about, and then, beside what the documentation says of that, the
/// message. The first step asks this very address with `instance`, `kind` and `subject`; the second posts all, with files, to
/// `/portal/tickets`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/new_ticket.html")]
pub struct NewTicketPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspaces that it can be about: name and hostname.
    pub instances: Vec<(String, String)>,
    /// What was entered so far.
    pub values: TicketValues,
    /// In the second step, what the documentation says of it.
    pub answers: Option<Vec<BookHit>>,
    /// Why what was entered was refused.
    pub error: Option<String>,
}

/// What was entered into the form.
#[derive(Debug, Clone)]
pub struct TicketValues {
    /// The same form, sent twice, opens one ticket.
    pub key: String,
    /// Name of the workspace; empty for none.
    pub instance: String,
    /// What kind it is.
    pub kind: TicketKind,
    /// What it is about, in a line.
    pub subject: String,
    /// What was written.
    pub text: String,
}

/// One ticket, as its customer reads it. Posts `key`, `text` and `files` to `<url>/messages`, and to `<url>/solved`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/ticket.html")]
pub struct PortalTicket {
    /// What surrounds the page.
    pub shell: Shell,
    /// Where this page is.
    pub url: String,
    /// What it is about, in a line.
    pub subject: String,
    /// Whose turn it is.
    pub state: TicketState,
    /// The workspace that it is about, if it is about one.
    pub hostname: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What was said, earliest first.
    pub entries: Vec<TicketEntry>,
    /// The same form, sent twice, says it once.
    pub key: String,
    /// What was entered and refused.
    pub entered: String,
    /// Why.
    pub error: Option<String>,
    /// The question how content they are, once it is over.
    pub rating: Option<RatingForm>,
}

/// What was said at a moment.
#[derive(Debug, Clone)]
pub struct TicketEntry {
    /// Who speaks.
    pub voice: TicketVoice,
    /// What they are called.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// What they say.
    pub text: String,
    /// What that repeats of what was said before.
    pub quoted: Option<String>,
    /// The files that came with it.
    pub files: Vec<TicketFile>,
}

/// A file that came with what was said.
#[derive(Debug, Clone)]
pub struct TicketFile {
    /// What it is called.
    pub name: String,
    /// Where it is saved from.
    pub url: String,
    /// How large it is, in bytes.
    pub size: u64,
}

/// The question how content somebody is. Posts `score` and `comment` to its address.
#[derive(Debug, Clone)]
pub struct RatingForm {
    /// Where the answer goes.
    pub url: String,
    /// What was chosen.
    pub chosen: Option<u8>,
    /// What was added to it.
    pub comment: String,
}

/// The question, for whoever follows the link in a mail: nobody has to sign in.
#[derive(Debug, Clone, Template)]
#[template(path = "site/rating.html")]
pub struct RatingPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The ticket that is asked about.
    pub subject: String,
    /// The question.
    pub form: RatingForm,
    /// Whether it was just answered.
    pub is_answered: bool,
    /// Why the answer was refused.
    pub error: Option<String>,
}

page!(PortalTickets, here: "/portal/tickets");
page!(NewTicketPage, here: "/portal/tickets");
page!(PortalTicket, here: "/portal/tickets");
page!(RatingPage, here: "");

impl TicketRow {
    fn state_label(&self) -> &'static str {
        for_customer(self.state)
    }

    fn tone(&self) -> &'static str {
        tone(self.state)
    }
}

impl NewTicketPage {
    fn kinds(&self) -> [(&'static str, &'static str); 4] {
        TicketKind::ALL.map(|kind| (kind.as_str(), kind_label(kind)))
    }

    fn is_kind(&self, word: &str) -> bool {
        self.values.kind.as_str() == word
    }

    fn kind_word(&self) -> &'static str {
        self.values.kind.as_str()
    }

    fn kind_label(&self) -> &'static str {
        kind_label(self.values.kind)
    }

    /// The hostname of the workspace that was chosen.
    fn about(&self) -> Option<&str> {
        let chosen = self.instances.iter().find(|(name, _)| *name == self.values.instance);
        chosen.map(|(_, hostname)| hostname.as_str())
    }
}

impl PortalTicket {
    fn state_label(&self) -> &'static str {
        for_customer(self.state)
    }

    fn tone(&self) -> &'static str {
        tone(self.state)
    }

    fn is_closed(&self) -> bool {
        self.state == TicketState::Closed
    }
}

impl TicketEntry {
    pub(crate) fn class(&self) -> &'static str {
        self.voice.as_str()
    }

    pub(crate) fn is_note(&self) -> bool {
        self.voice == TicketVoice::Note
    }
}

impl TicketFile {
    pub(crate) fn size_in_words(&self) -> String {
        match self.size {
            ..1_024 => format!("{} bytes", self.size),
            1_024..1_048_576 => format!("{} KB", self.size / 1_024),
            _ => format!("{}.{} MB", self.size / 1_048_576, self.size % 1_048_576 * 10 / 1_048_576),
        }
    }
}

impl RatingForm {
    pub(crate) fn scores(&self) -> [(u8, &'static str); 5] {
        [(5, "5: very content"), (4, "4"), (3, "3: so-so"), (2, "2"), (1, "1: not at all")]
    }

    pub(crate) fn is_chosen(&self, score: &u8) -> bool {
        self.chosen == Some(*score)
    }
}

/// The state, for whoever asked.
const fn for_customer(state: TicketState) -> &'static str {
    match state {
        TicketState::Open => "We are on it",
        TicketState::Waiting => "Your turn",
        TicketState::Solved => "Solved",
        TicketState::Closed => "Closed",
    }
}

/// The state, for whoever answers.
pub(crate) const fn for_support(state: TicketState) -> &'static str {
    match state {
        TicketState::Open => "Waits for us",
        TicketState::Waiting => "Waits for the customer",
        TicketState::Solved => "Solved",
        TicketState::Closed => "Closed",
    }
}

pub(crate) const fn tone(state: TicketState) -> &'static str {
    match state {
        TicketState::Open => "wait",
        TicketState::Waiting | TicketState::Closed => "off",
        TicketState::Solved => "good",
    }
}

pub(crate) const fn kind_label(kind: TicketKind) -> &'static str {
    match kind {
        TicketKind::Question => "A question",
        TicketKind::Problem => "Something does not work",
        TicketKind::Billing => "A bill or a payment",
        TicketKind::Idea => "An idea",
    }
}
