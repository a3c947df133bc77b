use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use providers::ProviderError;
use providers::compute::Archive;
use providers::inventory::{Check, Verdict};
use providers::storage::{ObjectName, Storage};

use super::Chance;

/// A storage in memory that does not answer, by chance.
#[derive(Clone)]
pub struct Vault {
    kept: Arc<Mutex<BTreeMap<ObjectName, Vec<u8>>>>,
    calls: Arc<AtomicU64>,
    chance: Chance,
    /// So many of a thousand calls fail.
    failing: u64,
}

impl Vault {
    pub fn new(chance: Chance, failing: u64) -> Self {
        Self { kept: Arc::default(), calls: Arc::default(), chance, failing }
    }

    fn answer(&self, what: &str, name: &str) -> Result<(), ProviderError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if self.chance.thousandths(("vault", what, name, call), self.failing) {
            return Err(ProviderError::unavailable(what, "503, try later"));
        }
        Ok(())
    }
}

#[async_trait]
impl Storage for Vault {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn place(&self, name: &ObjectName) -> String {
        format!("memory/{name}")
    }

    async fn put(&self, name: &ObjectName, mut content: Archive) -> Result<(), ProviderError> {
        self.answer("keeping a backup", name.as_str())?;
        let mut kept = Vec::new();
        while let Some(piece) = content.next().await {
            kept.extend_from_slice(&piece.map_err(|why| ProviderError::unavailable("keeping a backup", why))?);
        }
        self.kept.lock().unwrap().insert(name.clone(), kept);
        Ok(())
    }

    async fn get(&self, name: &ObjectName) -> Result<Archive, ProviderError> {
        self.answer("reading a backup", name.as_str())?;
        let kept = self.kept.lock().unwrap().get(name).cloned();
        let kept = kept.ok_or_else(|| ProviderError::not_found(format!("the backup {name}")))?;
        Ok(Archive::written_by(move |sink| sink.write_all(&kept)))
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ProviderError> {
        self.kept.lock().unwrap().remove(name);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<ObjectName>, ProviderError> {
        Ok(self.kept.lock().unwrap().keys().cloned().collect())
    }

    async fn check(&self) -> Vec<Check> {
        let (verdict, found) = match self.answer("looking", "") {
            Ok(()) => (Verdict::Ok, "it answers"),
            Err(_) => (Verdict::Fail, "it does not answer"),
        };
        vec![Check { name: "storage".into(), verdict, found: found.into(), advice: "wait".into() }]
    }
}
