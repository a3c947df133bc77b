use std::collections::BTreeMap;

use domain::Cents;
use jiff::Timestamp;
use serde_json::json;

use super::answers::Usage;
use super::{Railway, operations};
use crate::ProviderError;

/// Railway counts minutes of a month of 30 days.
const MINUTES: f64 = 43_200.0;

impl Railway {
    /// What each project cost between two moments, by its id, those that were deleted included. Railway's
    /// published prices; a US dollar has 100 cents here.
    ///
    /// # Errors
    /// When Railway can't be asked.
    pub async fn costs(&self, from: Timestamp, to: Timestamp) -> Result<BTreeMap<String, Cents>, ProviderError> {
        let variables = json!({ "workspace": self.settings.workspace_id, "from": from, "to": to });
        let rows: Vec<Usage> = self.graph.ask(&operations::USAGE, variables).await?;
        let mut dollars: BTreeMap<String, f64> = BTreeMap::new();
        for row in rows {
            if let Some(project) = row.tags.project_id {
                *dollars.entry(project).or_default() += row.value * price(&row.measurement);
            }
        }
        Ok(dollars.into_iter().map(|(project, dollars)| (project, cents(dollars))).collect())
    }
}

/// Dollars for one unit and minute, or for one unit of traffic.
fn price(measurement: &str) -> f64 {
    match measurement {
        "CPU_USAGE" => 20.0 / MINUTES,
        "MEMORY_USAGE_GB" => 10.0 / MINUTES,
        "NETWORK_TX_GB" => 0.05,
        "DISK_USAGE_GB" | "BACKUP_USAGE_GB" => 0.15 / MINUTES,
        _ => 0.0,
    }
}

fn cents(dollars: f64) -> Cents {
    // What is more than this is no bill of one project.
    let cents = (dollars * 100.0).round().clamp(0.0, 1e12);
    #[allow(clippy::cast_possible_truncation)]
    Cents::new(cents as i64)
}
