use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came to the emergency door of one instance, as far as the main instance has not confirmed
/// it. Sending it again, late or out of order changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmergencyReport {
    /// In no order.
    pub entries: Vec<EmergencyAccess>,
}

/// What came from one address in one hour and ended the same way: all of it so far, not only what
/// is new. The hour is that of `first`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmergencyAccess {
    /// From where; null for many addresses together, when there were too many to name.
    #[schema(value_type = Option<String>, example = "10.0.0.9")]
    pub source: Option<IpAddr>,
    /// The user that the door is for; what others claimed is not told.
    pub user: String,
    /// How it ended.
    pub outcome: EmergencyOutcome,
    /// When it first came within the hour.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// When it last came within the hour.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// How often it came.
    pub count: u32,
}

/// How a visit to the emergency door ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyOutcome {
    /// User and password were right, or the session that they began.
    Accepted,
    /// They were not.
    Refused,
    /// They were not looked at: there had been too many attempts.
    Throttled,
}

impl EmergencyOutcome {
    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
        }
    }
}
