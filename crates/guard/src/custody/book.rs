//! Which orders are taken: those of the main instance, each of them once, and fresh.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use access::orders::{self, NONCE_BYTES, Order, Proven};
use domain::InstanceId;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

/// Whoever kept an order can do nothing with it later than that.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(2);
/// So far the main instance's clock may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_secs(30);

/// Why an order is not even read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It is not the main instance's.
    Unproven,
    /// It is too old, comes a second time, or is from before this guard was there, which can't know whether it does.
    Stale,
}

/// What was ordered lately.
pub(super) struct Book {
    opened_at: Timestamp,
    taken: Mutex<HashMap<[u8; NONCE_BYTES], Timestamp>>,
}

impl Book {
    pub(super) fn open(now: Timestamp) -> Self {
        Self { opened_at: now, taken: Mutex::default() }
    }

    /// Takes an order, and never again.
    pub(super) fn take(
        &self,
        headers: &HeaderMap,
        order: Order,
        (instance, token): (InstanceId, &SecretString),
        now: Timestamp,
    ) -> Result<Proven, NotTaken> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(NotTaken::Unproven) };
        let proof = value.as_bytes().strip_prefix(b"Bearer ").ok_or(NotTaken::Unproven)?;
        let proven = orders::verified(proof, order, instance, token).ok_or(NotTaken::Unproven)?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|_, at| *at + FRESH_FOR >= now);
        let is_fresh = proven.at >= self.opened_at && proven.at + FRESH_FOR >= now && proven.at <= now + AHEAD;
        // One that is ahead is remembered for as long as it is fresh.
        if !is_fresh || taken.insert(proven.nonce, proven.at.max(now)).is_some() {
            return Err(NotTaken::Stale);
        }
        Ok(proven)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn opened() -> Timestamp {
        "2026-11-30T03:00:00Z".parse().unwrap()
    }

    fn instance() -> InstanceId {
        InstanceId::new(Timestamp::UNIX_EPOCH, [7; 10])
    }

    fn given(at: Timestamp, nonce: u8) -> HeaderMap {
        let token = SecretString::from("token");
        let proof = orders::prove(Order::Rest, (instance(), &token), (at, [nonce; NONCE_BYTES]), b"{}");
        HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {proof}").parse().unwrap())])
    }

    fn take(book: &Book, headers: &HeaderMap, now: Timestamp) -> Result<(), NotTaken> {
        book.take(headers, Order::Rest, (instance(), &SecretString::from("token")), now).map(drop)
    }

    #[test]
    fn an_order_is_taken_once_and_while_it_is_fresh() {
        let book = Book::open(opened());
        let (now, minute) = (opened() + SignedDuration::from_mins(10), SignedDuration::from_mins(1));
        let order = given(now, 1);
        assert_eq!(take(&book, &order, now), Ok(()));
        for later in [now, now + minute, now + minute * 3] {
            assert_eq!(take(&book, &order, later), Err(NotTaken::Stale));
        }
        assert_eq!(take(&book, &given(now, 2), now + minute), Ok(()), "another one");
        assert_eq!(take(&book, &given(now, 3), now + minute * 3), Err(NotTaken::Stale), "late");
        assert_eq!(take(&book, &given(now + minute, 4), now), Err(NotTaken::Stale), "from the future");
        let ahead = now + SignedDuration::from_secs(20);
        assert_eq!(take(&book, &given(ahead, 5), now), Ok(()));
        assert_eq!(take(&book, &given(ahead, 5), now + minute * 2), Err(NotTaken::Stale), "and never again");
    }

    #[test]
    fn a_guard_that_was_restarted_takes_nothing_that_was_ordered_before() {
        let book = Book::open(opened());
        let before = opened() - SignedDuration::from_millis(1);
        assert_eq!(take(&book, &given(before, 1), opened()), Err(NotTaken::Stale));
        assert_eq!(take(&book, &given(opened(), 1), opened()), Ok(()));
    }

    #[test]
    fn what_is_not_proven_is_nobodys_order() {
        let book = Book::open(opened());
        let good = given(opened(), 1);
        let mut twice = good.clone();
        twice.append(AUTHORIZATION, good[AUTHORIZATION].clone());
        let basic = HeaderMap::from_iter([(AUTHORIZATION, "Basic eDp5".parse().unwrap())]);
        for headers in [HeaderMap::new(), twice, basic] {
            assert_eq!(take(&book, &headers, opened()), Err(NotTaken::Unproven));
        }
        assert_eq!(take(&book, &good, opened()), Ok(()), "an attempt uses nothing up");
    }
}
