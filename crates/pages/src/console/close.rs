use askama::Template;
use domain::{Cents, Month};
use jiff::Timestamp;

use crate::calendar;
use crate::page::page;
use crate::shell::Shell;

/// A month's close before it is done: every invoice that would be issued. `POST <action>` with the fields `month` and
/// `digest` closes the month as it is shown here.
#[derive(Debug, Clone, Template)]
#[template(path = "console/close.html")]
pub struct ConsoleClose {
    /// What surrounds the page.
    pub shell: Shell,
    /// The month.
    pub month: Month,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// Whether it can be closed.
    pub state: CloseState,
    /// How many invoices there are, on this page and others.
    pub invoices: usize,
    /// What they come to.
    pub sum: Cents,
    /// What those of the month before came to; none when there were none.
    pub sum_before: Option<Cents>,
    /// The invoices, those that changed most first.
    pub rows: Vec<CloseInvoiceRow>,
    /// Where the next ones are.
    pub next: Option<String>,
    /// What changed since the form was shown before, where that is why nothing was done.
    pub error: Option<String>,
    /// Names what is shown, so that nothing else is closed.
    pub digest: String,
    /// Where the form goes.
    pub action: String,
}

/// Whether a month can be closed.
#[derive(Debug, Clone)]
pub enum CloseState {
    /// It is not over, or reports for it may still come.
    TooEarly {
        /// When it can be closed.
        from: Timestamp,
    },
    /// It can be closed now.
    Ready,
    /// It is being closed.
    UnderWay {
        /// Where that can be watched.
        url: String,
    },
    /// It is over, and nothing is left to be invoiced.
    Done,
}

/// An invoice that would be issued.
#[derive(Debug, Clone)]
pub struct CloseInvoiceRow {
    /// For whom.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// The instance's hostname.
    pub hostname: String,
    /// Hours that it charges.
    pub hours: u32,
    /// Its total.
    pub total: Cents,
    /// The total of the one before; none for a first one.
    pub before: Option<Cents>,
    /// What is not usual about it, in words: `3 late hours`, `1 hour credited`, `first invoice`.
    pub remarks: Vec<String>,
    /// Why it can't be computed; nothing is issued then.
    pub problem: Option<String>,
}

page!(ConsoleClose, here: "/admin/money");

impl ConsoleClose {
    fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }

    fn month_in_words(&self) -> String {
        calendar::month_in_words(self.month)
    }

    fn is_ready(&self) -> bool {
        matches!(self.state, CloseState::Ready)
    }

    fn change(&self, now: &Cents, before: &Option<Cents>) -> String {
        let Some(change) = before.and_then(|before| now.checked_sub(before)) else { return "new".to_owned() };
        match change {
            Cents::ZERO => "same".to_owned(),
            more if more > Cents::ZERO => format!("+{}", self.price(&more)),
            less => self.price(&less),
        }
    }
}
