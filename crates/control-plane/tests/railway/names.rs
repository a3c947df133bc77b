use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::{Email, InstanceId};
use providers::compute::Origin;
use providers::edge::{Edge, Entry};
use providers::inventory::{Ceiling, Check, Item};
use providers::{ProviderError, Removed};
use simulators::railway::Dns;

/// An edge that is nothing but the DNS records it publishes, which Railway looks at.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<BTreeMap<String, Record>>>);

struct Record {
    instance: InstanceId,
    target: String,
    proof: Option<(String, String)>,
}

impl Names {
    pub fn published(&self) -> Vec<String> {
        self.records().keys().cloned().collect()
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.0.lock().unwrap()
    }
}

impl Dns for Names {
    fn txt(&self, name: &str) -> Vec<String> {
        let records = self.records();
        let proofs = records.values().filter_map(|record| record.proof.as_ref());
        proofs.filter(|(at, _)| at == name).map(|(_, text)| text.clone()).collect()
    }

    fn cname(&self, name: &str) -> Option<String> {
        self.records().get(name).map(|record| record.target.clone())
    }
}

#[async_trait]
impl Edge for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn issuer(&self) -> String {
        "https://team.example.com".to_owned()
    }

    fn audience(&self, _instance: InstanceId) -> String {
        "4714c135".to_owned()
    }

    async fn publish(&self, hostname: &str, instance: InstanceId, origin: &Origin) -> Result<(), ProviderError> {
        let Origin::Name { target, proof } = origin else { panic!("{origin:?} is not at Railway") };
        let proof = proof.as_ref().map(|proof| (proof.name.clone(), proof.text.clone()));
        self.records().insert(hostname.to_owned(), Record { instance, target: target.clone(), proof });
        Ok(())
    }

    async fn admit(&self, _: &str, _: InstanceId, _: &[Email]) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn set_entry(&self, _: &str, _: InstanceId, _: Entry) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn remove(&self, hostname: &str, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let mut records = self.records();
        if records.get(hostname).is_none_or(|record| record.instance != instance) {
            return Ok(Vec::new());
        }
        records.remove(hostname);
        Ok(vec![Removed::new("hostname", hostname)])
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        Ok(Vec::new())
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }
}
