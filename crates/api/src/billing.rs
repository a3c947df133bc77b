use domain::{Cents, CustomerId, InstanceId, Month};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, InvoiceCredit, InvoiceLine, Page, WorkflowAccepted};

/// Closes periods: each gets its invoice, once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePeriods {
    /// Close everything up to the end of this month, without waiting for late reports. When left out, what is over and
    /// has waited for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2026-11")]
    pub month: Option<Month>,
    /// Only say what would be issued. The month may be a running one then.
    #[serde(default)]
    pub dry_run: bool,
}

/// The answer: a workflow that closes, or what would come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Closing {
    /// It closes now.
    Begun(WorkflowAccepted),
    /// What it would issue. Nothing was stored.
    DryRun(DryRun),
}

/// What a closing would issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// One for each period that would be closed.
    pub invoices: Vec<InvoicePreview>,
    /// The sum of their totals.
    #[schema(value_type = i64)]
    pub total: Cents,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
}

/// An invoice that would be issued, beside the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoicePreview {
    /// Who would pay.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// What would be paid for.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// The period; absent when no invoice can be made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub period_start: Option<Timestamp>,
    /// When the next one begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub period_end: Option<Timestamp>,
    /// So many hours, late ones included.
    pub hours: u32,
    /// What would be charged.
    #[schema(value_type = i64)]
    pub total: Cents,
    /// What would be to pay.
    #[schema(value_type = i64)]
    pub amount_due: Cents,
    /// The total of the instance's invoice before this one, if there is one.
    #[schema(value_type = Option<i64>)]
    pub previous_total: Option<Cents>,
    /// Its hours.
    pub previous_hours: Option<u32>,
    /// Why no invoice can be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The invoice that an instance would get for the running period, if that ended now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BillPreview {
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// Its sums, beside those of the invoice before it.
    pub invoice: InvoicePreview,
    /// What it would charge.
    pub lines: Vec<InvoiceLine>,
    /// What it would give back for hours waived after they had been billed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<InvoiceCredit>,
}

/// What came of computing everything again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BooksCheck {
    /// So many invoices were computed again.
    pub invoices: u64,
    /// So many transactions were replayed.
    pub transactions: u64,
    /// What all customers together owe.
    #[schema(value_type = i64)]
    pub owed: Cents,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// What does not add up, in words. Empty when all is well.
    pub problems: Vec<String>,
}

/// What the payment provider says of an invoice, where the books say something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeDifference {
    /// The number of the invoice; the provider's id of the dispute or refund where nobody here knows the invoice.
    pub invoice: String,
    /// Whose it is; absent where only the provider knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// `missing`, `unknown`, `paid`, `void`, `open`, `dispute` or `refund`.
    pub what: String,
    /// What the books say, in the currency's smallest unit.
    #[schema(value_type = i64)]
    pub ours: Cents,
    /// What the provider says.
    #[schema(value_type = i64)]
    pub theirs: Cents,
    /// In words.
    pub reason: String,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it was not seen any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
}

/// Which differences to list.
#[derive(Serialize)]
struct Those {
    state: &'static str,
}

impl Client {
    /// Where the payment provider and the books differ, or differed.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn charge_differences(&self, closed: bool) -> Result<Page<ChargeDifference>, ClientError> {
        let state = if closed { "closed" } else { "open" };
        self.get(&["billing", "differences"], &Those { state }).await
    }

    /// Begins a closing.
    ///
    /// # Errors
    /// [`ClientError`]; 422 when the month is not over.
    pub async fn close_periods(&self, month: Option<Month>) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["billing", "close"], &ClosePeriods { month, dry_run: false }).await
    }

    /// What a closing would issue.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn preview_closing(&self, month: Option<Month>) -> Result<DryRun, ClientError> {
        self.post(&["billing", "close"], &ClosePeriods { month, dry_run: true }).await
    }

    /// The invoice that an instance would get if the running period ended now.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when nothing is charged for it any more.
    pub async fn preview_bill(&self, instance: &str) -> Result<BillPreview, ClientError> {
        self.get(&["billing", "preview", instance], &()).await
    }

    /// Computes every invoice and every book again.
    ///
    /// # Errors
    /// [`ClientError`]; what does not add up is told in the answer, not as an error.
    pub async fn check_books(&self) -> Result<BooksCheck, ClientError> {
        self.post(&["billing", "check"], &()).await
    }
}
