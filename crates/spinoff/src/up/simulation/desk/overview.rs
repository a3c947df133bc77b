//! What the three providers hold at this moment, in words and as data.

use serde::Serialize;
use serde_json::Value;
use simulators::cloudflare::Rule;
use simulators::railway::{Fate, ProjectSeen};
use simulators::{Call, Fault, Served};

use crate::up::simulation::providers::Providers;

/// So many of the last calls are shown.
const LATEST: usize = 12;

#[derive(Debug, Serialize)]
pub struct Overview {
    pub railway: AtRailway,
    pub cloudflare: AtCloudflare,
    pub stripe: AtStripe,
}

#[derive(Debug, Serialize)]
pub struct AtRailway {
    /// Those that are not deleted.
    pub projects: Vec<Project>,
    pub api: Api,
}

#[derive(Debug, Serialize)]
pub struct Project {
    pub name: String,
    pub description: String,
    pub is_scheduled_for_deletion: bool,
    /// In Railway's words.
    pub deployment: Option<&'static str>,
    pub volumes: usize,
    pub hostnames: Vec<Hostname>,
}

#[derive(Debug, Serialize)]
pub struct Hostname {
    pub name: String,
    pub is_verified: bool,
}

#[derive(Debug, Serialize)]
pub struct AtCloudflare {
    pub records: Vec<Record>,
    /// Access applications, by what they protect.
    pub applications: Vec<String>,
    /// Whom the policies let through.
    pub let_in: Vec<String>,
    pub seats: Vec<String>,
    pub api: Api,
}

#[derive(Debug, Serialize)]
pub struct Record {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub content: String,
    pub proxied: bool,
    pub comment: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct AtStripe {
    /// Those that did not end.
    pub subscriptions: Vec<Object>,
    /// Pages on which somebody may still pay.
    pub open_checkouts: Vec<Object>,
    pub customers: Vec<Object>,
    pub invoices: Vec<Object>,
    pub webhooks_waiting: usize,
    pub api: Api,
}

/// Something of Stripe's.
#[derive(Debug, Serialize)]
pub struct Object {
    pub id: String,
    pub about: String,
    pub status: String,
}

#[derive(Debug, Serialize)]
pub struct Api {
    pub url: String,
    /// Newest first.
    pub latest_calls: Vec<Asked>,
}

#[derive(Debug, Serialize)]
pub struct Asked {
    pub at: String,
    pub operation: String,
    pub outcome: String,
}

impl Overview {
    pub fn of(providers: &Providers) -> Self {
        let projects = providers.railway.projects().into_iter();
        let (cloudflare, stripe) = (&providers.cloudflare, &providers.stripe);
        let records = cloudflare.records().into_iter().map(|record| Record {
            kind: record.kind,
            name: record.name,
            content: record.content,
            proxied: record.proxied,
            comment: record.comment,
        });
        let checkouts = stripe.checkout_sessions().into_iter().filter(|session| session["status"] == "open");
        Self {
            railway: AtRailway {
                projects: projects.filter(|project| project.fate != Fate::Deleted).map(Project::of).collect(),
                api: Api::of(&providers.railway_api),
            },
            cloudflare: AtCloudflare {
                records: records.collect(),
                applications: cloudflare.apps().iter().map(|app| app.domain().to_owned()).collect(),
                let_in: cloudflare.policies().iter().flat_map(|policy| policy.include()).filter_map(meant).collect(),
                seats: cloudflare.seats(),
                api: Api::of(&providers.cloudflare_api),
            },
            stripe: AtStripe {
                subscriptions: objects(stripe.live_subscriptions(), |held| text(&held["metadata"]["spinoff_instance"])),
                open_checkouts: objects(checkouts, |held| text(&held["client_reference_id"])),
                customers: objects(stripe.customers(), |held| text(&held["email"])),
                invoices: objects(stripe.invoices(), |held| {
                    format!("{} cents in {}", held["total"], text(&held["currency"]))
                }),
                webhooks_waiting: stripe.deliveries_waiting(),
                api: Api::of(&providers.stripe_api),
            },
        }
    }
}

impl Project {
    fn of(seen: ProjectSeen) -> Self {
        let registered = seen.custom_domains.into_iter().map(|held| (held.domain, held.is_verified));
        // Nobody has to verify a name that Railway chose.
        let hostnames = registered.chain(seen.service_domains.into_iter().map(|name| (name, true)));
        Self {
            name: seen.name,
            description: seen.description.unwrap_or_default(),
            is_scheduled_for_deletion: seen.fate == Fate::Scheduled,
            deployment: seen.services.iter().find_map(|service| service.latest_deployment),
            volumes: seen.volumes.len(),
            hostnames: hostnames.map(|(name, is_verified)| Hostname { name, is_verified }).collect(),
        }
    }
}

impl Api {
    fn of(served: &Served) -> Self {
        Self {
            url: served.url.clone(),
            latest_calls: served.journal.latest(LATEST).into_iter().map(Asked::of).collect(),
        }
    }
}

impl Asked {
    fn of(call: Call) -> Self {
        let answered = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let outcome = match call.fault {
            None => answered,
            Some(Fault::ResetBefore) => "broken before the effect".to_owned(),
            Some(Fault::ResetAfter) => "broken after the effect".to_owned(),
            Some(Fault::Slow(time)) => format!("{answered}, {} ms late", time.as_millis()),
            Some(Fault::Hang) => "never answered".to_owned(),
            Some(Fault::Status(_) | Fault::TooMany { .. }) => format!("{answered}, on purpose"),
        };
        Self { at: call.at.to_string(), operation: call.operation, outcome }
    }
}

fn meant(rule: &Rule) -> Option<String> {
    match rule {
        Rule::Email { email } => Some(email.clone()),
        Rule::EmailDomain { domain } => Some(format!("@{domain}")),
        _ => None,
    }
}

fn objects(all: impl IntoIterator<Item = Value>, about: impl Fn(&Value) -> String) -> Vec<Object> {
    let object = |held: Value| Object { id: text(&held["id"]), about: about(&held), status: text(&held["status"]) };
    all.into_iter().map(object).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
