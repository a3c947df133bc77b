use domain::{Cents, CustomerId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// A customer's book. Amounts are whole numbers of the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// Whose.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// What the customer owes; negative when more was paid than was charged.
    #[schema(value_type = i64)]
    pub owed: Cents,
    /// What later invoices can take.
    #[schema(value_type = i64)]
    pub credit: Cents,
    /// All entries, by the time at which they happened.
    pub entries: Vec<LedgerEntry>,
}

/// Something that changed what is owed, or the credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerEntry {
    /// Names it within the book: its kind and what it refers to.
    #[schema(example = "payment:2026-12-02 REF 17")]
    pub id: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// In words.
    pub description: String,
    /// By how much it changed what is owed.
    #[schema(value_type = i64)]
    pub owed: Cents,
    /// By how much it changed the credit.
    #[schema(value_type = i64)]
    pub credit: Cents,
    /// What was owed after it.
    #[schema(value_type = i64)]
    pub owed_after: Cents,
    /// Who booked it.
    pub author: String,
    /// Why, where somebody said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Gives a customer credit, which later invoices take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredit {
    /// How much, in the currency's smallest unit.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// Names it. Given again under the same reference, it stays one credit.
    pub reference: String,
    /// Why, in one sentence.
    pub reason: String,
}

impl Client {
    /// A customer's book, by id or e-mail address.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer.
    pub async fn ledger(&self, customer: &str) -> Result<Ledger, ClientError> {
        self.get(&["customers", customer, "ledger"], &()).await
    }

    /// Gives a customer, named by id or e-mail address, credit: once for each reference. The book as it stands then.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer, 409 when another credit has the reference, 422 when the
    /// amount is nothing or less or there is no reason.
    pub async fn give_credit(&self, customer: &str, credit: &NewCredit) -> Result<Ledger, ClientError> {
        self.post(&["customers", customer, "credits"], credit).await
    }
}
