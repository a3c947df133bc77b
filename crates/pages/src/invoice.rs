//! An invoice as people read it, for whichever page shows it.

use domain::Cents;
use jiff::civil::Date;

/// An invoice, with what has been paid of it so far.
#[derive(Debug, Clone)]
pub struct InvoiceView {
    /// As it stands on the invoice.
    pub number: String,
    /// Whether anything is left to be done about it.
    pub standing: Standing,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// The workspace that is paid for, as its people call it.
    pub workspace: String,
    /// What the base fee is for, in words.
    pub period: String,
    /// The day it bears.
    pub issued: Date,
    /// The day by which it is to be paid.
    pub due: Date,
    /// Who sells.
    pub seller: PartyView,
    /// Who buys.
    pub buyer: PartyView,
    /// Base fee first, then hours, then late hours.
    pub lines: Vec<InvoiceLine>,
    /// The sum of the lines.
    pub subtotal: Cents,
    /// What coupons took off it, as positive amounts.
    pub discounts: Vec<AmountRow>,
    /// What is left: the amount that taxes are of.
    pub net: Cents,
    /// Each tax, with its rate in words.
    pub taxes: Vec<AmountRow>,
    /// Why no tax is charged, where that is so.
    pub tax_exempt: Option<String>,
    /// Net and taxes.
    pub total: Cents,
    /// What was taken of the customer's credit, as a positive amount.
    pub credit_applied: Cents,
    /// What went to the customer's credit with it, for hours waived after they had been billed.
    pub credits: Vec<AmountRow>,
    /// What was paid since, earliest first.
    pub payments: Vec<PaymentRow>,
    /// What else there is to know about the payments, a sentence or two each.
    pub notes: Vec<String>,
    /// What is still to be paid now.
    pub open: Cents,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To be paid, and not late.
    Open,
    /// Nothing is left to be paid.
    Paid,
    /// To be paid, and late.
    Overdue,
    /// Taken back: nobody owes it.
    Void,
    /// The operator no longer expects it to be paid.
    WrittenOff,
}

/// A seller or buyer.
#[derive(Debug, Clone)]
pub struct PartyView {
    /// Of the person or company.
    pub name: String,
    /// Line by line.
    pub address: Vec<String>,
    /// The number under which they are known to the tax office.
    pub tax_id: Option<String>,
}

/// One line: so many times a price.
#[derive(Debug, Clone)]
pub struct InvoiceLine {
    /// What is charged.
    pub what: String,
    /// How many; none for a fee, which is charged once.
    pub quantity: Option<u32>,
    /// Each.
    pub unit: Cents,
    /// All.
    pub amount: Cents,
}

/// An amount with what it is.
#[derive(Debug, Clone)]
pub struct AmountRow {
    /// What it is, in words.
    pub what: String,
    /// How much.
    pub amount: Cents,
}

/// A payment.
#[derive(Debug, Clone)]
pub struct PaymentRow {
    /// When it arrived.
    pub on: Date,
    /// How, in words: `Card ending in 4242`, `Bank transfer, reference 2026-11-0018`.
    pub how: String,
    /// How much; below nothing where it went back.
    pub amount: Cents,
}

impl PaymentRow {
    pub(crate) fn what(&self) -> &'static str {
        if self.amount < Cents::ZERO { "Went back" } else { "Paid" }
    }
}

/// What there is to do about an amount that is open.
#[derive(Debug, Clone)]
pub enum HowToPay {
    /// Nothing: it is paid, void or was never anything.
    Nothing,
    /// Nothing yet: it will be charged; a sentence says to what and when.
    Automatic(String),
    /// By bank; a paragraph each.
    Transfer(Vec<String>),
    /// On a page that takes the payment.
    Online {
        /// Where that page is opened, by a form.
        url: String,
        /// Why it has to be done by hand, where there is something to say.
        because: Option<String>,
    },
}

impl InvoiceView {
    pub(crate) fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }

    /// What is taken off. No amount on an invoice is so large that it could not be said.
    pub(crate) fn less(&self, amount: &Cents) -> String {
        self.price(&Cents::ZERO.checked_sub(*amount).unwrap_or(*amount))
    }

    /// Whether the sum of the lines differs from the total, so that it has to be shown.
    pub(crate) fn adds_up(&self) -> bool {
        !self.discounts.is_empty() || !self.taxes.is_empty()
    }

    pub(crate) fn takes_credit(&self) -> bool {
        self.credit_applied != Cents::ZERO
    }

    pub(crate) fn owes(&self) -> bool {
        self.open != Cents::ZERO
    }
}

impl Standing {
    /// In a word or two.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "To be paid",
            Self::Paid => "Paid",
            Self::Overdue => "Overdue",
            Self::Void => "Void",
            Self::WrittenOff => "Written off",
        }
    }

    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Open => "wait",
            Self::Paid => "good",
            Self::Overdue => "bad",
            Self::Void | Self::WrittenOff => "off",
        }
    }
}

/// `1 December 2026`.
pub(crate) fn day(date: &Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}
