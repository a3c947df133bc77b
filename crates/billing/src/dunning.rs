//! What happens when an invoice is not paid, step by step, until it is paid or everything is gone.
//!
//! ```text
//! current ─▶ retrying ⇄ charging ─▶ reminded ─▶ grace ─▶ suspended ─▶ cancelled ─▶ deletion announced ─▶ deleted
//!    ▲          │          │           │          │          │            │               │
//!    └──────────┴──────────┴───────────┴── paid ──┴──────────┴────────────┴───────────────┘
//! ```
//!
//! [`Dunning::next`] knows an answer for every event in every state; one that has no meaning there changes nothing, so
//! telling an event twice does no harm. Each step waits its own time *from the moment at which it was taken*, so a
//! server that slept for a month takes one step when it wakes and not all of them, and nobody's data is deleted before
//! the notice of it has run its full time. While the operator pauses it, or a bank settles a dispute, time does not
//! pass and no mail leaves.
//!
//! Paying restores at every point before deletion. **Deleted** is the end: there is nothing left to restore, and money
//! that still arrives is the ledger's business, which owes it to the customer. That somebody gives an instance up is no
//! part of this: see [`crate::Cancellation`].

mod policy;
mod state;

pub use policy::{Policy, PolicyError};
pub use state::{Clock, Dunning, Hold, Impossible, Next, Stage};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What can happen to somebody who owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The processor could not charge the invoice; told while it is owed.
    ChargeFailed,
    /// The due date of an invoice that nobody charges has passed; told while it is owed.
    Overdue,
    /// All that is owed was paid.
    Paid,
    /// A due date may have come.
    TimePassed,
    /// The operator wants this customer left alone.
    PausedByOperator,
    /// The operator lets it go on.
    Unpaused,
    /// A bank questions a payment; told for the first of several.
    DisputeOpened,
    /// The payment stands; told for the last of several.
    DisputeWon,
    /// The payment was returned and is owed again; told for the last of several.
    DisputeLost,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ChargeFailed,
        Self::Overdue,
        Self::Paid,
        Self::TimePassed,
        Self::PausedByOperator,
        Self::Unpaused,
        Self::DisputeOpened,
        Self::DisputeWon,
        Self::DisputeLost,
    ];
}

/// What is to be done about it. Each may be done twice without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Charge what is owed again. [`Event::Paid`] or [`Event::ChargeFailed`] answers it.
    RetryCharge,
    /// Send a mail.
    SendReminder(Reminder),
    /// Refuse entry, with a page that explains and takes the payment. Data is kept.
    Suspend,
    /// End the contract: nothing more is charged. Data is kept.
    Cancel,
    /// Tell by mail when everything will be deleted, and how to prevent it.
    AnnounceDeletion {
        /// Not before this moment.
        at: Timestamp,
    },
    /// Delete the instance and its data.
    Delete,
    /// Let people in again, and take back a cancellation.
    Restore,
}

/// Which mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminder {
    /// The card was refused.
    ChargeFailed,
    /// The invoice is still not paid.
    Overdue {
        /// Counted from 1.
        number: u8,
    },
    /// The last one before entry is refused.
    BeforeSuspension,
    /// Entry is refused from now on.
    Suspended,
    /// The contract has ended.
    Cancelled,
}

impl Reminder {
    /// What it says, in one sentence.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::ChargeFailed => "Your payment did not go through; we will try again by ourselves.",
            Self::Overdue { .. } => "Your invoice is still not paid; please pay it, or tell us what is wrong with it.",
            Self::BeforeSuspension => "Your workspace will be closed soon, because an invoice is not paid.",
            Self::Suspended => "Your workspace is closed until the invoice is paid; your data is kept.",
            Self::Cancelled => "Your contract has ended; your data is kept for now, and paying opens everything again.",
        }
    }
}
