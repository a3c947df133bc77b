use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::{Project, State};
use super::volumes::USED_GB;

/// What an instance that runs is said to use.
const CPU: f64 = 0.01;
const MEMORY_GB: f64 = 0.25;
const SENT_GB_A_MINUTE: f64 = 0.000_01;
/// What estimates and billing count as a month.
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageAsked {
    workspace_id: Option<String>,
    project_id: Option<String>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    #[serde(default)]
    include_deleted: Option<bool>,
    #[serde(default)]
    group_by: Option<Vec<String>>,
    measurements: Vec<String>,
}

impl State {
    /// In minutes of a unit, but for the network, which is in GB.
    pub(super) fn usage(&self, asked: &UsageAsked) -> Result<Value, Refusal> {
        let from = asked.start_date.unwrap_or_else(|| self.now - MONTH);
        let to = asked.end_date.unwrap_or(self.now).min(self.now);
        let is_grouped = asked.group_by.iter().flatten().any(|tag| tag == "PROJECT_ID");
        let mut sums: BTreeMap<(Option<&str>, &str), f64> = BTreeMap::new();
        for (place, project) in self.usage_projects(asked)? {
            for measurement in &asked.measurements {
                let group = is_grouped.then_some(project.id.as_str());
                *sums.entry((group, measurement)).or_default() += self.measured(place, measurement, from, to);
            }
        }
        let rows = sums.into_iter().map(|((project, measurement), value)| {
            json!({
                "measurement": measurement,
                "value": value,
                "tags": { "projectId": project, "environmentId": null, "serviceId": null, "volumeId": null },
            })
        });
        Ok(rows.collect())
    }

    /// What a month would come to if it went on as it did.
    pub(super) fn estimated_usage(&self, asked: &UsageAsked) -> Result<Value, Refusal> {
        let mut rows = Vec::new();
        for (place, project) in self.usage_projects(asked)? {
            let from = (self.now - MONTH).max(project.created);
            let share = self.now.duration_since(from).as_secs_f64() / MONTH.as_secs_f64();
            for measurement in &asked.measurements {
                let value = self.measured(place, measurement, from, self.now);
                rows.push(json!({
                    "measurement": measurement,
                    "estimatedValue": if share > 0.0 { value / share } else { 0.0 },
                    "projectId": project.id,
                }));
            }
        }
        Ok(rows.into())
    }

    pub(super) fn workspace(&self, id: &str) -> Result<Value, Refusal> {
        self.own_workspace(Some(id))?;
        let mut start = self.projects.first().map_or(self.now, |project| project.created);
        while start + MONTH <= self.now {
            start += MONTH;
        }
        let rates = [
            ("CPU_USAGE", 20.0 / 43_200.0),
            ("MEMORY_USAGE_GB", 10.0 / 43_200.0),
            ("NETWORK_TX_GB", 0.05),
            ("DISK_USAGE_GB", 0.15 / 43_200.0),
            ("BACKUP_USAGE_GB", 0.15 / 43_200.0),
        ];
        let cost: f64 = (0..self.projects.len())
            .flat_map(|place| {
                rates.map(|(measurement, rate)| self.measured(place, measurement, start, self.now) * rate)
            })
            .sum();
        let standing = self.windows.standing(self.settings.plan, self.now);
        let customer = format!("customer-of-{}", self.settings.workspace_id);
        let limit = self.settings.usage_limit.map(|(soft, hard)| {
            json!({
                "id": format!("limit-of-{customer}"),
                "customerId": customer,
                "softLimit": soft,
                "hardLimit": hard,
                "isOverLimit": hard.is_some_and(|hard| cost + self.settings.other_usage >= f64::from(hard)),
            })
        });
        Ok(json!({
            "id": self.settings.workspace_id,
            "name": self.settings.workspace_name,
            "plan": self.settings.plan.shown(),
            "createdAt": Timestamp::UNIX_EPOCH,
            "apiTokenRateLimit": standing.map(|standing| json!({
                "remainingPoints": standing.remaining, "resetsAt": standing.resets.to_string(),
            })),
            "customer": {
                "id": customer,
                "currentUsage": cost + self.settings.other_usage,
                "billingPeriod": { "start": start, "end": start + MONTH },
                "usageLimit": limit,
            },
        }))
    }

    fn usage_projects(&self, asked: &UsageAsked) -> Result<Vec<(usize, &Project)>, Refusal> {
        self.own_workspace(asked.workspace_id.as_deref())?;
        let only = asked.project_id.as_ref().map(|id| self.owner(id).ok_or_else(|| Refusal::not_found("Project")));
        let only = only.transpose()?;
        let is_meant = |(place, project): &(usize, &Project)| {
            only.is_none_or(|only| only == *place)
                && (asked.include_deleted.unwrap_or(false) || project.end.gone(self.now).is_none())
        };
        Ok(self.projects.iter().enumerate().filter(is_meant).collect())
    }

    fn measured(&self, place: usize, measurement: &str, from: Timestamp, to: Timestamp) -> f64 {
        let project = self.at(place);
        let end = project.end.gone(to).unwrap_or(to).min(to);
        let minutes = |time: SignedDuration| time.as_secs_f64().max(0.0) / 60.0;
        let running = || -> f64 {
            let each = project.deployments.iter().enumerate();
            each.map(|(index, held)| minutes(held.timeline.running(from, end, project.superseded(index, end)))).sum()
        };
        let stored = |since: Timestamp, until: Option<Timestamp>| {
            minutes(until.unwrap_or(end).min(end).duration_since(since.max(from))) * USED_GB
        };
        match measurement {
            "CPU_USAGE" => running() * CPU,
            "MEMORY_USAGE_GB" => running() * MEMORY_GB,
            "NETWORK_TX_GB" => running() * SENT_GB_A_MINUTE,
            "DISK_USAGE_GB" => project.volume_instances.iter().map(|held| stored(held.created, held.deleted)).sum(),
            "BACKUP_USAGE_GB" => {
                let held = self.backups.values().filter(|backup| backup.project == place);
                held.map(|backup| stored(backup.asked, None)).sum()
            }
            _ => 0.0,
        }
    }
}
