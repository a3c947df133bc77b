use std::collections::BTreeMap;

use domain::{Cents, InstanceId, Micros};
use jiff::Timestamp;
use serde_json::json;

use super::answers::{Paying, Project, Usage};
use super::{Mark, Railway, operations};
use crate::ProviderError;
use crate::costs::{Metered, Resource, Spend};

/// Railway counts minutes of a month of 30 days.
const MINUTES: f64 = 43_200.0;
const MILLION: f64 = 1_000_000.0;
/// Beyond this neither use nor money is meant; every number up to it is exact.
const MOST: f64 = 9e15;

/// What Railway publishes as its prices, in US dollars: of a month, but for what was sent.
///
/// Looked up on 2026-11-24.
pub const fn list_price(resource: Resource) -> Micros {
    Micros::new(match resource {
        Resource::Cpu => 20_000_000,
        Resource::Memory => 10_000_000,
        Resource::Disk | Resource::Backup => 150_000,
        Resource::Egress => 50_000,
    })
}

impl Railway {
    /// What each project used between two moments, those that were deleted included: one call, and one for each two
    /// hundred projects where some of them is not on record here.
    pub(super) async fn metered(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Metered>, ProviderError> {
        let rows = self.rows(from, until).await?;
        let mut known = BTreeMap::new();
        for held in self.resources.of_kind("project").await? {
            known.extend(held.made.map(|made| (made.id, held.instance)));
        }
        let is_unknown = |row: &Usage| row.tags.project_id.as_ref().is_some_and(|id| !known.contains_key(id));
        if rows.iter().any(is_unknown) {
            known.extend(self.marked_projects().await?);
        }
        let metered = rows.into_iter().filter_map(|row| {
            let resource = resource(&row.measurement)?;
            let project = row.tags.project_id?;
            Some(Metered { instance: known.get(&project).copied(), project, resource, quantity: millionths(row.value) })
        });
        Ok(metered.collect())
    }

    /// What the workspace spent in Railway's own period, and its hard limit.
    pub(super) async fn spent(&self) -> Result<Spend, ProviderError> {
        let variables = json!({ "id": self.settings.workspace_id });
        let held: Paying = self.graph.ask(&operations::SPEND, variables).await?;
        let account = held.customer;
        let limit = account.usage_limit.and_then(|limit| limit.hard_limit);
        Ok(Spend {
            spent: Micros::new(i64::try_from(millionths(account.current_usage)).unwrap_or(i64::MAX)),
            hard_limit: limit.map(|dollars| Micros::new(i64::from(dollars) * 1_000_000)),
            from: account.billing_period.start,
            until: account.billing_period.end,
        })
    }

    /// About what each project cost between two moments, by its id, at Railway's published prices.
    pub(super) async fn costs(&self, from: Timestamp, to: Timestamp) -> Result<BTreeMap<String, Cents>, ProviderError> {
        let mut dollars: BTreeMap<String, f64> = BTreeMap::new();
        for row in self.rows(from, to).await? {
            if let (Some(project), Some(resource)) = (row.tags.project_id, resource(&row.measurement)) {
                *dollars.entry(project).or_default() += row.value * price(resource);
            }
        }
        Ok(dollars.into_iter().map(|(project, dollars)| (project, cents(dollars))).collect())
    }

    async fn rows(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Usage>, ProviderError> {
        let variables = json!({ "workspace": self.settings.workspace_id, "from": from, "to": to });
        self.graph.ask(&operations::USAGE, variables).await
    }

    /// Every project that bears our mark, those that were deleted included.
    async fn marked_projects(&self) -> Result<Vec<(String, InstanceId)>, ProviderError> {
        // The operation does not ask which are deleted, so that none is left out.
        let all: Vec<Project> = self.pages(&operations::ALL_PROJECTS).await?;
        let ours =
            all.into_iter().filter_map(|held| Some((held.id, Mark::read(held.description.as_deref())?.instance)));
        Ok(ours.collect())
    }
}

fn resource(measurement: &str) -> Option<Resource> {
    Some(match measurement {
        "CPU_USAGE" => Resource::Cpu,
        "MEMORY_USAGE_GB" => Resource::Memory,
        "NETWORK_TX_GB" => Resource::Egress,
        "DISK_USAGE_GB" => Resource::Disk,
        "BACKUP_USAGE_GB" => Resource::Backup,
        _ => return None,
    })
}

/// Dollars for one unit and minute, or for one unit of traffic.
#[allow(clippy::cast_precision_loss, reason = "prices are small")]
fn price(resource: Resource) -> f64 {
    let unit = list_price(resource).get() as f64 / MILLION;
    if resource == Resource::Egress { unit } else { unit / MINUTES }
}

/// Where a number of Railway's becomes an exact one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within bounds by then")]
fn millionths(value: f64) -> u64 {
    (value * MILLION).round().clamp(0.0, MOST) as u64
}

fn cents(dollars: f64) -> Cents {
    // What is more than this is no bill of one project.
    let cents = (dollars * 100.0).round().clamp(0.0, 1e12);
    #[allow(clippy::cast_possible_truncation)]
    Cents::new(cents as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_railways_becomes_an_exact_one_or_the_nearest() {
        for (value, exact) in
            [(0.0, 0), (15.0, 15_000_000), (0.000_000_4, 0), (0.000_000_6, 1), (-3.0, 0), (f64::NAN, 0)]
        {
            assert_eq!(millionths(value), exact, "{value}");
        }
        assert_eq!(millionths(f64::INFINITY), 9_000_000_000_000_000);
    }
}
