use domain::{Bill, Cents, Evidence, InstanceId, Month};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::activity::EvidenceEntry;
use crate::{Client, ClientError, Contest};

/// The use of one instance in one month, and what it costs so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Whose use.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// The month, UTC.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// Each hour that is to be paid for once, earliest first.
    pub hours: Vec<UsedHour>,
    /// When each hour begins that was used and is waived, earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub waived: Vec<Timestamp>,
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

/// One clock hour of an instance: what shows that it was used, and what becomes of its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HourOfUse {
    /// Whose.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// When the hour begins.
    #[schema(value_type = String, format = DateTime)]
    pub hour_start: Timestamp,
    /// What becomes of its price.
    pub charge: HourCharge,
    /// The price, before discounts and taxes, where it is or was to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub price: Option<Cents>,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// The number of the invoice on which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// What showed that it was used.
    #[schema(value_type = Vec<EvidenceEntry>)]
    pub evidence: Vec<Evidence>,
    /// Why nobody pays for it, where that was decided. A waiver may come before any evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// Whether its customer contested it, and what was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contest>,
}

/// What becomes of an hour's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HourCharge {
    /// It was not used.
    Unused,
    /// Nothing was to be paid yet: it lies in a trial, or before the service began.
    Free,
    /// It stands on the next invoice.
    Coming,
    /// It stands on an invoice.
    Billed,
    /// It was waived before it was billed.
    Waived,
    /// It stood on an invoice and was waived then; a later one gives its price back.
    Credited,
}

impl HourCharge {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Unused, Self::Free, Self::Coming, Self::Billed, Self::Waived, Self::Credited];

    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Free => "free",
            Self::Coming => "coming",
            Self::Billed => "billed",
            Self::Waived => "waived",
            Self::Credited => "credited",
        }
    }
}

/// Why nobody pays for an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waiver {
    /// In one sentence.
    pub reason: String,
    /// Who decided it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
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

    /// The hour in which a moment lies.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn hour_of_use(&self, instance: &str, moment: Timestamp) -> Result<HourOfUse, ClientError> {
        self.get(&["instances", instance, "usage", "hours", &moment.to_string()], &()).await
    }
}
