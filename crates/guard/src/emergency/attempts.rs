//! Judging guesses: at most so many, one at a time, beside the thread that serves members.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::basic::Credentials;
use super::budget::Budgets;
use super::password::PasswordHash;

/// Whoever asks the same at the same time gets the same answer.
type Verdict = watch::Receiver<Option<bool>>;

/// Judges credentials, as often as there is budget for it.
pub(super) struct Attempts {
    shared: Arc<Shared>,
}

struct Shared {
    hash: PasswordHash,
    /// Of this process alone, so that nobody can compute what two attempts are compared by.
    key: hmac::Key,
    user: hmac::Tag,
    budgets: Mutex<Budgets>,
    under_way: Mutex<HashMap<[u8; 32], Verdict>>,
    /// One hash at a time: a second one would take a second processor, and as much memory again.
    turn: Semaphore,
    hashes: Counter,
}

/// Why an attempt opens nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Wrong,
    /// Not even looked at; for so long there is no budget.
    TooMany(Duration),
}

impl Attempts {
    pub(super) fn new(user: &str, hash: PasswordHash, key: [u8; 32], hashes: Counter) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let user = hmac::sign(&key, user.as_bytes());
        let (budgets, under_way) = (Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { hash, key, user, budgets, under_way, turn: Semaphore::new(1), hashes }) }
    }

    /// Judges credentials. What is right costs nothing of the budget in the end.
    ///
    /// # Errors
    /// [`Failed`].
    pub(super) async fn judge(&self, credentials: Credentials, source: IpAddr) -> Result<(), Failed> {
        self.shared.budgets().take(source, Instant::now()).map_err(Failed::TooMany)?;
        let mut verdict = self.shared.verdict_on(credentials, source);
        let right = verdict.wait_for(Option::is_some).await.is_ok_and(|verdict| *verdict == Some(true));
        if right { Ok(()) } else { Err(Failed::Wrong) }
    }
}

impl Shared {
    fn verdict_on(self: &Arc<Self>, credentials: Credentials, source: IpAddr) -> Verdict {
        let mut name = [0; 32];
        name.copy_from_slice(hmac::sign(&self.key, credentials.pair()).as_ref());
        let mut under_way = self.under_way();
        if let Some(verdict) = under_way.get(&name) {
            // The same guess again tells nobody anything, and costs no hash.
            self.budgets().give_back(source);
            return verdict.clone();
        }
        let (said, verdict) = watch::channel(None);
        under_way.insert(name, verdict.clone());
        let shared = Arc::clone(self);
        // A task of its own: whoever asked may leave, and must pay all the same.
        tokio::spawn(async move {
            let right = Arc::clone(&shared).is_right(credentials).await;
            shared.under_way().remove(&name);
            if right {
                shared.budgets().give_back(source);
            }
            said.send_replace(Some(right));
        });
        verdict
    }

    /// User and password are judged as one: a wrong user takes as long.
    async fn is_right(self: Arc<Self>, credentials: Credentials) -> bool {
        let Ok(_turn) = self.turn.acquire().await else { return false };
        self.hashes.inc();
        let shared = Arc::clone(&self);
        let judged = tokio::task::spawn_blocking(move || {
            let user = hmac::verify(&shared.key, credentials.user(), shared.user.as_ref()).is_ok();
            shared.hash.is_of(credentials.password()) & user
        });
        judged.await.unwrap_or(false)
    }

    fn budgets(&self) -> MutexGuard<'_, Budgets> {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<[u8; 32], Verdict>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use futures_util::future::join_all;
    use http::header::AUTHORIZATION;
    use http::{HeaderMap, HeaderValue};

    use super::super::basic::{self, Basic};
    use super::*;

    fn attempts() -> (Attempts, Counter) {
        let hash = PasswordHash::parse(&PasswordHash::make(b"right", [1; 16]).unwrap()).unwrap();
        let hashes = Counter::default();
        (Attempts::new("root", hash, [2; 32], hashes.clone()), hashes)
    }

    fn credentials(pair: &str) -> Credentials {
        let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).unwrap();
        match basic::sent(&HeaderMap::from_iter([(AUTHORIZATION, value)])) {
            Basic::One(credentials) => credentials,
            _ => panic!("{pair}"),
        }
    }

    fn source(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    #[tokio::test]
    async fn only_the_right_user_with_the_right_password_passes_and_each_guess_costs_a_hash() {
        let (attempts, hashes) = attempts();
        for (number, (pair, expected)) in
            [("root:right", true), ("Root:right", false), ("root:wrong", false), (":right", false), ("root:", false)]
                .into_iter()
                .enumerate()
        {
            let judged = attempts.judge(credentials(pair), source(1)).await;
            assert_eq!(judged.is_ok(), expected, "{pair}");
            assert_eq!(hashes.get(), number as u64 + 1);
        }
    }

    #[tokio::test]
    async fn those_who_ask_the_same_at_once_share_one_hash_and_the_right_ones_pay_nothing() {
        let (attempts, hashes) = attempts();
        let crowd = (0..500).map(|_| attempts.judge(credentials("root:right"), source(1)));
        assert!(join_all(crowd).await.into_iter().all(|judged| judged == Ok(())));
        assert_eq!(hashes.get(), 1);
        let wrong = (0..500).map(|_| attempts.judge(credentials("root:wrong"), source(1)));
        assert!(join_all(wrong).await.into_iter().all(|judged| judged == Err(Failed::Wrong)));
        assert_eq!(hashes.get(), 2);
        for number in 0..20 {
            assert_eq!(attempts.judge(credentials("root:right"), source(1)).await, Ok(()), "{number}");
        }
    }

    #[tokio::test]
    async fn a_flood_is_hashed_twelve_times_and_then_even_the_right_password_is_not_looked_at() {
        let (attempts, hashes) = attempts();
        let flood = (0..3_000_u32).map(|number| {
            attempts.judge(credentials(&format!("user{number}:{number}")), IpAddr::V4((number / 2).into()))
        });
        let judged = join_all(flood).await;
        assert_eq!(judged.iter().filter(|judged| **judged == Err(Failed::Wrong)).count(), 12);
        assert_eq!(hashes.get(), 12);
        let late = attempts.judge(credentials("root:right"), source(200)).await;
        assert!(matches!(late, Err(Failed::TooMany(wait)) if wait <= Duration::from_secs(10)), "{late:?}");
        assert_eq!(hashes.get(), 12);
    }

    #[tokio::test]
    async fn whoever_leaves_before_the_answer_has_paid() {
        let (attempts, hashes) = attempts();
        for number in 0..50 {
            let judging = attempts.judge(credentials(&format!("root:{number}")), source(1));
            assert!(tokio::time::timeout(Duration::ZERO, judging).await.is_err() || number >= 6);
        }
        assert_eq!(attempts.judge(credentials("root:right"), source(2)).await, Ok(()));
        assert_eq!(hashes.get(), 7, "six of the first source, one of the second");
    }
}
