//! Issued invoices. What one says never changes; how much of it is paid follows from the customer's book.

pub(crate) mod store;

use billing::Period;
use domain::{Cents, CustomerId, InstanceId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// An issued invoice, as lists show it.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub number: String,
    pub customer: CustomerId,
    pub instance: InstanceId,
    pub period: Period,
    pub issued: Date,
    pub due: Date,
    pub currency: String,
    pub total: Cents,
    /// The total less credit.
    pub amount_due: Cents,
    /// What is still to be paid.
    pub outstanding: Cents,
    /// What nobody waits for any more.
    pub written_off: Cents,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvoiceState {
    Open,
    Overdue,
    Paid,
    WrittenOff,
}

impl InvoiceState {
    pub(crate) const ALL: [Self; 4] = [Self::Open, Self::Overdue, Self::Paid, Self::WrittenOff];

    /// The word that is sent.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Paid => "paid",
            Self::WrittenOff => "written_off",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Issued {
    /// Where it stands on a day. On its last day it is not overdue yet.
    pub(crate) fn state(&self, today: Date) -> InvoiceState {
        if self.outstanding > Cents::ZERO {
            return if self.due < today { InvoiceState::Overdue } else { InvoiceState::Open };
        }
        if self.written_off > Cents::ZERO { InvoiceState::WrittenOff } else { InvoiceState::Paid }
    }
}

/// The day of a moment, UTC.
pub(crate) fn day_of(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}
