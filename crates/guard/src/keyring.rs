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
/// After a start, and after a sleep this long, all visits wait a moment for the first fetch: a
/// withdrawn key must not open the door to whoever comes before it has landed.
const STALE_AFTER: Duration = Duration::from_secs(60 * 60);
/// That moment, from the beginning of that fetch on. An issuer that is slow or away must not hold up
/// those whose keys are known for longer, and never at any other time.
const AWAKENING: Duration = Duration::from_millis(500);
/// Between two fetches for keys that nobody has heard of.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// How long a visitor is kept waiting for a fetch.
const VISITOR_WAITS: Duration = Duration::from_secs(4);
/// How long a start without any keys goes on trying by itself. After that a visit has them fetched.
const WAKING: Duration = Duration::from_secs(60);

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

#[derive(Default)]
struct Flight {
    flying: bool,
    /// Until when visits wait for the fetch that is flying, if it is the first in a long time.
    awaited_until: Option<Instant>,
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

    /// Fetches once, and goes on trying for a while if there are no keys at all: with nobody to judge,
    /// whoever is unreachable need not be asked for ever.
    pub(crate) async fn wake(self: Arc<Self>) {
        let began = Instant::now();
        let mut pause = Duration::from_millis(250);
        loop {
            self.fetch_and_wait(VISITOR_WAITS).await;
            if !self.is_empty() {
                return;
            }
            if began.elapsed() + pause > WAKING {
                tracing::warn!(url = %self.url, "No keys could be fetched; the next visit has it tried again");
                return;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// The keys to judge a visit by. Has them fetched when they are old.
    pub(crate) async fn keys(self: &Arc<Self>) -> Arc<KeySet> {
        if let Some((mut landed, until)) = self.fetch_if_due() {
            let _ = tokio::time::timeout_at(until, landed.changed()).await;
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

    /// Starts a fetch if one is due. Not shortly after an attempt, so that an issuer that is down is
    /// not asked at each visit; keys kept from an earlier run count as old. Tells what to wait for, and
    /// until when, as long as that is needed.
    fn fetch_if_due(self: &Arc<Self>) -> Option<(watch::Receiver<u64>, Instant)> {
        let mut flight = self.flight();
        let old = flight.fetched.is_none_or(|at| at.elapsed() > FRESH_FOR);
        if old && flight.has_rested(UNKNOWN_KEY_INTERVAL) {
            self.take_off(&mut flight);
        }
        let until = flight.awaited_until.filter(|until| Instant::now() < *until)?;
        // The lock is held, so it has not landed yet.
        Some((self.landed.subscribe(), until))
    }

    async fn fetch_and_wait(self: &Arc<Self>, patience: Duration) {
        let mut landed = self.landed.subscribe();
        self.take_off(&mut self.flight());
        // When the time is over the visit is judged by the keys that are there.
        let _ = tokio::time::timeout(patience, landed.changed()).await;
    }

    /// Starts a fetch unless one is under way. It outlives the visitor who caused it, or a client
    /// that hangs up could keep the keys from ever arriving.
    fn take_off(self: &Arc<Self>, flight: &mut Flight) {
        if flight.flying {
            return;
        }
        flight.awaited_until = flight.has_rested(STALE_AFTER).then(|| Instant::now() + AWAKENING);
        flight.flying = true;
        flight.attempted = Some(Instant::now());
        tokio::spawn(Arc::clone(self).fly());
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
        flight.awaited_until = None;
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

impl Flight {
    fn has_rested(&self, pause: Duration) -> bool {
        self.attempted.is_none_or(|at| at.elapsed() > pause)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use access::{SigningKey, key_set_json};
    use futures_util::future::join;
    use http::{Response, StatusCode};
    use hyper::service::service_fn;
    use proxy::{Body, Limits, serve};
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const LONG: Duration = Duration::from_secs(3 * 24 * 3600);

    /// A key endpoint that answers as often as it is allowed to.
    struct Endpoint {
        url: Uri,
        asked: AtomicUsize,
        allowed: Semaphore,
        /// Empty: it fails.
        shows: Mutex<String>,
        folder: tempfile::TempDir,
    }

    impl Endpoint {
        async fn showing(shows: &str) -> Arc<Self> {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = Arc::new(Self {
                url: format!("http://{}/certs", listener.local_addr().unwrap()).parse().unwrap(),
                asked: AtomicUsize::new(0),
                allowed: Semaphore::new(0),
                shows: Mutex::new(shows.to_owned()),
                folder: tempfile::tempdir().unwrap(),
            });
            let serving = Arc::clone(&endpoint);
            tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |_| {
                let endpoint = Arc::clone(&serving);
                service_fn(move |_| Arc::clone(&endpoint).answer())
            }));
            endpoint
        }

        async fn answer(self: Arc<Self>) -> Result<Response<Body>, Infallible> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.allowed.acquire().await.unwrap().forget();
            let shows = self.shows.lock().unwrap().clone();
            let status = if shows.is_empty() { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            let mut answer = Response::new(Body::from(shows));
            *answer.status_mut() = status;
            Ok(answer)
        }

        /// A ring of a guard that starts with `kept` on disk.
        fn keyring(&self, kept: &str) -> Arc<Keyring> {
            let cache = self.folder.path().join("certs.json");
            std::fs::write(&cache, kept).unwrap();
            Keyring::open(self.url.clone(), Link::to(&self.url, None, None), cache)
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        /// Waits without letting the clock go on.
        async fn is_asked(&self, times: usize) {
            while self.asked() < times {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Two sets: of one key, and of that and another.
    fn sets() -> (String, String) {
        let [one, other] = [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()];
        (key_set_json(&[&one]), key_set_json(&[&one, &other]))
    }

    /// A visit: how many keys it is judged by, and how long that took.
    async fn visit(keyring: &Arc<Keyring>) -> (usize, Duration) {
        let came = Instant::now();
        let keys = keyring.keys().await.len();
        (keys, came.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_come_before_the_first_fetch_has_landed_are_judged_by_what_it_brings() {
        let (withdrawn, shown) = sets();
        let endpoint = Endpoint::showing(&shown).await;
        let keyring = endpoint.keyring(&withdrawn);
        let waking = tokio::spawn(Arc::clone(&keyring).wake());
        for round in 1..=2 {
            let first = async {
                endpoint.is_asked(round).await;
                visit(&keyring).await
            };
            let others = async {
                endpoint.is_asked(round).await;
                let visits = join(visit(&keyring), visit(&keyring));
                let landing = async { endpoint.allowed.add_permits(1) };
                join(visits, landing).await.0
            };
            let (first, (second, third)) = join(join(visit(&keyring), first), others).await;
            for (keys, _) in [first.0, first.1, second, third] {
                assert_eq!(keys, 3 - round, "round {round}");
            }
            // Of a long sleep the second round wakes, with the other key withdrawn meanwhile.
            tokio::time::sleep(LONG).await;
            *endpoint.shows.lock().unwrap() = withdrawn.clone();
        }
        waking.await.unwrap();
        assert_eq!(endpoint.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_does_not_answer_holds_visits_up_for_half_a_second_once() {
        let (kept, shown) = sets();
        let endpoint = Endpoint::showing(&shown).await;
        let keyring = endpoint.keyring(&kept);
        for _ in 0..2 {
            let later = async {
                tokio::time::sleep(AWAKENING * 3 / 5).await;
                visit(&keyring).await
            };
            let (first, second) = join(visit(&keyring), later).await;
            assert_eq!((first, second), ((1, AWAKENING), (1, AWAKENING * 2 / 5)));
            for _ in 0..100 {
                assert_eq!(visit(&keyring).await, (1, Duration::ZERO), "while it is flying, and after it failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            tokio::time::sleep(LONG).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_keys_it_is_tried_for_a_minute_and_then_only_when_somebody_comes() {
        let (shown, _) = sets();
        let endpoint = Endpoint::showing("").await;
        endpoint.allowed.add_permits(Semaphore::MAX_PERMITS);
        let keyring = endpoint.keyring("");
        Arc::clone(&keyring).wake().await;
        let tries = endpoint.asked();
        assert!((5..=10).contains(&tries), "{tries}");
        tokio::time::sleep(LONG).await;
        assert_eq!(endpoint.asked(), tries, "nobody came");

        assert!(keyring.keys().await.is_empty() && keyring.keys_after_unknown().await.is_empty());
        assert!(endpoint.asked() > tries);
        tokio::time::sleep(UNKNOWN_KEY_INTERVAL * 2).await;
        *endpoint.shows.lock().unwrap() = shown;
        drop(keyring.keys().await);
        assert_eq!(keyring.keys_after_unknown().await.len(), 1, "whoever comes then waits for them");
    }
}
