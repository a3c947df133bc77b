use domain::{Country, CustomerId, Email, TaxId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// To whom a customer's next invoices are made out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BillingDetails {
    /// Whose.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// Of the person or company.
    pub name: String,
    /// As it stands on invoices, line by line, the country last.
    pub address: Vec<String>,
    /// Two letters (ISO 3166-1); decides which taxes are charged. Absent until somebody sets the details.
    #[schema(value_type = Option<String>, example = "DE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// A VAT number, or another. Only its form was looked at.
    #[schema(value_type = Option<String>, example = "DE123456789")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<TaxId>,
    /// Who gets invoices by mail, beside the customer.
    #[schema(value_type = Option<String>, format = Email)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_to: Option<Email>,
    /// When they were set; absent while invoices are made out as the customer signed up.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// Replaces a customer's billing details as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBillingDetails {
    /// Of the person or company.
    pub name: String,
    /// Line by line, without the country; six lines at most.
    #[serde(default)]
    pub address: Vec<String>,
    /// Two letters (ISO 3166-1).
    #[schema(value_type = String, example = "DE")]
    pub country: Country,
    /// A VAT number, or another. Only its form is looked at.
    #[schema(value_type = Option<String>, example = "DE123456789")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<TaxId>,
    /// Who gets invoices by mail, beside the customer.
    #[schema(value_type = Option<String>, format = Email)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_to: Option<Email>,
}

impl Client {
    /// To whom a customer's next invoices are made out.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer.
    pub async fn billing_details(&self, customer: CustomerId) -> Result<BillingDetails, ClientError> {
        self.get(&["customers", &customer.to_string(), "billing"], &()).await
    }

    /// Sets to whom later invoices are made out. Those that were issued stay as they are.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer, 422 when a field can't be what it says.
    pub async fn set_billing_details(
        &self,
        customer: CustomerId,
        details: &NewBillingDetails,
    ) -> Result<BillingDetails, ClientError> {
        self.put(&["customers", &customer.to_string(), "billing"], details).await
    }
}
