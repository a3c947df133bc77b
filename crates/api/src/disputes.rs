use domain::{Cents, CustomerId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page};

/// A payment that a customer's bank questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dispute {
    /// The payment provider's id of it.
    pub id: String,
    /// The number of the invoice that was paid; absent where nobody here knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// What is questioned, in the currency's smallest unit.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// The network's word for why.
    #[schema(example = "product_not_received")]
    pub reason: String,
    /// The same in words.
    pub reason_in_words: String,
    /// `inquiry`, `needs_response`, `under_review`, `won`, `lost` or `closed`.
    pub state: String,
    /// What the payment provider charges for it, in its currency's smallest unit; it is in no customer's book.
    #[schema(value_type = i64)]
    pub fee: Cents,
    /// The currency of the fee, which is the account's.
    pub fee_currency: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// Until when evidence is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub evidence_due: Option<Timestamp>,
    /// When it was first seen to be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// What to do next, in a sentence.
    pub next_step: String,
    /// Why it is not in the customer's book, if it could not be booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Where it is in the provider's dashboard.
    pub url: String,
}

/// Which disputes to list.
#[derive(Serialize)]
struct Those {
    state: &'static str,
}

impl Client {
    /// Payments that banks question, the oldest first; or those that are over, the latest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn disputes(&self, closed: bool) -> Result<Page<Dispute>, ClientError> {
        let state = if closed { "closed" } else { "open" };
        self.get(&["disputes"], &Those { state }).await
    }
}
