//! What the one-time setup of a provider found out or was told once: ids, and secrets that nobody can
//! ask for again. Kept sealed in the store, all of it, so that nobody has to know which of them is secret.

mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::Db;
use secrecy::{ExposeSecret as _, SecretString};
use world::{Clock, Sealer};

use crate::ProviderError;

pub use store::MIGRATIONS;

/// One part of a setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is about, in words.
    pub what: String,
    /// How it is found.
    pub state: State,
}

/// How a part of a setup is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Present,
    /// It has to be made.
    Missing,
    /// It is there and has to be changed.
    Differs,
}

/// What was found out at each provider.
#[derive(Debug, Clone)]
pub struct Findings {
    db: Db,
    sealer: Arc<Sealer>,
    clock: Clock,
}

/// What is known of one provider, by name.
pub type Known = BTreeMap<String, SecretString>;

impl Findings {
    /// Those kept in this store, sealed by this key.
    pub fn new(db: Db, sealer: Arc<Sealer>, clock: Clock) -> Self {
        Self { db, sealer, clock }
    }

    /// Everything known of a provider.
    ///
    /// # Errors
    /// When the store can't be used, or another installation's key sealed it.
    pub async fn of(&self, provider: &str) -> Result<Known, ProviderError> {
        let rows = store::all(&self.db, provider).await.map_err(unavailable)?;
        let open = |(name, sealed): (String, Vec<u8>)| {
            let opened = self.sealer.open_sealed(&purpose(provider, &name), &sealed).map_err(unavailable)?;
            let text = std::str::from_utf8(opened.expose_secret()).map_err(unavailable)?;
            Ok((name, SecretString::from(text)))
        };
        rows.into_iter().map(open).collect()
    }

    /// Keeps one thing, in place of an earlier one of that name.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn keep(&self, provider: &str, name: &str, value: &SecretString) -> Result<(), ProviderError> {
        self.keep_all(provider, &[(name, value)]).await
    }

    /// Keeps several things that belong together, all of them or none.
    ///
    /// # Errors
    /// As [`Findings::keep`].
    pub async fn keep_all(&self, provider: &str, pairs: &[(&str, &SecretString)]) -> Result<(), ProviderError> {
        let seal = |(name, value): &(&str, &SecretString)| {
            let sealed = self.sealer.seal(&purpose(provider, name), value.expose_secret().as_bytes());
            sealed.map(|sealed| ((*name).to_owned(), sealed))
        };
        let sealed = pairs.iter().map(seal).collect::<Result<Vec<_>, _>>().map_err(unavailable)?;
        store::keep(&self.db, provider, &sealed, self.clock.now()).await.map_err(unavailable)
    }
}

/// Whether a store has a place for them: one from before there were setups has not.
pub async fn are_findings_in(db: &Db) -> bool {
    store::all(db, "").await.is_ok()
}

fn purpose(provider: &str, name: &str) -> String {
    format!("setup of {provider}: {name}")
}

fn unavailable(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::unavailable("keeping what the setup of a provider found out", error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ::store::Engine;
    use ::store::testing::fresh;

    use super::*;

    #[tokio::test]
    async fn what_was_found_out_is_kept_sealed_and_given_back() {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let store = fresh(engine, MIGRATIONS).await;
            let findings = |key| Findings::new(store.db.clone(), Arc::new(Sealer::new([key; 32])), Clock::System);
            let ours = findings(1);
            assert!(ours.of("stripe").await.unwrap().is_empty());
            for value in ["whsec_old", "whsec_new"] {
                ours.keep("stripe", "webhook_secret", &value.into()).await.unwrap();
            }
            ours.keep("cloudflare", "audience", &"aud".into()).await.unwrap();
            let known = ours.of("stripe").await.unwrap();
            assert_eq!(known["webhook_secret"].expose_secret(), "whsec_new");
            assert_eq!(known.len(), 1);
            let told = findings(2).of("stripe").await.unwrap_err().to_string();
            assert!(told.contains("does not open with this installation's key"), "{told}");
        }
    }
}
