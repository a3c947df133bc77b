//! A storage in memory that can be told to fail, to lose, and to change what it keeps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use providers::ProviderError;
use providers::compute::Archive;
use providers::inventory::Check;
use providers::storage::{ObjectName, Storage};

#[derive(Default)]
struct State {
    kept: BTreeMap<ObjectName, Vec<u8>>,
    /// Calls that will be answered with "try later", so many times.
    unavailable: u32,
    /// Everything that was ever kept, as whoever copied it has it.
    copied: BTreeMap<ObjectName, Vec<u8>>,
}

/// See the module. Clones share what they keep.
#[derive(Clone, Default)]
pub struct Vault(Arc<Mutex<State>>);

impl Vault {
    /// Answers the next calls with "try later".
    pub fn be_unavailable(&self, calls: u32) {
        self.0.lock().unwrap().unavailable = calls;
    }

    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().kept.keys().map(ToString::to_string).collect()
    }

    /// Whether a word can be read anywhere in it.
    pub fn shows(&self, word: &str) -> bool {
        let state = self.0.lock().unwrap();
        state.copied.values().any(|kept| kept.windows(word.len()).any(|window| window == word.as_bytes()))
    }

    /// One bit of everything changes.
    pub fn rot(&self) {
        for kept in self.0.lock().unwrap().kept.values_mut() {
            let middle = kept.len() / 2;
            kept[middle] ^= 1;
        }
    }

    /// Somebody who copied everything puts it back.
    pub fn bring_copies_back(&self) {
        let mut state = self.0.lock().unwrap();
        state.kept = state.copied.clone();
    }

    fn answer(&self, what: &str) -> Result<(), ProviderError> {
        let mut state = self.0.lock().unwrap();
        if state.unavailable > 0 {
            state.unavailable -= 1;
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
        self.answer("keeping a backup")?;
        let mut kept = Vec::new();
        while let Some(piece) = content.next().await {
            kept.extend_from_slice(&piece.map_err(|why| ProviderError::unavailable("keeping a backup", why))?);
        }
        let mut state = self.0.lock().unwrap();
        state.copied.insert(name.clone(), kept.clone());
        state.kept.insert(name.clone(), kept);
        Ok(())
    }

    async fn get(&self, name: &ObjectName) -> Result<Archive, ProviderError> {
        self.answer("reading a backup")?;
        let kept = self.0.lock().unwrap().kept.get(name).cloned();
        let kept = kept.ok_or_else(|| ProviderError::not_found(format!("the backup {name}")))?;
        Ok(Archive::written_by(move |sink| sink.write_all(&kept)))
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ProviderError> {
        self.answer("removing a backup")?;
        self.0.lock().unwrap().kept.remove(name);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<ObjectName>, ProviderError> {
        self.answer("listing backups")?;
        Ok(self.0.lock().unwrap().kept.keys().cloned().collect())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }
}
