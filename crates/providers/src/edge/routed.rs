use async_trait::async_trait;
use domain::{Email, InstanceId};
use jiff::Timestamp;

use super::{Builtin, Cloudflare, Edge, Entry, OwnAccess, SignIn};
use crate::compute::Origin;
use crate::inventory::{Ceiling, Check, Item};
use crate::{ProviderError, Removed};

/// Cloudflare before the router: one wildcard record leads all hostnames here through Access, and each
/// hostname is a row in the router's own store. Publishing asks nobody.
#[derive(Debug)]
pub struct Routed {
    cloudflare: Cloudflare,
    router: Builtin,
}

impl Routed {
    /// Cloudflare, set up for a wildcard record, and the router that it leads to.
    pub fn new(cloudflare: Cloudflare, router: Builtin) -> Self {
        Self { cloudflare, router }
    }
}

#[async_trait]
impl Edge for Routed {
    fn name(&self) -> &'static str {
        self.cloudflare.name()
    }

    fn issuer(&self) -> String {
        self.cloudflare.issuer()
    }

    async fn audiences(&self, instance: InstanceId) -> Result<Vec<String>, ProviderError> {
        self.cloudflare.audiences(instance).await
    }

    fn own_access(&self) -> Option<&dyn OwnAccess> {
        self.cloudflare.own_access()
    }

    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError> {
        self.cloudflare.cover(hostname, instance).await?;
        self.router.publish(hostname, instance, origin).await
    }

    async fn admit(&self, hostname: &str, instance: InstanceId, members: &[Email]) -> Result<(), ProviderError> {
        if self.router.leads_to(hostname, instance).await? {
            self.cloudflare.let_through(hostname, instance, members).await?;
        }
        Ok(())
    }

    async fn set_entry(&self, hostname: &str, instance: InstanceId, entry: Entry) -> Result<(), ProviderError> {
        self.router.set_entry(hostname, instance, entry).await
    }

    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        // The way first: whoever is let in by mistake then gets nowhere.
        let mut removed = self.router.remove(hostname, instance).await?;
        removed.extend(self.cloudflare.uncover(hostname, instance).await?);
        self.cloudflare.let_nobody_in(hostname, instance).await?;
        Ok(removed)
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        let mut all = self.router.inventory().await?;
        all.extend(self.cloudflare.own_items().await?);
        Ok(all)
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        self.cloudflare.ceilings().await
    }

    async fn sign_ins_since(&self, moment: Timestamp) -> Result<Option<Vec<SignIn>>, ProviderError> {
        self.cloudflare.sign_ins_since(moment).await
    }

    async fn check(&self) -> Vec<Check> {
        self.cloudflare.check().await
    }
}
