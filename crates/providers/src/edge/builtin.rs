use ::edge::{EdgeError, HostState, Hostname, Route};
use access::MemberRule;
use async_trait::async_trait;
use domain::{Email, InstanceId};

use super::{Edge, Entry};
use crate::compute::Origin;
use crate::inventory::{Ceiling, Check, Item};
use crate::{ProviderError, Removed};

/// The edge that runs in the main instance's own process.
#[derive(Clone)]
pub struct Builtin {
    edge: ::edge::Edge,
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builtin").field("issuer", &self.edge.issuer()).finish_non_exhaustive()
    }
}

impl Builtin {
    /// Drives this edge.
    pub fn new(edge: ::edge::Edge) -> Self {
        Self { edge }
    }

    /// Whether a hostname is published for this instance.
    pub(super) async fn leads_to(&self, hostname: &str, instance: InstanceId) -> Result<bool, ProviderError> {
        let found = self.edge.find(&parse(hostname)?).await.map_err(failed("looking up a hostname"))?;
        Ok(found.is_some_and(|found| found.route.instance == Some(instance)))
    }
}

#[async_trait]
impl Edge for Builtin {
    fn name(&self) -> &'static str {
        "builtin"
    }

    fn issuer(&self) -> String {
        self.edge.issuer().to_owned()
    }

    async fn audiences(&self, instance: InstanceId) -> Result<Vec<String>, ProviderError> {
        Ok(vec![self.edge.audience_of(instance)])
    }

    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError> {
        let name = parse(hostname)?;
        let upstream = match origin {
            Origin::Address(address) => ::edge::Origin::Address(*address),
            Origin::Name { target, proof: None } => {
                let name = Hostname::parse(target)
                    .map_err(|error| ProviderError::refused(format!("publishing {hostname}"), error, AT_COMPUTE))?;
                ::edge::Origin::Name(name)
            }
            Origin::Name { proof: Some(_), .. } => {
                let why = "its compute provider wants a DNS record for each hostname, which the router makes none of";
                return Err(ProviderError::refused(format!("publishing {hostname}"), why, ROUTING));
            }
        };
        let audience = self.edge.audience_of(instance);
        let route = Route { hostname: name, instance: Some(instance), upstream, audience };
        self.edge.publish(&route).await.map_err(failed("publishing a hostname"))
    }

    async fn admit(&self, hostname: &str, instance: InstanceId, members: &[Email]) -> Result<(), ProviderError> {
        let rules: Vec<MemberRule> = members.iter().cloned().map(MemberRule::Exact).collect();
        let name = parse(hostname)?;
        let told = self.edge.set_admissions_of(&name, instance, &rules).await;
        told.map(drop).map_err(failed("telling the edge who may enter"))
    }

    async fn set_entry(&self, hostname: &str, instance: InstanceId, entry: Entry) -> Result<(), ProviderError> {
        let name = parse(hostname)?;
        let (state, note) = match &entry {
            Entry::Open => (HostState::Active, None),
            Entry::Suspended => (HostState::Suspended, None),
            Entry::Cancelled { note } => (HostState::Suspended, Some(note.as_str())),
            Entry::Deleting => (HostState::Deleting, None),
        };
        let set = self.edge.set_state_of(&name, instance, state, note).await;
        set.map(drop).map_err(failed("opening or closing a hostname"))
    }

    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let name = parse(hostname)?;
        Ok(if self.edge.unpublish_of(&name, instance).await.map_err(failed("removing a hostname"))? {
            vec![Removed::new("hostname", hostname), Removed::new("access rules", hostname)]
        } else {
            vec![]
        })
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        let published = self.edge.list().await.map_err(failed("listing hostnames"))?;
        let of_instances = published.into_iter().filter(|entry| entry.route.instance.is_some());
        let item = |entry: ::edge::Published| Item {
            kind: "hostname",
            id: entry.route.hostname.as_str().to_owned(),
            name: entry.route.hostname.as_str().to_owned(),
            instance: entry.route.instance,
            created_at: None,
            monthly_cost: None,
            drift: None,
        };
        Ok(of_instances.map(item).collect())
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }
}

const ROUTING: &str = "set [edge] routing = \"wildcard\", or [edge] driver = \"cloudflare\"";

const AT_COMPUTE: &str = "look at the instance's hostnames at the compute provider";

fn parse(hostname: &str) -> Result<Hostname, ProviderError> {
    Hostname::parse(hostname).map_err(|error| {
        ProviderError::refused(format!("reading the hostname {hostname}"), error, "check [site] base_domain")
    })
}

fn failed(what: &'static str) -> impl Fn(EdgeError) -> ProviderError {
    move |error| {
        let next = match &error {
            EdgeError::NotBelow { .. } | EdgeError::PublicUrl(_) => "check [site] public_url and base_domain",
            EdgeError::AppSite(_) => "choose another name",
            EdgeError::Loop { .. } => AT_COMPUTE,
            EdgeError::HostnameTaken(_) => "remove that instance first, or choose another name",
            EdgeError::AudienceTaken { .. } => "remove that instance first",
            EdgeError::Unreadable(_) => "run the version that wrote it, or restore the store from a backup",
            EdgeError::Store(_)
            | EdgeError::Seal(_)
            | EdgeError::Issuer(_)
            | EdgeError::KeySet(_)
            | EdgeError::Certificates(_) => {
                return ProviderError::unavailable(what, error);
            }
        };
        ProviderError::refused(what, error, next)
    }
}
