use askama::Template;
use domain::{Cents, Month, UsageHour};
use jiff::{Timestamp, civil::Date};

use crate::bills::InvoiceRow;
use crate::calendar;
use crate::page::page;
use crate::shell::Shell;

/// What came in, what is owed, and what waits for a decision.
#[derive(Debug, Clone, Template)]
#[template(path = "console/money.html")]
pub struct ConsoleMoney {
    /// What surrounds the page.
    pub shell: Shell,
    /// The month that is running.
    pub month: Month,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// The sums.
    pub figures: MoneyFigures,
    /// Hours that customers contest, oldest first. Each is answered by a form: `POST <action>` with `decision`, which
    /// is `accept` or `refuse`, and `answer`.
    pub contests: Vec<ContestRow>,
    /// Payments that failed and were not made since, newest first; none where nobody is charged by itself.
    pub failed: Option<Vec<FailedPaymentRow>>,
    /// Payments that banks question: open ones the oldest first, then those that ended lately; none where nobody is
    /// charged by itself.
    pub disputes: Option<Vec<DisputeRow>>,
    /// Where the payment provider says something else than the books; none where nobody is charged by itself.
    pub differences: Option<Vec<DifferenceRow>>,
    /// Invoices that are late, latest first.
    pub overdue: Vec<OverdueRow>,
    /// Credits given this month, newest first.
    pub credits: Vec<CreditRow>,
    /// The last days on which invoices were issued, newest first.
    pub issued: Vec<IssuedRow>,
    /// Where the dry run of the month to be closed next is.
    pub close_url: String,
}

/// The sums at the top, in the currency of the page.
#[derive(Debug, Clone, Copy)]
pub struct MoneyFigures {
    /// Invoiced this month, with taxes.
    pub invoiced: Cents,
    /// The same for the month before.
    pub invoiced_before: Cents,
    /// Paid this month.
    pub received: Cents,
    /// All that is owed.
    pub receivable: Cents,
    /// The part of it that is late.
    pub overdue: Cents,
}

/// An hour that a customer contests.
#[derive(Debug, Clone)]
pub struct ContestRow {
    /// The hour.
    pub hour: UsageHour,
    /// Whose.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// The instance's hostname.
    pub hostname: String,
    /// What shows that it was used, in words.
    pub evidence: String,
    /// Why it is contested.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// What it was billed at, before taxes; none where it was not billed yet.
    pub worth: Option<Cents>,
    /// Where the answer goes.
    pub action: String,
}

/// A payment that failed.
#[derive(Debug, Clone)]
pub struct FailedPaymentRow {
    /// Whose.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// The number of the invoice.
    pub number: String,
    /// Where that is shown.
    pub invoice_url: String,
    /// How much.
    pub amount: Cents,
    /// Why, as the processor says it.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// What comes next, in words with its day.
    pub next: String,
}

/// A payment that a bank questions.
#[derive(Debug, Clone)]
pub struct DisputeRow {
    /// Whose; none where nobody here knows the payment.
    pub customer: Option<String>,
    /// Where that customer is shown.
    pub customer_url: String,
    /// The number of the invoice; none where nobody here knows it.
    pub number: Option<String>,
    /// Where that is shown.
    pub invoice_url: String,
    /// How much is questioned, in its own currency.
    pub amount: String,
    /// Why, in words.
    pub reason: String,
    /// Where it stands, in words.
    pub standing: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when evidence is taken; none once it is over.
    pub due: Option<Timestamp>,
    /// What to do next, in a sentence.
    pub next: String,
    /// What the provider charges for it, if it says so.
    pub fee: Option<String>,
    /// Where it is in the provider's dashboard.
    pub url: String,
}

/// The payment provider says something else of an invoice than the books.
#[derive(Debug, Clone)]
pub struct DifferenceRow {
    /// The number of the invoice.
    pub number: String,
    /// Where that is shown; none where nobody here knows it.
    pub invoice_url: Option<String>,
    /// What differs, in a sentence.
    pub reason: String,
    /// Open in the books.
    pub ours: Cents,
    /// Open, or paid, there.
    pub theirs: Cents,
    /// Since when it is seen.
    pub since: Timestamp,
}

/// An invoice that is late.
#[derive(Debug, Clone)]
pub struct OverdueRow {
    /// Whose.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// The number of the invoice.
    pub number: String,
    /// Where that is shown.
    pub invoice_url: String,
    /// How much is owed of it.
    pub open: Cents,
    /// Since when it is late.
    pub due: Date,
    /// How far reminding has come and what comes next, in words.
    pub dunning: String,
}

/// A credit that somebody gave.
#[derive(Debug, Clone)]
pub struct CreditRow {
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// How much.
    pub amount: Cents,
    /// Why.
    pub reason: String,
    /// Who gave it.
    pub by: String,
}

/// A day on which invoices were issued.
#[derive(Debug, Clone)]
pub struct IssuedRow {
    /// Which.
    pub day: Date,
    /// How many.
    pub invoices: u64,
    /// What they come to.
    pub total: Cents,
}

/// Invoices, newest first, of one state or all.
#[derive(Debug, Clone, Template)]
#[template(path = "console/invoices.html")]
pub struct ConsoleInvoices {
    /// What surrounds the page.
    pub shell: Shell,
    /// Which are shown: `open`, `overdue`, `paid` or `written_off`; all, when empty.
    pub state: String,
    /// The invoices.
    pub invoices: Vec<ConsoleInvoiceRow>,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// One invoice in a list.
#[derive(Debug, Clone)]
pub struct ConsoleInvoiceRow {
    /// What the customer is shown as well.
    pub invoice: InvoiceRow,
    /// Of its amounts; ISO 4217, lower case.
    pub currency: String,
    /// Whose.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
}

page!(ConsoleMoney, here: "/admin/money");
page!(ConsoleInvoices, here: "/admin/money");

impl ConsoleMoney {
    fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }

    fn month_in_words(&self) -> String {
        calendar::month_in_words(self.month)
    }
}

impl ContestRow {
    fn label(&self) -> String {
        calendar::hour_in_words(self.hour)
    }
}

impl ConsoleInvoices {
    fn choices(&self) -> [(&'static str, &'static str); 5] {
        [("", "All"), ("open", "To be paid"), ("overdue", "Overdue"), ("paid", "Paid"), ("written_off", "Written off")]
    }

    fn is_chosen(&self, state: &str) -> bool {
        self.state == state
    }
}

impl ConsoleInvoiceRow {
    fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }
}
