use askama::Template;
use jiff::Timestamp;

use crate::invoice::InvoiceView;
use crate::page::page;
use crate::shell::Shell;

/// One invoice, for those who see to it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/invoice.html")]
pub struct ConsoleInvoice {
    /// What surrounds the page.
    pub shell: Shell,
    /// The invoice.
    pub invoice: InvoiceView,
    /// Where it is. Forms below it: `POST <invoice_url>/payments` (`amount`, `reference`, `on`), `POST
    /// <invoice_url>/credits` (`amount`, `reason`, `reference`), `POST <invoice_url>/pause` and
    /// `POST <invoice_url>/unpause`; `GET <invoice_url>/write-off` shows [`ConfirmWriteOff`].
    pub invoice_url: String,
    /// Where it is as PDF.
    pub pdf_url: String,
    /// For whom.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// How far reminding has come, while anything is owed.
    pub dunning: Option<DunningView>,
    /// Where a form asks for another charge of the card; none where nobody is charged, or nothing is owed.
    pub charge_url: Option<String>,
    /// Where [`ConfirmRefund`] is; none where nothing can be given back, or the reader may not.
    pub refund_url: Option<String>,
    /// What happened to it, newest first.
    pub history: Vec<HistoryRow>,
    /// The form for a payment.
    pub payment: PaymentForm,
    /// The form for a credit.
    pub credit: CreditForm,
    /// Whether the reader may change anything.
    pub may_change: bool,
}

/// How far reminding has come.
#[derive(Debug, Clone)]
pub struct DunningView {
    /// The present, in a sentence.
    pub now: String,
    /// What comes next, in a sentence, and when; none while it is paused.
    pub next: Option<(String, Timestamp)>,
    /// Whether the operator paused it.
    pub paused: bool,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// When.
    pub at: Timestamp,
    /// What, in words with its amount.
    pub what: String,
    /// Who did it.
    pub by: String,
}

/// What was entered for a payment.
#[derive(Debug, Clone, Default)]
pub struct PaymentForm {
    /// How much; at first what is owed.
    pub amount: String,
    /// As it stands on the bank's statement.
    pub reference: String,
    /// The day it arrived, as `2026-12-09`; at first today.
    pub on: String,
    /// Why it was refused.
    pub error: Option<String>,
}

/// What was entered for a credit.
#[derive(Debug, Clone, Default)]
pub struct CreditForm {
    /// How much.
    pub amount: String,
    /// Why; the customer reads it.
    pub reason: String,
    /// Names this credit, so that a form sent twice gives it once; sent with the form.
    pub reference: String,
    /// Why it was refused.
    pub error: Option<String>,
}

/// Asks whether an invoice shall really be written off. Posts `reason` and `confirmation` to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/confirm_write_off.html")]
pub struct ConfirmWriteOff {
    /// What surrounds the page.
    pub shell: Shell,
    /// The invoice's number, which has to be typed.
    pub number: String,
    /// For whom.
    pub customer: String,
    /// What is owed of it, formatted.
    pub open: String,
    /// What was entered as reason when it was refused.
    pub reason: String,
    /// Why it was refused.
    pub error: Option<String>,
    /// Where the form goes.
    pub action: String,
    /// Where to go back to.
    pub back_url: String,
}

/// Asks how much of an invoice is given back, why, and whether really. Posts `amount`, `reason`, `reference` and
/// `confirmation` to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/confirm_refund.html")]
pub struct ConfirmRefund {
    /// What surrounds the page.
    pub shell: Shell,
    /// The invoice's number, which has to be typed.
    pub number: String,
    /// For whom.
    pub customer: String,
    /// How much can be given back, formatted.
    pub most: String,
    /// Whether the card gets it; otherwise somebody has to send it.
    pub to_card: bool,
    /// What was entered as amount; at first all that can be given back.
    pub amount: String,
    /// What was entered as reason.
    pub reason: String,
    /// Names this refund, so that a form sent twice gives it once; sent with the form.
    pub reference: String,
    /// Why it was refused.
    pub error: Option<String>,
    /// Where the form goes.
    pub action: String,
    /// Where to go back to.
    pub back_url: String,
}

page!(ConfirmRefund, here: "/admin/money");
page!(ConsoleInvoice, here: "/admin/money");
page!(ConfirmWriteOff, here: "/admin/money");
