use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// How an instance is, from all that was seen of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceHealth {
    /// `up`, `starting`, `asleep`, `down`, `unreachable`, `suspended` or `unknown`.
    pub verdict: String,
    /// Since when it is so, where that was seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Whose view decided it: `prober`, `provider` or `guard`; absent where it follows from what was decided.
    pub decided_by: Option<String>,
    /// When that was seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// What each of those saw who look at it.
    pub views: Vec<HealthObservation>,
    /// How time was spent: `today`, `this_month` and `last_month`.
    pub uptime: Vec<UptimeOf>,
    /// What is aimed at, in per cent.
    pub target_percent: f64,
}

/// What one of those saw who look at an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthObservation {
    /// `prober` through the public hostname, `provider`, or `guard` by its reports.
    pub source: String,
    /// What was seen.
    pub seen: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// More about it.
    pub detail: Option<String>,
}

/// How a span of time was spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UptimeOf {
    /// `today`, `this_month` or `last_month`.
    pub period: String,
    /// The share in which it answered of the time in which it was seen to answer or not to, in per cent and cut off;
    /// absent where there was no such time.
    pub percent: Option<f64>,
    /// Seconds in which it answered.
    pub up_seconds: i64,
    /// Seconds in which it did not.
    pub down_seconds: i64,
    /// Seconds in which it slept.
    pub asleep_seconds: i64,
    /// Seconds in which it was closed on purpose.
    pub paused_seconds: i64,
    /// Seconds of which nobody can say.
    pub unknown_seconds: i64,
}

impl Client {
    /// How an instance is, by id, project name or subdomain.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn instance_health(&self, instance: &str) -> Result<InstanceHealth, ClientError> {
        self.get(&["instances", instance, "health"], &()).await
    }
}
