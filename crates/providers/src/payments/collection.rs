//! A finished invoice that the payment provider collects, and how far it is with that.

use domain::{Cents, CustomerId, InstanceId};
use serde::{Deserialize, Serialize};

/// A finished invoice, to be paid at once. Its lines come to its amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Our number, which names it at the provider too.
    pub number: String,
    /// Who pays.
    pub customer: CustomerId,
    /// For which instance.
    pub instance: InstanceId,
    /// `USD`, `eur`: in any case.
    pub currency: String,
    /// What is to be paid.
    pub amount: Cents,
    /// What it is for, taxes and deductions among it.
    pub lines: Vec<BillLine>,
}

/// One line of a [`Bill`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// As the customer reads it.
    pub description: String,
    /// Below nothing for what is taken off.
    pub amount: Cents,
}

/// A part of a paid invoice that goes back to the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Names it: the same one is given back once.
    pub reference: String,
    /// Of which invoice, by our number.
    pub invoice: String,
    /// Whose.
    pub customer: CustomerId,
    /// How much, with its share of the taxes.
    pub amount: Cents,
}

/// How an invoice stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The provider's id of it.
    pub id: String,
    /// The name under which we handed it over; absent only in what was stored before it was kept.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it stands.
    pub state: CollectionState,
    /// What the provider says it comes to.
    pub total: Cents,
    /// What was paid of it.
    pub paid: Cents,
    /// The attempt to charge that failed last, while it is not paid.
    pub failure: Option<Failure>,
}

/// Where an invoice stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectionState {
    /// It is not final: handing it over was interrupted.
    Draft,
    /// It waits for its money.
    Open,
    /// It is paid.
    Paid,
    /// It was made void: nobody pays it.
    Void,
    /// Somebody gave it up there.
    GivenUp,
}

impl CollectionState {
    /// The word that people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
            Self::GivenUp => "uncollectible",
        }
    }
}

/// An attempt to charge that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Tells this attempt from others of the same invoice.
    pub id: String,
    /// What the bank or the provider said.
    pub reason: String,
}
