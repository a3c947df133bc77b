use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// After so many failures in a row the provider is left alone.
const MOST_FAILURES: u32 = 10;
/// For how long at first; doubles with each try that fails.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(2);

/// Leaves a provider alone that has failed many times in a row, then lets one caller try.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    rest_until: Option<Timestamp>,
}

impl Breaker {
    /// How long it rests yet. Of those who ask when the rest is over, one may try: for the others
    /// it goes on until that one's answer is known.
    pub(super) fn refuses_for(&self, now: Timestamp) -> Option<SignedDuration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = state.rest_until?;
        if until > now {
            return Some(until.duration_since(now));
        }
        state.rest_until = Some(now + FIRST_REST);
        None
    }

    pub(super) fn succeeded(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    pub(super) fn failed(&self, now: Timestamp) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.in_a_row += 1;
        if let Some(more) = state.in_a_row.checked_sub(MOST_FAILURES) {
            let rest = FIRST_REST * (1_i32 << more.min(5));
            state.rest_until = Some(now + rest.min(LONGEST_REST));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_row_of_failures_opens_it_one_may_try_and_a_success_closes_it() {
        let breaker = Breaker::default();
        let start: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        for _ in 0..MOST_FAILURES {
            assert_eq!(breaker.refuses_for(start), None);
            breaker.failed(start);
        }
        assert_eq!(breaker.refuses_for(start), Some(FIRST_REST));
        let later = start + FIRST_REST;
        assert_eq!(breaker.refuses_for(later), None);
        assert!(breaker.refuses_for(later).is_some());
        breaker.failed(later);
        assert_eq!(breaker.refuses_for(later), Some(FIRST_REST * 2));
        breaker.succeeded();
        assert_eq!(breaker.refuses_for(later), None);
    }
}
