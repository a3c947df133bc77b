//! What becomes of money after it came: a bank questions it, or it goes back.

use domain::Cents;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A payment that a customer's bank questions, as the provider tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The provider's id of it.
    pub id: String,
    /// The provider's id of the payment.
    pub payment: Option<String>,
    /// What is questioned.
    pub amount: Cents,
    /// `USD`, `eur`: in any case.
    pub currency: String,
    /// The network's word for why.
    pub reason: String,
    /// Where it stands.
    pub state: DisputeState,
    /// What was taken from our account for it, whether or not it was returned.
    pub taken: Cents,
    /// What of that was returned.
    pub returned: Cents,
    /// What the provider charges for it, as far as it says.
    pub fee: Cents,
    /// The currency of the fee: the account's, not the customer's.
    pub fee_currency: String,
    /// When it began.
    pub opened_at: Timestamp,
    /// Until when evidence is taken.
    pub evidence_due: Option<Timestamp>,
    /// Where an operator answers it.
    pub url: String,
}

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank only asks. Nothing is taken.
    Inquiry,
    /// The money is taken, and evidence is waited for.
    NeedsResponse,
    /// The bank looks at the evidence.
    UnderReview,
    /// The payment stands.
    Won,
    /// The bank keeps the money.
    Lost,
    /// It ended without any money being taken.
    Closed,
}

impl DisputeState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Inquiry, Self::NeedsResponse, Self::UnderReview, Self::Won, Self::Lost, Self::Closed];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Closed => "closed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the bank has decided.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Won | Self::Lost | Self::Closed)
    }
}

/// What the provider gave back of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repayment {
    /// The provider's id of it.
    pub id: String,
    /// The provider's id of the payment.
    pub payment: Option<String>,
    /// How much.
    pub amount: Cents,
    /// `USD`, `eur`: in any case.
    pub currency: String,
    /// How far it is.
    pub state: RepaymentState,
    /// When it was begun.
    pub at: Timestamp,
    /// Our name for it, where we asked for it; it is known only where one payment is looked at.
    pub reference: Option<String>,
}

/// How far a repayment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepaymentState {
    /// It has not left yet.
    UnderWay,
    /// It went.
    Done,
    /// It came back, or never left.
    Failed,
}

impl RepaymentState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnderWay => "under_way",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// All that went back of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repayments {
    /// The invoice that the payment was for, under the number with which it was handed over; none for payments that
    /// are not ours.
    pub invoice: Option<String>,
    /// Oldest first.
    pub all: Vec<Repayment>,
}
