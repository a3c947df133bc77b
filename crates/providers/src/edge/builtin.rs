use ::edge::{EdgeError, HostState, Hostname, Route};
use access::MemberRule;
use async_trait::async_trait;
use domain::{Email, InstanceId};

use super::Edge;
use crate::compute::Origin;
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
}

#[async_trait]
impl Edge for Builtin {
    fn name(&self) -> &'static str {
        "builtin"
    }

    fn issuer(&self) -> String {
        self.edge.issuer().to_owned()
    }

    fn audience(&self, instance: InstanceId) -> String {
        self.edge.audience_of(instance)
    }

    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError> {
        let name = parse(hostname)?;
        let Origin::Address(upstream) = origin;
        if let Some(existing) = self.edge.find(&name).await.map_err(failed("looking for a hostname"))?
            && existing.route.instance != Some(instance)
        {
            return Err(ProviderError::refused(
                format!("publishing {hostname}"),
                "it leads to another instance",
                "remove that instance first, or choose another name",
            ));
        }
        let audience = self.edge.audience_of(instance);
        let route = Route { hostname: name, instance: Some(instance), upstream: *upstream, audience };
        self.edge.publish(&route).await.map_err(failed("publishing a hostname"))
    }

    async fn admit(&self, hostname: &str, members: &[Email]) -> Result<(), ProviderError> {
        let rules: Vec<MemberRule> = members.iter().cloned().map(MemberRule::Exact).collect();
        let name = parse(hostname)?;
        self.edge.set_admissions(&name, &rules).await.map_err(failed("telling the edge who may enter"))
    }

    async fn admit_to_site(&self, person: &Email) -> Result<(), ProviderError> {
        let rule = MemberRule::Exact(person.clone());
        let admitted = self.edge.admit(self.edge.site(), &rule).await;
        admitted.map(drop).map_err(failed("letting a person sign in to the site"))
    }

    async fn close(&self, hostname: &str, instance: InstanceId) -> Result<(), ProviderError> {
        let name = parse(hostname)?;
        let closed = self.edge.set_state_of(&name, instance, HostState::Deleting).await;
        closed.map(drop).map_err(failed("closing a hostname"))
    }

    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let name = parse(hostname)?;
        Ok(if self.edge.unpublish_of(&name, instance).await.map_err(failed("removing a hostname"))? {
            vec![Removed::new("hostname", hostname), Removed::new("access rules", hostname)]
        } else {
            vec![]
        })
    }

    async fn list_hostnames(&self) -> Result<Vec<String>, ProviderError> {
        let published = self.edge.list().await.map_err(failed("listing hostnames"))?;
        let of_instances = published.into_iter().filter(|entry| entry.route.instance.is_some());
        Ok(of_instances.map(|entry| entry.route.hostname.as_str().to_owned()).collect())
    }
}

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
            EdgeError::AudienceTaken { .. } => "remove that instance first",
            EdgeError::Unreadable(_) => "run the version that wrote it, or restore the store from a backup",
            EdgeError::Store(_) | EdgeError::Seal(_) | EdgeError::Issuer(_) | EdgeError::KeySet(_) => {
                return ProviderError::unavailable(what, error);
            }
        };
        ProviderError::refused(what, error, next)
    }
}
