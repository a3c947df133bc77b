//! The built-in edge, with a log of sign-ins as other edges keep one.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::{Email, InstanceId};
use jiff::Timestamp;
use providers::compute::Origin;
use providers::edge::{Builtin, Edge, Entry, SignIn};
use providers::inventory::{Ceiling, Check, Item};
use providers::{ProviderError, Removed};

/// What the edge saw; `None` where it keeps no log.
pub type Log = Arc<Mutex<Option<Vec<SignIn>>>>;

pub struct Door {
    pub edge: Builtin,
    pub log: Log,
}

#[async_trait]
impl Edge for Door {
    fn name(&self) -> &'static str {
        self.edge.name()
    }

    fn issuer(&self) -> String {
        self.edge.issuer()
    }

    async fn audiences(&self, instance: InstanceId) -> Result<Vec<String>, ProviderError> {
        self.edge.audiences(instance).await
    }

    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError> {
        self.edge.publish(hostname, instance, origin).await
    }

    async fn admit(&self, hostname: &str, instance: InstanceId, members: &[Email]) -> Result<(), ProviderError> {
        self.edge.admit(hostname, instance, members).await
    }

    async fn set_entry(&self, hostname: &str, instance: InstanceId, entry: Entry) -> Result<(), ProviderError> {
        self.edge.set_entry(hostname, instance, entry).await
    }

    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        self.edge.remove(hostname, instance).await
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        self.edge.inventory().await
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        self.edge.ceilings().await
    }

    async fn sign_ins_since(&self, moment: Timestamp) -> Result<Option<Vec<SignIn>>, ProviderError> {
        let log = self.log.lock().unwrap().clone();
        Ok(log.map(|rows| rows.into_iter().filter(|row| row.at >= moment).collect()))
    }

    async fn check(&self) -> Vec<Check> {
        self.edge.check().await
    }
}
