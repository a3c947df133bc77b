//! Hostnames as proxied records at Cloudflare, with Access before them.
//!
//! All hostnames share one wildcard application and one policy, unless an instance has its own (`own.rs`). So the edge
//! tells who somebody is,
//! and the guard decides whether they are a member: the edge's assertion names no hostname. What is
//! looked for before it is made are records, by name; ours bear the comment `spinoff:<instance id>`.
//!
//! Where [`CloudflareSettings::router`] is set, hostnames have no records of their own: one wildcard record, made
//! by the setup, leads all of them to the router (`wildcard.rs`), and [`super::Routed`] publishes there.

mod admissions;
mod api;
mod hostname;
mod inspection;
mod log;
mod own;
mod records;
mod settings;
mod setup;
mod store;
mod wildcard;

use ::store::Db;
use async_trait::async_trait;
use domain::{Email, InstanceId};
use jiff::Timestamp;
use world::{Clock, Entropy};

use super::{Edge, Entry, OwnAccess, SignIn};
use crate::budget::Budget;
use crate::compute::Origin;
use crate::inventory::{Ceiling, Check, Item};
use crate::resources::Resources;
use crate::{ProviderError, Removed};
use api::Rest;
use records::Zone;

pub use settings::CloudflareSettings;
pub use setup::Ready;
pub use store::MIGRATIONS;

/// How the driver is called in the store.
const NAME: &str = "cloudflare";

/// How the ceiling is called that the people are counted by who may sign in: each takes a seat, which is paid for.
pub const SEATS: &str = "Access seats";

/// Publishes hostnames at Cloudflare.
#[derive(Debug)]
pub struct Cloudflare {
    settings: CloudflareSettings,
    rest: Rest,
    zone: Zone,
    resources: Resources,
    clock: Clock,
    db: Db,
}

impl Cloudflare {
    /// A way to Cloudflare that keeps its record in this store. Asks nothing yet.
    ///
    /// # Errors
    /// Refused when the token can't be sent, unavailable when the machine has no certificates.
    pub fn new(settings: CloudflareSettings, db: Db, clock: Clock, entropy: Entropy) -> Result<Self, ProviderError> {
        let budget = Budget::new(db.clone(), clock.clone(), NAME);
        let rest = Rest::new(&settings, budget, clock.clone(), entropy)?;
        let zone = Zone { rest: rest.clone(), path: format!("/zones/{}", settings.zone_id) };
        let resources = Resources::new(db.clone(), clock.clone(), NAME);
        Ok(Self { settings, rest, zone, resources, clock, db })
    }
}

#[async_trait]
impl Edge for Cloudflare {
    fn name(&self) -> &'static str {
        NAME
    }

    fn issuer(&self) -> String {
        self.settings.issuer()
    }

    async fn audiences(&self, instance: InstanceId) -> Result<Vec<String>, ProviderError> {
        self.audiences_of(instance).await
    }

    fn own_access(&self) -> Option<&dyn OwnAccess> {
        Some(self)
    }

    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError> {
        // First, so that no hostname of an instance with an application of its own is ever without it.
        self.cover(hostname, instance).await?;
        self.point(hostname, instance, origin).await
    }

    async fn admit(&self, hostname: &str, instance: InstanceId, members: &[Email]) -> Result<(), ProviderError> {
        self.let_in(hostname, instance, members).await
    }

    /// Nothing changes at Cloudflare: the guard stays behind the hostname and explains a suspension
    /// itself. While an instance is being removed, its hostname goes within moments, and a page of its
    /// own for that time would be one more thing that could be left behind.
    async fn set_entry(&self, _: &str, _: InstanceId, _: Entry) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        self.take_away(hostname, instance).await
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        let mut all = self.items().await?;
        all.extend(self.own_items().await?);
        Ok(all)
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        self.limits().await
    }

    async fn sign_ins_since(&self, moment: Timestamp) -> Result<Option<Vec<SignIn>>, ProviderError> {
        self.logged_since(moment).await.map(Some)
    }

    async fn check(&self) -> Vec<Check> {
        self.checks().await
    }
}
