//! What Railway answers, as far as it is of use.

use jiff::Timestamp;
use serde::Deserialize;

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub(super) struct Page<T> {
    edges: Vec<Edge<T>>,
    #[serde(default)]
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Edge<T> {
    node: T,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default)]
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Where the next page begins.
    pub(super) fn next(&self) -> Option<String> {
        self.page_info.end_cursor.clone().filter(|_| self.page_info.has_next_page)
    }

    pub(super) fn into_items(self) -> impl Iterator<Item = T> {
        self.edges.into_iter().map(|edge| edge.node)
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &T> {
        self.edges.iter().map(|edge| &edge.node)
    }
}

/// Something new.
#[derive(Deserialize)]
pub(super) struct WithId {
    pub(super) id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) deleted_at: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) primary_environment_id: Option<String>,
    pub(super) environments: Option<Page<Environment>>,
    pub(super) services: Option<Page<Service>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Environment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) service_instances: Option<Page<Instance>>,
    pub(super) volume_instances: Option<Page<VolumeInstance>>,
}

#[derive(Deserialize)]
pub(super) struct Service {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) service_id: String,
    pub(super) service_name: String,
    pub(super) sleep_application: Option<bool>,
    /// Where they were asked for.
    pub(super) domains: Option<Domains<NamedDomain>>,
    pub(super) latest_deployment: Option<Deployment>,
    pub(super) active_deployments: Vec<Deployment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeInstance {
    pub(super) volume_id: String,
    pub(super) service_id: Option<String>,
    pub(super) mount_path: String,
    pub(super) is_pending_deletion: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) deployment_stopped: bool,
    #[serde(default)]
    pub(super) can_rollback: bool,
    #[serde(default)]
    meta: serde_json::Value,
}

impl Deployment {
    /// The image it runs.
    pub(super) fn image(&self) -> Option<&str> {
        self.meta["image"].as_str()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Success,
    Sleeping,
    Failed,
    Crashed,
    Skipped,
    Removing,
    Removed,
    NeedsApproval,
    /// It is on its way.
    #[serde(other)]
    Pending,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Domains<T> {
    pub(super) custom_domains: Vec<T>,
    pub(super) service_domains: Vec<NamedDomain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamedDomain {
    pub(super) id: String,
    pub(super) domain: String,
    /// Where it was asked for.
    pub(super) sync_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomDomain {
    pub(super) id: String,
    pub(super) domain: String,
    pub(super) sync_status: String,
    pub(super) status: DomainStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainStatus {
    pub(super) verified: bool,
    pub(super) verification_dns_host: Option<String>,
    pub(super) verification_token: Option<String>,
    pub(super) dns_records: Vec<DnsRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DnsRecord {
    pub(super) purpose: String,
    pub(super) zone: String,
    pub(super) required_value: String,
}

#[derive(Deserialize)]
pub(super) struct LogLine {
    pub(super) timestamp: String,
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Workspace {
    pub(super) name: String,
    pub(super) project_count: u64,
    pub(super) api_token_rate_limit: Option<RateLimit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimit {
    pub(super) remaining_points: u64,
    pub(super) resets_at: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) workspaces: Vec<Service>,
}

#[derive(Deserialize)]
pub(super) struct Usage {
    pub(super) measurement: String,
    pub(super) value: f64,
    pub(super) tags: UsageTags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageTags {
    pub(super) project_id: Option<String>,
}

/// The workspace as far as money goes.
#[derive(Deserialize)]
pub(super) struct Paying {
    pub(super) customer: Account,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    /// In dollars.
    pub(super) current_usage: f64,
    pub(super) billing_period: BillingPeriod,
    pub(super) usage_limit: Option<UsageLimit>,
}

#[derive(Deserialize)]
pub(super) struct BillingPeriod {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageLimit {
    /// In whole dollars.
    pub(super) hard_limit: Option<u32>,
}
