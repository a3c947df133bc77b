//! Who signs and pays.

pub(crate) mod payment_portal;
pub(crate) mod store;

use domain::{CustomerId, Email};
use jiff::Timestamp;

use crate::app::Core;
use crate::error::AppError;

/// Somebody who has, had or is about to have an instance.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub id: CustomerId,
    pub name: String,
    pub email: Email,
    pub company: Option<String>,
    pub created_at: Timestamp,
}

impl Customer {
    /// The person's name, or where they are written to if they gave none.
    pub(crate) fn called(&self) -> String {
        if self.name.is_empty() { self.email.to_string() } else { self.name.clone() }
    }
}

/// What a customer is called in the console: the company, where there is one.
pub(crate) async fn name(core: &Core, customer: CustomerId) -> Result<String, AppError> {
    let customer = store::find(&core.db, customer).await?.ok_or(AppError::NotFound)?;
    Ok(customer.company.clone().unwrap_or_else(|| customer.called()))
}
