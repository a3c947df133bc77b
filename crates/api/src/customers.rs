use domain::{CustomerId, Email};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page, Paging};

/// Who signs and pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    /// Names the customer.
    #[schema(value_type = String)]
    pub id: CustomerId,
    /// Where mail for the customer goes; unique.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
    /// As entered at signup; empty for a customer whom the operator made.
    pub name: String,
    /// As entered at signup.
    pub company: Option<String>,
    /// When the customer came.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl Client {
    /// The customers, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn customers(&self, paging: &Paging) -> Result<Page<Customer>, ClientError> {
        self.get(&["customers"], paging).await
    }
}
