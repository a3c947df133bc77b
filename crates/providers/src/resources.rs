//! What we have made at a provider, or were about to make: the intent is stored before the effect,
//! so that an answer that never came ends in adoption and not in a duplicate.

mod store;

use ::store::{Db, sqlx};
use domain::InstanceId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use world::Clock;

use crate::ProviderError;

pub use store::MIGRATIONS;

/// How often to look for what an answer that never came may have left.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// Which thing of which instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `project`, `service`, `volume`, `domain`, `record`, …
    pub kind: &'static str,
    /// Our own deterministic name for it.
    pub name: String,
    /// For which instance.
    pub instance: InstanceId,
}

/// A thing as it was found or made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The provider's id of it.
    pub id: String,
    /// What else is worth keeping, as JSON: a target, a token.
    pub detail: Option<String>,
}

impl Made {
    /// A thing that its id says all about.
    pub fn plain(id: impl Into<String>) -> Self {
        Self { id: id.into(), detail: None }
    }
}

/// A thing as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `project`, …
    pub kind: String,
    /// Our name for it.
    pub name: String,
    /// For which instance.
    pub instance: InstanceId,
    /// What is known of it; `None` while only the intent is.
    pub made: Option<Made>,
    /// When it was first intended.
    pub intended_at: Timestamp,
    /// When the provider was last asked to make it, if that was not refused.
    pub asked_at: Option<Timestamp>,
}

/// The things at one provider.
#[derive(Debug, Clone)]
pub struct Resources {
    db: Db,
    clock: Clock,
    provider: String,
}

impl Resources {
    /// The things at this provider, kept in this store. What is made at one provider for several homes is filed apart, as
    /// `<provider>/<home>`: an instance that moves has the same things in two of them.
    pub fn new(db: Db, clock: Clock, provider: impl Into<String>) -> Self {
        Self { db, clock, provider: provider.into() }
    }

    /// Gives the thing, made exactly once: as it is recorded, else as `look` finds it, else as
    /// `make` makes it. When `make` was asked before and no answer came, it is asked again only
    /// after `lag`, the time within which the provider would show what it made.
    ///
    /// # Errors
    /// What `look` and `make` say; [`ProviderError::NotYet`] while an earlier request may still
    /// show an effect; [`ProviderError::Unavailable`] when the store can't be used.
    pub async fn ensure(
        &self,
        key: &Key,
        lag: SignedDuration,
        look: impl AsyncFnOnce() -> Result<Option<Made>, ProviderError>,
        make: impl AsyncFnOnce() -> Result<Made, ProviderError>,
    ) -> Result<Made, ProviderError> {
        let known = store::intend(&self.db, &self.provider, key, self.clock.now()).await.map_err(unavailable)?;
        if let Some(made) = known.made {
            return Ok(made);
        }
        if let Some(found) = look().await? {
            self.keep(key, &found).await?;
            return Ok(found);
        }
        let now = self.clock.now();
        if let Some(until) = known.asked_at.map(|asked| asked + lag).filter(|until| *until > now) {
            let why = format!("{} may have made the {} without an answer; looking for it", self.provider, key.kind);
            return Err(ProviderError::NotYet { why, after: until.duration_since(now).min(LOOK_AGAIN) });
        }
        store::asking(&self.db, &self.provider, key, Some(now)).await.map_err(unavailable)?;
        match make().await {
            Ok(made) => {
                self.keep(key, &made).await?;
                Ok(made)
            }
            Err(error @ ProviderError::Lost { .. }) => Err(error),
            // It was refused, or never asked: nothing was made.
            Err(error) => {
                store::asking(&self.db, &self.provider, key, None).await.map_err(unavailable)?;
                Err(error)
            }
        }
    }

    /// One thing, if anything is known of it.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn find(&self, key: &Key) -> Result<Option<Resource>, ProviderError> {
        let all = self.of(key.instance).await?;
        Ok(all.into_iter().find(|thing| thing.kind == key.kind && thing.name == key.name))
    }

    /// All that is known of an instance, in the order in which it was intended.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn of(&self, instance: InstanceId) -> Result<Vec<Resource>, ProviderError> {
        store::of(&self.db, &self.provider, instance).await.map_err(unavailable)
    }

    /// The things of this kind and name, one for each instance that has or had one, the oldest first.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn named(&self, kind: &'static str, name: &str) -> Result<Vec<Resource>, ProviderError> {
        store::named(&self.db, &self.provider, kind, name).await.map_err(unavailable)
    }

    /// All things of a kind: for those who look at everything.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn of_kind(&self, kind: &'static str) -> Result<Vec<Resource>, ProviderError> {
        store::of_kind(&self.db, &self.provider, kind).await.map_err(unavailable)
    }

    /// Records a thing as it is now.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn keep(&self, key: &Key, made: &Made) -> Result<(), ProviderError> {
        store::keep(&self.db, &self.provider, key, made, self.clock.now()).await.map_err(unavailable)
    }

    /// Forgets a thing that is gone.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn forget(&self, key: &Key) -> Result<(), ProviderError> {
        store::forget(&self.db, &self.provider, key).await.map_err(unavailable)
    }

    /// Forgets all of an instance: everything is gone.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn forget_all(&self, instance: InstanceId) -> Result<(), ProviderError> {
        store::forget_all(&self.db, &self.provider, instance).await.map_err(unavailable)
    }
}

fn unavailable(error: sqlx::Error) -> ProviderError {
    ProviderError::unavailable("keeping record of what exists at a provider", error)
}

#[cfg(test)]
mod tests;
