use domain::AlertId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// Something that waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Names it.
    #[schema(value_type = String)]
    pub id: AlertId,
    /// What it is about; also the name of its runbook.
    pub kind: String,
    /// `notice`, `warning` or `critical`.
    pub severity: String,
    /// `open`, `acknowledged`, `silenced` or `resolved`.
    pub state: String,
    /// When it speaks again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub silenced_until: Option<Timestamp>,
    /// What happened, in one line.
    pub what: String,
    /// Why, as it was recorded.
    pub why: String,
    /// Where it is seen to.
    pub url: String,
    /// When it was seen first.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
    /// When it was seen last.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// How often it was seen.
    pub seen: u32,
    /// Who took it up or silenced it.
    pub handled_by: Option<String>,
    /// What they said.
    pub note: Option<String>,
}

/// Silences an alert for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceAlert {
    /// For how long: 1 minute to 7 days.
    pub minutes: u32,
    /// Why, in one sentence of at most 300 characters.
    pub reason: String,
}

/// Which alerts to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AlertFilter {
    /// Only those that stand there; all that are not resolved when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl Client {
    /// What waits for an operator, newest first.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn alerts(&self, filter: &AlertFilter, paging: &Paging) -> Result<Page<Alert>, ClientError> {
        self.get(&["alerts"], &Filtered { filter, paging }).await
    }

    /// Says that somebody looks after it.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn acknowledge_alert(&self, id: &str) -> Result<Alert, ClientError> {
        self.post(&["alerts", id, "acknowledge"], &()).await
    }

    /// Silences it for a while.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn silence_alert(&self, id: &str, silence: &SilenceAlert) -> Result<Alert, ClientError> {
        self.post(&["alerts", id, "silence"], silence).await
    }

    /// Says that it is over.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn resolve_alert(&self, id: &str) -> Result<Alert, ClientError> {
        self.post(&["alerts", id, "resolve"], &()).await
    }
}
