use domain::{Bill, Evidence, InstanceId, Month};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::activity::EvidenceEntry;
use crate::{Client, ClientError};

/// The use of one instance in one month, and what it costs so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Whose use.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// The month, UTC.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// Each used hour once, earliest first.
    pub hours: Vec<UsedHour>,
    /// Base fee and hours. Amounts are whole numbers of the currency's smallest unit.
    #[schema(value_type = MonthlyBill)]
    pub bill: Bill,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// The hours in which the edge saw its members sign in, earliest first. They are there to be compared
    /// and never counted: a sign-in does not say that an hour was used, nor its absence that it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sign_ins: Vec<SignedInHour>,
}

/// One clock hour in which members signed in at the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedInHour {
    /// When the hour begins.
    #[schema(value_type = String, format = DateTime)]
    pub hour_start: Timestamp,
    /// When the first one did.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// When the last one did.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// How often.
    pub count: u32,
}

/// One clock hour in which the instance was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedHour {
    /// When the hour begins.
    #[schema(value_type = String, format = DateTime)]
    pub hour_start: Timestamp,
    /// What showed that it was used.
    #[schema(value_type = Vec<EvidenceEntry>)]
    pub evidence: Vec<Evidence>,
}

/// What one instance costs in one month.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for domain::Bill in the API's document")]
struct MonthlyBill {
    /// The month billed.
    #[schema(example = "2026-11")]
    month: String,
    /// Base fee first, then hours.
    lines: Vec<MonthlyBillLine>,
    /// The sum of the lines, in the currency's smallest unit.
    total: i64,
}

/// So many times a price.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for domain::BillLine in the API's document")]
struct MonthlyBillLine {
    /// What it is for.
    what: String,
    /// How many.
    quantity: u32,
    /// Each.
    unit: i64,
    /// All.
    amount: i64,
}

impl Client {
    /// The use of an instance in one month; the present month when none is given.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn usage(&self, instance: &str, month: Option<Month>) -> Result<Usage, ClientError> {
        self.get(&["instances", instance, "usage"], &[("month", month)]).await
    }
}
