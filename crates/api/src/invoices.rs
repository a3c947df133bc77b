use domain::{Cents, CustomerId, InstanceId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging, WorkflowAccepted};

/// What one instance cost in one period. All amounts are whole numbers of the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invoice {
    /// Names it.
    #[schema(example = "2026-000123")]
    pub number: String,
    /// Who pays.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// What is paid for.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// When the period begins.
    #[schema(value_type = String, format = DateTime)]
    pub period_start: Timestamp,
    /// When the next one begins.
    #[schema(value_type = String, format = DateTime)]
    pub period_end: Timestamp,
    /// The day it bears.
    #[schema(value_type = String, format = Date)]
    pub issued_on: Date,
    /// The day by which it is to be paid.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// What was charged, with taxes.
    #[schema(value_type = i64)]
    pub total: Cents,
    /// The total less the credit that was applied when it was issued.
    #[schema(value_type = i64)]
    pub amount_due: Cents,
    /// What is still to be paid.
    #[schema(value_type = i64)]
    pub outstanding: Cents,
    /// Where it stands today.
    pub state: InvoiceState,
    /// What it charges; left out of lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<InvoiceLine>,
    /// What was given back for hours waived after they had been billed; left out of lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<InvoiceCredit>,
    /// Charges of it by the payment provider that failed, oldest first; left out of lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charge_failures: Vec<ChargeFailure>,
    /// The document as it is stored and computed again; left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<serde_json::Value>,
}

/// So many times a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceLine {
    /// `base_fee`, `trial_hours`, `hours` or `late_hours`.
    pub kind: String,
    /// In words.
    pub description: String,
    /// How many.
    pub quantity: u32,
    /// Each.
    #[schema(value_type = i64)]
    pub unit: Cents,
    /// All, after discounts.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// When each of its hours begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub hours: Vec<Timestamp>,
}

/// A charge that the payment provider tried in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeFailure {
    /// What was to be charged.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// What the bank or the provider said.
    pub reason: String,
    /// When it became known.
    #[schema(value_type = String, format = DateTime)]
    pub failed_at: Timestamp,
}

/// What went to the customer's credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceCredit {
    /// In words.
    pub description: String,
    /// How much, with taxes.
    #[schema(value_type = i64)]
    pub amount: Cents,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// It is to be paid, and there is time left.
    Open,
    /// Its day has passed.
    Overdue,
    /// Nothing is left to be paid.
    Paid,
    /// Nobody waits for the rest any more.
    WrittenOff,
}

impl InvoiceState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Overdue, Self::Paid, Self::WrittenOff];

    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Paid => "paid",
            Self::WrittenOff => "written_off",
        }
    }
}

/// Which invoices to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InvoiceFilter {
    /// Only those of this instance: id, project name or subdomain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Only those of this customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Only those that stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<InvoiceState>,
}

/// Books money that came in. The oldest open invoice of the customer is paid first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    /// How much, in the currency's smallest unit.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// What the bank calls it. Booked again under the same reference, it stays one payment.
    pub reference: String,
    /// The day it came; today when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub received_on: Option<Date>,
}

/// Gives back a part of what was paid for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// How much, in the currency's smallest unit, with its share of the taxes.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// Names it. Asked for again under the same reference, it is given back once.
    pub reference: String,
    /// Why, in one sentence; the customer reads it.
    pub reason: String,
}

/// What goes back to a customer, or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refund {
    /// Names it.
    pub reference: String,
    /// The number of the invoice that was paid.
    pub invoice: String,
    /// How much, in the currency's smallest unit, with its share of the taxes.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// That share.
    #[schema(value_type = i64)]
    pub tax: Cents,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    /// When it was booked; left out while the payment provider has not given it back yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub booked_at: Option<Timestamp>,
    /// When it was given up; nothing went then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
    /// When it came back: the card or bank did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub returned_at: Option<Timestamp>,
}

/// Gives up what is left of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    /// Why, in one sentence.
    pub reason: String,
}

impl Client {
    /// The invoices, newest first.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when the filter names an instance that does not exist.
    pub async fn invoices(&self, filter: &InvoiceFilter, paging: &Paging) -> Result<Page<Invoice>, ClientError> {
        self.get(&["invoices"], &Filtered { filter, paging }).await
    }

    /// One invoice with its lines.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that number.
    pub async fn invoice(&self, number: &str) -> Result<Invoice, ClientError> {
        self.get(&["invoices", number], &()).await
    }

    /// One invoice on paper, as PDF.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that number.
    pub async fn invoice_pdf(&self, number: &str) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&["invoices", number, "pdf"]).await
    }

    /// Lines and hours of one invoice, as CSV.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that number.
    pub async fn invoice_csv(&self, number: &str) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&["invoices", number, "csv"]).await
    }

    /// Books a payment, once for each reference. The invoice as it stands then.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such invoice, 409 when another payment has the reference, 422 when the
    /// amount is nothing or less.
    pub async fn pay_invoice(&self, number: &str, payment: &NewPayment) -> Result<Invoice, ClientError> {
        self.post(&["invoices", number, "payments"], payment).await
    }

    /// Has the payment provider charge an open invoice again. Asking again while that is under way gives the same
    /// workflow.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such invoice, 409 when nothing is left of it or customers pay by hand.
    pub async fn charge_invoice(&self, number: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["invoices", number, "charge"], &()).await
    }

    /// Gives back a part of what was paid for an invoice: by the card that paid, or where customers pay by hand by you.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such invoice, 409 when less is left of what was paid, or another refund has
    /// the reference.
    pub async fn refund_invoice(&self, number: &str, refund: &NewRefund) -> Result<Refund, ClientError> {
        self.post(&["invoices", number, "refunds"], refund).await
    }

    /// What went back of an invoice, or is under way, oldest first.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such invoice.
    pub async fn refunds(&self, number: &str) -> Result<Page<Refund>, ClientError> {
        self.get(&["invoices", number, "refunds"], &()).await
    }

    /// Gives up what is left of an invoice. The invoice as it stands then.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such invoice, 409 when nothing is left of it.
    pub async fn write_off_invoice(&self, number: &str, reason: &str) -> Result<Invoice, ClientError> {
        self.post(&["invoices", number, "write-off"], &WriteOff { reason: reason.to_owned() }).await
    }
}
