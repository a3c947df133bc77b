use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `/-/health` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// Whether the answering program can do its work.
    pub status: HealthState,
    /// The program's version.
    pub version: String,
}

/// Whether a program can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It can.
    Ok,
    /// Something that it needs is out of reach.
    Unavailable,
}
