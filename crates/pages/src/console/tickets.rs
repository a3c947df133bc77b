use askama::Template;
use domain::{TicketKind, TicketState};
use jiff::{SignedDuration, Timestamp};

use super::instances::Fact;
use crate::page::page;
use crate::shell::Shell;
use crate::tickets::{TicketEntry, for_support, kind_label, tone};
use crate::when;

/// What customers want of support. The filter asks `/admin/tickets` with `state`, `assignee` and `order`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/tickets.html")]
pub struct ConsoleTickets {
    /// What surrounds the page.
    pub shell: Shell,
    /// How support is doing.
    pub figures: TicketFigures,
    /// The tickets.
    pub tickets: Vec<ConsoleTicketRow>,
    /// What is looked at.
    pub filter: TicketFilter,
    /// Who can see to tickets.
    pub people: Vec<String>,
    /// Where older ones are.
    pub next: Option<String>,
}

/// Which tickets are looked at; empty words for all of them.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// A state, or `unfinished`.
    pub state: String,
    /// Who sees to them, or `nobody`.
    pub assignee: String,
    /// `waiting` for those first whose customers have waited longest.
    pub order: String,
}

/// How support is doing.
#[derive(Debug, Clone)]
pub struct TicketFigures {
    /// Tickets whose customers wait for us.
    pub open: u64,
    /// Tickets whose customers we wait for.
    pub waiting: u64,
    /// Since when who has waited longest waits.
    pub oldest: Option<Timestamp>,
    /// Over how many days the following is counted.
    pub days: i64,
    /// Tickets that were opened.
    pub opened: u64,
    /// The time to the first answer that half of them got sooner.
    pub median_first_answer: Option<SignedDuration>,
    /// How many said how content they are.
    pub ratings: u64,
    /// What they said on average, in tenths.
    pub average_tenths: Option<u64>,
}

/// One ticket in the list.
#[derive(Debug, Clone)]
pub struct ConsoleTicketRow {
    /// Its id.
    pub id: String,
    /// What it is about, in a line.
    pub subject: String,
    /// Who asked.
    pub requester: String,
    /// The instance that it is about, if it is about one.
    pub hostname: Option<String>,
    /// What kind it is.
    pub kind: TicketKind,
    /// Whose turn it is.
    pub state: TicketState,
    /// Who sees to it.
    pub assignee: Option<String>,
    /// Since when its customer waits for us.
    pub waiting_since: Option<Timestamp>,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// One ticket, as support reads it. Forms go to `<url>/answer`, `<url>/note`, `<url>/assign` and `<url>/close`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/ticket.html")]
pub struct ConsoleTicket {
    /// What surrounds the page.
    pub shell: Shell,
    /// The ticket.
    pub ticket: ConsoleTicketRow,
    /// What was known when it was opened, and what of it can be looked at now.
    pub facts: Vec<Fact>,
    /// When the facts were taken.
    pub facts_at: Timestamp,
    /// What was said, earliest first, notes among it.
    pub entries: Vec<TicketEntry>,
    /// What its customer said of the help.
    pub rating: Option<(u8, String)>,
    /// Whether the reader may answer.
    pub may_act: bool,
    /// The same form, sent twice, says it once.
    pub key: String,
    /// What stands in the answer's field: a canned answer, or what was refused.
    pub entered: String,
    /// Why it was refused.
    pub error: Option<String>,
    /// The answers that are kept: id and name.
    pub canned: Vec<(String, String)>,
    /// Who can see to it.
    pub people: Vec<String>,
    /// Who reads this.
    pub reader: String,
}

/// The answers that are given again and again. The form posts `name` and `text` to this very address.
#[derive(Debug, Clone, Template)]
#[template(path = "console/canned_answers.html")]
pub struct ConsoleCannedAnswers {
    /// What surrounds the page.
    pub shell: Shell,
    /// The answers, by name.
    pub answers: Vec<CannedAnswerRow>,
    /// Whether the reader may change them.
    pub may_act: bool,
    /// What was entered and refused.
    pub entered: CannedAnswerForm,
    /// Why.
    pub error: Option<String>,
}

/// An answer that is kept.
#[derive(Debug, Clone)]
pub struct CannedAnswerRow {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What was entered into the form.
#[derive(Debug, Clone, Default)]
pub struct CannedAnswerForm {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub text: String,
}

page!(ConsoleTickets, here: "/admin/tickets");
page!(ConsoleTicket, here: "/admin/tickets");
page!(ConsoleCannedAnswers, here: "/admin/tickets");

impl TicketFigures {
    fn first_answer(&self) -> String {
        let millis = self.median_first_answer.map(|took| u64::try_from(took.as_millis()).unwrap_or(0));
        millis.map_or_else(|| "–".to_owned(), when::duration)
    }

    fn satisfaction(&self) -> String {
        self.average_tenths.map_or_else(|| "–".to_owned(), |tenths| format!("{}.{} / 5", tenths / 10, tenths % 10))
    }
}

impl ConsoleTickets {
    fn states(&self) -> [(&'static str, &'static str); 6] {
        [
            ("unfinished", "Not done"),
            ("open", for_support(TicketState::Open)),
            ("waiting", for_support(TicketState::Waiting)),
            ("solved", for_support(TicketState::Solved)),
            ("closed", for_support(TicketState::Closed)),
            ("", "All"),
        ]
    }

    fn is_state(&self, word: &str) -> bool {
        self.filter.state == word
    }

    fn is_assignee(&self, word: &str) -> bool {
        self.filter.assignee == word
    }

    fn by_waiting(&self) -> bool {
        self.filter.order == "waiting"
    }
}

impl ConsoleTicketRow {
    fn state_label(&self) -> &'static str {
        for_support(self.state)
    }

    fn tone(&self) -> &'static str {
        tone(self.state)
    }

    fn kind_label(&self) -> &'static str {
        kind_label(self.kind)
    }
}

impl ConsoleTicket {
    fn is_closed(&self) -> bool {
        self.ticket.state == TicketState::Closed
    }

    fn is_assignee(&self, person: &str) -> bool {
        self.ticket.assignee.as_deref() == Some(person)
    }

    fn is_mine(&self) -> bool {
        self.is_assignee(&self.reader)
    }
}
