use domain::{Cents, CustomerId, LeavingReason, Month};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// What the business is run by, in a month. What is left out is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Analytics {
    /// Which.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// Whether all invoices of the month are there; before that nothing that rests on them is known.
    pub is_complete: bool,
    /// When it was computed.
    #[schema(value_type = String, format = DateTime)]
    pub computed_at: Timestamp,
    /// Each number with its definition and its target.
    pub figures: Vec<Figure>,
    /// The month and those before it, at most twelve, the earliest first.
    pub months: Vec<AnalyticsMonth>,
    /// From a visit to a first payment.
    pub funnel: Vec<FunnelStep>,
    /// All customers by the month in which they signed up, the earliest first.
    pub cohorts: Vec<SignupCohort>,
    /// Why customers asked for an end in the month, the most frequent first. Those who did not say stand last, without a
    /// reason.
    pub reasons: Vec<ReasonCount>,
    /// What they said beside it, the latest first.
    pub comments: Vec<LeavingComment>,
}

/// A number, what it means, and whether it is where it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Figure {
    /// Names it: `recurring_revenue`, `customer_churn`.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// How it is computed, in sentences.
    pub definition: String,
    /// In what it counts: `cents`, `permille` (tenths of a percent), `seconds` or `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The number as people write it, or `unknown`.
    pub shown: String,
    /// What it should be, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether it is; left out where there is no target, or the number is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_met: Option<bool>,
    /// Why it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_because: Option<String>,
}

/// One month in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalyticsMonth {
    /// Which.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// Whether all its invoices are there. Before that, amounts and customers are those of the invoices so far.
    pub is_complete: bool,
    /// Charged for periods that began in it, after discounts and without taxes.
    #[schema(value_type = i64)]
    pub recurring: Cents,
    /// Of that, from customers who never paid before.
    #[schema(value_type = i64)]
    pub new: Cents,
    /// From customers who came back.
    #[schema(value_type = i64)]
    pub returned: Cents,
    /// More than the month before, from those who paid in both.
    #[schema(value_type = i64)]
    pub grown: Cents,
    /// Less than the month before, from those who paid in both.
    #[schema(value_type = i64)]
    pub shrunk: Cents,
    /// From customers of the month before who pay nothing any more.
    #[schema(value_type = i64)]
    pub lost: Cents,
    /// Recurring revenue less credits, refunds and what was written off in the month.
    #[schema(value_type = i64)]
    pub revenue: Cents,
    /// Who paid for it.
    pub customers: u64,
    /// Who did so for the first time.
    pub customers_new: u64,
    /// Who did so again.
    pub customers_returned: u64,
    /// Who did for the month before, and does not any more.
    pub customers_lost: u64,
    /// Who signed up in it.
    pub signups: u64,
    /// Visits of the site from elsewhere.
    pub visits: u64,
    /// Entered as spent to win customers; left out where nothing was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub spend: Option<Cents>,
}

/// A step on the way to a paying customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunnelStep {
    /// Names it: `visits`, `form`, `signed_up`, `ready`, `used`, `paid`.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// Who is counted.
    pub definition: String,
    /// How many.
    pub count: u64,
    /// Of the step before, in tenths of a percent, rounded down; left out for the first, and where nobody took that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_previous_permille: Option<i64>,
}

/// The customers who signed up in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignupCohort {
    /// In which.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// How many.
    pub customers: u64,
    /// Of that month and of each later one.
    pub later: Vec<CohortMonth>,
}

/// What is left of a cohort in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CohortMonth {
    /// Which.
    #[schema(value_type = String, example = "2026-12")]
    pub month: Month,
    /// How many of them paid for it.
    pub paying: u64,
    /// What they were charged for it.
    #[schema(value_type = i64)]
    pub recurring: Cents,
}

/// How often a reason for leaving was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonCount {
    /// Which; left out for those who did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "too_expensive")]
    pub reason: Option<LeavingReason>,
    /// In words.
    pub label: String,
    /// How often.
    pub count: u64,
}

/// What somebody said who asked for an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeavingComment {
    /// Who.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The reason that they chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<LeavingReason>,
    /// In their words.
    pub comment: String,
}

/// Which month.
#[derive(Serialize)]
struct Of {
    month: Option<Month>,
}

impl Client {
    /// What the business is run by in a month; in the one before the present, if none is named.
    ///
    /// # Errors
    /// [`ClientError`]; 422 for a month that is still to come.
    pub async fn analytics(&self, month: Option<Month>) -> Result<Analytics, ClientError> {
        self.get(&["analytics"], &Of { month }).await
    }

    /// The history of months up to one, as comma-separated values.
    ///
    /// # Errors
    /// [`ClientError`]; 422 for a month that is still to come.
    pub async fn analytics_csv(&self, month: Option<Month>) -> Result<String, ClientError> {
        self.get_text(&["analytics", "csv"], &Of { month }).await
    }
}
