use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Opening, Window};

/// What was agreed about the updates of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UpdateRules {
    /// When its customer wants them.
    pub window: Option<Window>,
    /// Its customer asked to be left alone until then.
    pub deferred_until: Option<Timestamp>,
    /// It stays at what it runs.
    pub pin: Option<Pin>,
}

/// An instance stays at its version for a while. Never for ever: what is not updated for ever is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Until then.
    pub until: Timestamp,
    /// Why, for whoever wonders.
    pub because: String,
}

/// Why an instance can't be left alone so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRulesError {
    /// It is over before it begins.
    #[error("that moment has passed")]
    Past,
    /// Longer than customers may put an update off.
    #[error("an update can be put off by {0} days at most")]
    DeferredTooLong(i64),
    /// Longer than operators may pin.
    #[error("an instance can be pinned for {0} days at most, and pinned again then")]
    PinnedTooLong(i64),
}

impl UpdateRules {
    /// How long a customer may put updates off.
    pub const LONGEST_DEFERRAL: SignedDuration = SignedDuration::from_hours(7 * 24);
    /// How long an instance may be pinned.
    pub const LONGEST_PIN: SignedDuration = SignedDuration::from_hours(180 * 24);

    /// Puts updates off. Counted from the first time on, so that putting off again is no way around the limit; after
    /// what was put off has passed, it begins anew.
    ///
    /// # Errors
    /// [`UpdateRulesError`] when it has passed or is too long.
    pub fn defer(&mut self, until: Timestamp, first_at: Timestamp, now: Timestamp) -> Result<(), UpdateRulesError> {
        if until <= now {
            return Err(UpdateRulesError::Past);
        }
        if until.duration_since(first_at) > Self::LONGEST_DEFERRAL {
            return Err(UpdateRulesError::DeferredTooLong(Self::LONGEST_DEFERRAL.as_hours() / 24));
        }
        self.deferred_until = Some(until);
        Ok(())
    }

    /// Keeps it at what it runs.
    ///
    /// # Errors
    /// [`UpdateRulesError`] when it has passed or is too long.
    pub fn pin(&mut self, until: Timestamp, because: String, now: Timestamp) -> Result<(), UpdateRulesError> {
        if until <= now {
            return Err(UpdateRulesError::Past);
        }
        if until.duration_since(now) > Self::LONGEST_PIN {
            return Err(UpdateRulesError::PinnedTooLong(Self::LONGEST_PIN.as_hours() / 24));
        }
        self.pin = Some(Pin { until, because });
        Ok(())
    }

    /// The pin that holds at a moment.
    pub fn pinned(&self, now: Timestamp) -> Option<&Pin> {
        self.pin.as_ref().filter(|pin| pin.until > now)
    }

    /// When an update may begin that may not before a moment; `None`: at any time from that moment on.
    pub fn opening(&self, earliest: Timestamp) -> Option<Opening> {
        let from = self.deferred_until.map_or(earliest, |until| until.max(earliest));
        match &self.window {
            Some(window) => window.opening(from).map(|open| Opening { opens: open.opens.max(from), ..open }),
            None if from > earliest => Some(Opening { opens: from, closes: Timestamp::MAX }),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::Weekday;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn updates_are_put_off_for_a_week_at_most_however_often_one_asks() {
        let first = at("2026-12-01T00:00:00Z");
        let mut rules = UpdateRules::default();
        assert_eq!(rules.defer(at("2026-12-04T00:00:00Z"), first, first), Ok(()));
        let later = at("2026-12-03T00:00:00Z");
        assert_eq!(rules.defer(at("2026-12-08T00:00:00Z"), first, later), Ok(()));
        let tried = rules.defer(at("2026-12-08T00:00:01Z"), first, later);
        assert_eq!(tried, Err(UpdateRulesError::DeferredTooLong(7)));
        assert_eq!(rules.defer(later, first, later), Err(UpdateRulesError::Past));
        assert_eq!(rules.deferred_until, Some(at("2026-12-08T00:00:00Z")));
    }

    #[test]
    fn a_pin_ends_by_itself() {
        let now = at("2026-12-01T00:00:00Z");
        let mut rules = UpdateRules::default();
        rules.pin(at("2026-12-10T00:00:00Z"), "a fair".to_owned(), now).unwrap();
        assert!(rules.pinned(at("2026-12-09T00:00:00Z")).is_some());
        assert!(rules.pinned(at("2026-12-10T00:00:00Z")).is_none());
        assert!(rules.pin(at("2027-12-01T00:00:00Z"), String::new(), now).is_err());
    }

    #[test]
    fn an_update_begins_in_the_window_after_what_was_put_off() {
        let now = at("2026-11-30T12:00:00Z");
        let mut rules = UpdateRules::default();
        assert_eq!(rules.opening(now), None, "at any time");
        rules.deferred_until = Some(at("2026-12-06T03:00:00Z"));
        assert_eq!(rules.opening(now).unwrap().opens, at("2026-12-06T03:00:00Z"));
        // The Sunday on which it ends: only the rest of its window.
        rules.window = Some(Window::new(&[Weekday::Sunday], 2, 3).unwrap());
        let opening = rules.opening(now).unwrap();
        assert_eq!((opening.opens, opening.closes), (at("2026-12-06T03:00:00Z"), at("2026-12-06T05:00:00Z")));
        assert!(!opening.contains(now));
    }
}
