use askama::Template;
use domain::{Cents, Month};
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// What was spent to win customers. Posts `key`, `month`, `amount` and `purpose` to `/admin/analytics/spend`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/spend.html")]
pub struct ConsoleSpend {
    /// What surrounds the page.
    pub shell: Shell,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// Whether who looks may enter something and take it back.
    pub may_act: bool,
    /// What is in the form.
    pub form: SpendForm,
    /// Why what was entered is refused.
    pub error: Option<String>,
    /// The latest month first.
    pub entries: Vec<SpendRow>,
}

/// What was entered, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct SpendForm {
    /// Names the entry, so that sending it twice makes one.
    pub key: String,
    /// `2026-11`.
    pub month: String,
    /// `12.50`.
    pub amount: String,
    /// For what.
    pub purpose: String,
}

/// An entry.
#[derive(Debug, Clone)]
pub struct SpendRow {
    /// For which month it counts.
    pub month: Month,
    /// How much.
    pub amount: Cents,
    /// For what.
    pub purpose: String,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When and by whom it was taken back.
    pub taken_back: Option<(Timestamp, String)>,
    /// Where it is taken back.
    pub take_back_url: String,
}

page!(ConsoleSpend, here: "/admin/analytics");

impl ConsoleSpend {
    fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }

    /// Before or behind the field, as the currency is written.
    fn sign(&self) -> String {
        self.currency.to_ascii_uppercase()
    }
}
