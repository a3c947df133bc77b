use domain::{Cents, CustomerId, Month};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// Revenue less costs in a month. What is left out is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Margins {
    /// Which.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// Of all amounts but those of limits; ISO 4217, lower case.
    pub currency: String,
    /// The margin to be reached, in tenths of a percent.
    pub target_permille: i64,
    /// Everybody who was served, or bought something. Worst first, those of whom it is not known last.
    pub customers: Vec<CustomerMargin>,
    /// What was paid for no single customer: projects that serve none, fees of the account.
    pub nobody: CostsByKind,
    /// All of it together.
    pub total: Margin,
    /// Where each kind of figure comes from, and when it was observed.
    pub basis: Vec<MarginBasis>,
    /// The limits at which providers stop, and how much of them is used.
    pub limits: Vec<SpendLimit>,
}

/// One customer in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerMargin {
    /// Who.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// The company, or the person.
    pub name: String,
    /// How many instances were in service at any time.
    pub instances: u64,
    /// What it cost to serve them.
    pub costs: CostsByKind,
    /// What is left.
    #[serde(flatten)]
    pub margin: Margin,
}

/// Costs by kind, in millionths of the currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostsByKind {
    /// To run instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_micros: Option<i64>,
    /// Kept by the payment provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees_micros: Option<i64>,
    /// For questions to the model that is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_micros: Option<i64>,
    /// A share of fixed costs and seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_micros: Option<i64>,
}

/// What is left of a revenue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Margin {
    /// In hundredths, without taxes; less credits, refunds and what was written off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub revenue: Option<Cents>,
    /// In millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<i64>,
    /// In millionths: revenue less costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profit_micros: Option<i64>,
    /// The profit in tenths of a percent of the revenue, rounded down; left out without revenue too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_permille: Option<i64>,
}

/// Where a kind of figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarginBasis {
    /// `Revenue`, `Compute`, `Payment fees`, `Included AI`, `Fixed costs` or `Seats`.
    pub what: String,
    /// How it came about, and what is unknown of it, in sentences.
    pub how: String,
    /// Whether all of it is known.
    pub is_known: bool,
    /// When it was observed, where a provider was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
}

/// A limit at which a provider stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpendLimit {
    /// `spending at railway`, `seats at cloudflare`.
    pub name: String,
    /// In what it counts: `usd_micros`, which are millionths of a US dollar, or `seats`.
    pub unit: String,
    /// So much is used; left out where that was never seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// So much there is; left out where no limit is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// When it begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub period_end: Option<Timestamp>,
    /// When it is reached if it goes on like this, where that is within the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reached_at: Option<Timestamp>,
    /// When it was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// Why the last look came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// What the operator was told of it and still holds: `reached_80`, `forecast`, `silent`.
    pub notices: Vec<String>,
}

/// Which month.
#[derive(Serialize)]
struct Of {
    month: Option<Month>,
}

impl Client {
    /// Revenue less costs in a month; in the one before the present, if none is named.
    ///
    /// # Errors
    /// [`ClientError`]; 422 for a month that is still to come.
    pub async fn margins(&self, month: Option<Month>) -> Result<Margins, ClientError> {
        self.get(&["billing", "margins"], &Of { month }).await
    }
}
