use domain::CustomerId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// How far it has come with a customer who does not pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dunning {
    /// Of whom.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// `current`, `retrying`, `charging`, `reminded`, `grace`, `suspended`, `cancelled`, `deletion_announced` or `deleted`.
    #[schema(example = "reminded")]
    pub stage: String,
    /// The present, in a sentence.
    pub now: String,
    /// Since when; absent where there was never anything to say.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What comes next by itself, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// When; absent while time stands still.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Whether the operator paused it.
    pub paused: bool,
    /// Whether it waits for a bank to settle a dispute.
    pub disputed: bool,
}

impl Client {
    /// How far it has come with a customer.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer.
    pub async fn dunning(&self, customer: CustomerId) -> Result<Dunning, ClientError> {
        self.get(&["customers", &customer.to_string(), "dunning"], &()).await
    }

    /// Leaves a customer alone: time stands still, and no mail leaves.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer.
    pub async fn pause_dunning(&self, customer: CustomerId) -> Result<Dunning, ClientError> {
        self.post(&["customers", &customer.to_string(), "dunning", "pause"], &()).await
    }

    /// Goes on where it was left.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer.
    pub async fn unpause_dunning(&self, customer: CustomerId) -> Result<Dunning, ClientError> {
        self.post(&["customers", &customer.to_string(), "dunning", "unpause"], &()).await
    }
}
