//! The issuer's keys: fetched in the background, kept on disk, and never asked for while nobody
//! visits, so that an idle instance stays asleep.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::KeySet;
use arc_swap::ArcSwap;
use http::{Method, Uri};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::disk;
use crate::link::{Ask, Link};

/// After this long a visit has the keys fetched again, beside the request.
const FRESH_FOR: Duration = Duration::from_secs(5 * 60);
/// After a sleep this long a visit waits a moment for the fetch: a withdrawn key must not open the
/// door to whoever comes first.
const STALE_AFTER: Duration = Duration::from_secs(60 * 60);
/// That moment. An issuer that is slow or away must not hold up those whose keys are known.
const AWAKENING: Duration = Duration::from_millis(500);
/// Between two fetches for keys that nobody has heard of.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// How long a visitor is kept waiting for a fetch.
const VISITOR_WAITS: Duration = Duration::from_secs(4);
/// Longest pause between attempts while there are no keys at all.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The keys that are believed now.
pub(crate) struct Keyring {
    keys: ArcSwap<KeySet>,
    url: Uri,
    link: Link,
    cache: PathBuf,
    flight: Mutex<Flight>,
    /// Counts finished fetches, successful or not.
    landed: watch::Sender<u64>,
}

/// Why keys are fetched.
enum Due {
    /// They are older than they should be.
    Old,
    /// Nobody has asked for them for so long that anything may have happened.
    Sleepy,
}

#[derive(Default)]
struct Flight {
    flying: bool,
    fetched: Option<Instant>,
    attempted: Option<Instant>,
    asked_for_unknown: Option<Instant>,
}

impl Keyring {
    /// Starts with the keys kept on disk, if there are any.
    pub(crate) fn open(url: Uri, link: Link, cache: PathBuf) -> Arc<Self> {
        let kept = match disk::read(&cache) {
            Ok(kept) => kept.and_then(|json| KeySet::parse(&json).ok()),
            Err(error) => {
                tracing::warn!(%error, "The kept keys cannot be read; fetching them");
                None
            }
        };
        Arc::new(Self {
            keys: ArcSwap::from_pointee(kept.unwrap_or_default()),
            url,
            link,
            cache,
            flight: Mutex::default(),
            landed: watch::Sender::new(0),
        })
    }

    /// Fetches once, and goes on trying only while there are no keys at all.
    pub(crate) async fn wake(self: Arc<Self>) {
        let mut pause = Duration::from_millis(250);
        loop {
            self.fetch_and_wait(VISITOR_WAITS).await;
            if !self.keys.load().is_empty() {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_BACKOFF);
        }
    }

    /// The keys to judge a visit by. Has them fetched when they are old.
    pub(crate) async fn keys(self: &Arc<Self>) -> Arc<KeySet> {
        match self.due() {
            Some(Due::Sleepy) => self.fetch_and_wait(AWAKENING).await,
            Some(Due::Old) => drop(self.fetch()),
            None => {}
        }
        self.keys.load_full()
    }

    /// Looks for a key that is not in the set; at most one fetch an interval, whatever the flood.
    pub(crate) async fn keys_after_unknown(self: &Arc<Self>) -> Arc<KeySet> {
        let may_ask = {
            let mut flight = self.flight();
            let due = flight.asked_for_unknown.is_none_or(|at| at.elapsed() >= UNKNOWN_KEY_INTERVAL);
            if due && !flight.flying {
                flight.asked_for_unknown = Some(Instant::now());
            }
            due || flight.flying
        };
        if may_ask {
            self.fetch_and_wait(VISITOR_WAITS).await;
        }
        self.keys.load_full()
    }

    /// How many keys are believed.
    pub(crate) fn len(&self) -> usize {
        self.keys.load().len()
    }

    /// Since they were fetched; `None` when that was in an earlier run, or never.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.flight().fetched.map(|at| at.elapsed())
    }

    /// Whether nothing can be verified yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.load().is_empty()
    }

    /// Whether a fetch is due. Not shortly after an attempt, so that an issuer that is down is not
    /// asked at each visit; keys kept from an earlier run count as old.
    fn due(&self) -> Option<Due> {
        let flight = self.flight();
        let rested = |pause: Duration| flight.attempted.is_none_or(|at| at.elapsed() > pause);
        if rested(STALE_AFTER) {
            return Some(Due::Sleepy);
        }
        let old = flight.fetched.is_none_or(|at| at.elapsed() > FRESH_FOR);
        (old && rested(UNKNOWN_KEY_INTERVAL)).then_some(Due::Old)
    }

    async fn fetch_and_wait(self: &Arc<Self>, patience: Duration) {
        let mut landed = self.fetch();
        // When the time is over the visit is judged by the keys that are there.
        let _ = tokio::time::timeout(patience, landed.changed()).await;
    }

    /// Starts a fetch unless one is under way. It outlives the visitor who caused it, or a client
    /// that hangs up could keep the keys from ever arriving.
    fn fetch(self: &Arc<Self>) -> watch::Receiver<u64> {
        let receiver = self.landed.subscribe();
        let mut flight = self.flight();
        if !flight.flying {
            flight.flying = true;
            flight.attempted = Some(Instant::now());
            tokio::spawn(Arc::clone(self).fly());
        }
        receiver
    }

    async fn fly(self: Arc<Self>) {
        let ask = Ask { method: Method::GET, url: self.url.clone(), token: None, json: None };
        let fetched = match self.link.ask(ask).await {
            Ok(json) => self.take(&json),
            Err(error) => {
                tracing::warn!(url = %self.url, %error, "The issuer's keys could not be fetched");
                false
            }
        };
        let mut flight = self.flight();
        flight.flying = false;
        if fetched {
            flight.fetched = Some(Instant::now());
        }
        drop(flight);
        self.landed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn take(&self, json: &[u8]) -> bool {
        let set = match KeySet::parse(json) {
            Ok(set) => set,
            Err(error) => {
                tracing::warn!(url = %self.url, %error, "The issuer's keys are unusable; keeping the last good ones");
                return false;
            }
        };
        for key in set.passed_over() {
            tracing::debug!(kid = key.kid.as_deref(), why = key.why, "A key was passed over");
        }
        if let Err(error) = disk::replace(&self.cache, json) {
            tracing::warn!(%error, "The issuer's keys could not be kept for a restart");
        }
        self.keys.store(Arc::new(set));
        true
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
