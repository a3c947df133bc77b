//! Where hostnames lead, who may enter there, and what is remembered of both.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Email, InstanceId};
use jiff::{SignedDuration, Timestamp};
use store::Db;

use crate::hostname::Hostname;
use crate::origin::Origin;
use crate::{EdgeError, store as rows};

/// Where a hostname leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name, one below the base domain.
    pub hostname: Hostname,
    /// Whose it is, if an instance's.
    pub instance: Option<InstanceId>,
    /// Where the instance's guard is.
    pub upstream: Origin,
    /// What assertions for this hostname name as their audience.
    pub audience: String,
}

/// A route with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it leads.
    pub route: Route,
    /// Whether it leads there now.
    pub state: HostState,
    /// A sentence for visitors about that state.
    pub note: Option<String>,
}

/// Whether visitors are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostState {
    /// Being made: visitors see a page that looks again by itself.
    Starting,
    /// Members are let through.
    Active,
    /// Visitors see why not.
    Suspended,
    /// Being removed.
    Deleting,
}

impl HostState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Starting, Self::Active, Self::Suspended, Self::Deleting].into_iter().find(|state| state.as_str() == word)
    }
}

/// How long an answer of the store is believed. What this process changes holds at once; what
/// another replica changes holds within this second.
const BELIEVED: SignedDuration = SignedDuration::from_secs(1);

/// Answers remembered at most: names and addresses come from strangers, memory must not.
const MOST_REMEMBERED: usize = 10_000;

/// Looks hostnames and admissions up, and remembers the answers for a moment.
#[derive(Debug, Default)]
pub(crate) struct Hostnames {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts changes made here, so that an answer read before a change is not remembered after it.
    changes: u64,
    routes: Remembered<Hostname, Option<Published>>,
    admissions: Remembered<(Hostname, Email), bool>,
}

impl Hostnames {
    pub(crate) async fn find(&self, db: &Db, name: &Hostname, now: Timestamp) -> Result<Option<Published>, EdgeError> {
        self.look_up(|state| &mut state.routes, name.clone(), now, rows::find(db, name)).await
    }

    pub(crate) async fn admits(
        &self,
        db: &Db,
        name: &Hostname,
        email: &Email,
        now: Timestamp,
    ) -> Result<bool, EdgeError> {
        let key = (name.clone(), email.clone());
        let read = async { Ok(rows::admits(db, name, email).await?) };
        self.look_up(|state| &mut state.admissions, key, now, read).await
    }

    async fn look_up<K: Eq + Hash, V: Clone>(
        &self,
        part: fn(&mut State) -> &mut Remembered<K, V>,
        key: K,
        now: Timestamp,
        read: impl Future<Output = Result<V, EdgeError>>,
    ) -> Result<V, EdgeError> {
        let changes = {
            let mut state = self.lock();
            if let Some(known) = part(&mut state).get(&key, now) {
                return Ok(known);
            }
            state.changes
        };
        let found = read.await?;
        let mut state = self.lock();
        if state.changes == changes {
            part(&mut state).put(key, found.clone(), now);
        }
        Ok(found)
    }

    /// Forgets everything, since something changed. Changes are rare, looking up again is cheap.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.changes = state.changes.wrapping_add(1);
        state.routes.clear();
        state.admissions.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Remembered<K, V>(HashMap<K, (V, Timestamp)>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        self.0.get(key).filter(|(_, since)| is_fresh(*since, now)).map(|(value, _)| value.clone())
    }

    fn put(&mut self, key: K, value: V, now: Timestamp) {
        if self.0.len() >= MOST_REMEMBERED {
            self.0.retain(|_, (_, since)| is_fresh(*since, now));
        }
        if self.0.len() >= MOST_REMEMBERED {
            self.0.clear();
        }
        self.0.insert(key, (value, now));
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A moment in the future, after the clock was set back, is not fresh either.
fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(since);
    !age.is_negative() && age < BELIEVED
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let (hostnames, now) = (Hostnames::default(), Timestamp::UNIX_EPOCH);
        let key = (Hostname::parse("acme.localhost").unwrap(), Email::parse("ada@example.com").unwrap());
        let look_up = async |answer: bool, changed_meanwhile: bool| {
            let read = async {
                if changed_meanwhile {
                    hostnames.forget();
                }
                Ok(answer)
            };
            hostnames.look_up(|state| &mut state.admissions, key.clone(), now, read).await.unwrap()
        };
        assert!(look_up(true, true).await);
        assert!(!look_up(false, false).await, "an admission outlived its removal");
        assert!(!look_up(true, false).await, "nothing changed, yet the store was asked again");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_short_lived() {
        let now = Timestamp::UNIX_EPOCH;
        let mut remembered = Remembered::default();
        for key in 0..3 * MOST_REMEMBERED {
            remembered.put(key, (), now);
        }
        assert!(remembered.0.len() <= MOST_REMEMBERED);
        let last = 3 * MOST_REMEMBERED - 1;
        assert_eq!(remembered.get(&last, now + SignedDuration::from_millis(999)), Some(()));
        assert_eq!(remembered.get(&last, now + BELIEVED), None);
        assert_eq!(remembered.get(&last, now - SignedDuration::from_millis(1)), None);
    }
}
