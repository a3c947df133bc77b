use domain::{Cents, Month, SpendId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page};

/// Money that was spent to win customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spend {
    /// Names the entry.
    #[schema(value_type = String)]
    pub id: SpendId,
    /// For which month it counts.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// How much, in the plan's currency.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// For what, in a few words.
    pub purpose: String,
    /// Who entered it.
    pub entered_by: String,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: Timestamp,
    /// When it was taken back, since it was a mistake; it counts for nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub taken_back_at: Option<Timestamp>,
    /// Who took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back_by: Option<String>,
}

/// Enters what was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSpend {
    /// For which month it counts.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// How much, in the currency's smallest unit. Nothing is an amount too: it says that nothing was spent.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// For what, in a few words.
    pub purpose: String,
}

/// Which month.
#[derive(Serialize)]
struct Of {
    month: Option<Month>,
}

impl Client {
    /// What was entered, the latest month first; of one month, if one is named.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn spend(&self, month: Option<Month>) -> Result<Page<Spend>, ClientError> {
        self.get(&["spend"], &Of { month }).await
    }

    /// Enters what was spent, once for each key.
    ///
    /// # Errors
    /// [`ClientError`]; 422 when it is less than nothing, has no purpose, or the month is still to come.
    pub async fn add_spend(&self, new: &NewSpend, key: Option<&str>) -> Result<Spend, ClientError> {
        self.post_once(&["spend"], new, key).await
    }

    /// Takes an entry back that was a mistake.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such entry.
    pub async fn take_spend_back(&self, id: &str) -> Result<Spend, ClientError> {
        self.post(&["spend", id, "take-back"], &()).await
    }
}
