use jiff::Timestamp;

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    /// Nobody has looked after it.
    Open,
    /// Somebody does.
    Acknowledged,
    /// Nobody wants to hear of it until then.
    Silenced {
        /// When it speaks again.
        until: Timestamp,
    },
    /// What it was about is over.
    Resolved {
        /// Until when it stays silent should it come back.
        quiet_until: Option<Timestamp>,
    },
}

/// What can happen to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertEvent {
    /// Its cause was seen, again perhaps.
    Seen,
    /// Somebody looks after it.
    Acknowledge,
    /// Nobody wants to hear of it for a while.
    Silence {
        /// Until then.
        until: Timestamp,
    },
    /// Its cause is gone, or was dealt with.
    Resolve,
    /// Time passed.
    Tick,
}

/// How much of a hurry there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Somebody should look today.
    Warning,
    /// Customers are affected, or money is at stake.
    Critical,
}

/// What is over can't be acknowledged or silenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the alert is resolved")]
pub struct AlertIsOver;

/// A stored word that names no severity, or no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} says nothing of an alert")]
pub struct UnknownAlertWord(pub String);

impl AlertState {
    /// The state after an event at a moment. What happened already changes nothing.
    ///
    /// # Errors
    /// [`AlertIsOver`].
    pub fn after(self, event: AlertEvent, now: Timestamp) -> Result<Self, AlertIsOver> {
        match (self, event) {
            (Self::Silenced { until }, AlertEvent::Seen | AlertEvent::Tick) if until <= now => Ok(Self::Open),
            (Self::Resolved { quiet_until: Some(until) }, AlertEvent::Seen) if until > now => {
                Ok(Self::Silenced { until })
            }
            (Self::Resolved { .. }, AlertEvent::Seen) => Ok(Self::Open),
            (state, AlertEvent::Seen | AlertEvent::Tick) => Ok(state),
            (Self::Resolved { .. }, AlertEvent::Acknowledge | AlertEvent::Silence { .. }) => Err(AlertIsOver),
            (_, AlertEvent::Acknowledge) => Ok(Self::Acknowledged),
            (_, AlertEvent::Silence { until }) => Ok(Self::Silenced { until }),
            (Self::Silenced { until }, AlertEvent::Resolve) => Ok(Self::Resolved { quiet_until: Some(until) }),
            (Self::Resolved { quiet_until }, AlertEvent::Resolve) => Ok(Self::Resolved { quiet_until }),
            (Self::Open | Self::Acknowledged, AlertEvent::Resolve) => Ok(Self::Resolved { quiet_until: None }),
        }
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Silenced { .. } => "silenced",
            Self::Resolved { .. } => "resolved",
        }
    }

    /// The moment that belongs to the state.
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Silenced { until } => Some(until),
            Self::Resolved { quiet_until } => quiet_until,
            Self::Open | Self::Acknowledged => None,
        }
    }

    /// Reads the stored word with its moment.
    ///
    /// # Errors
    /// [`UnknownAlertWord`] for any other word, and for a silence without an end.
    pub fn parse(word: &str, until: Option<Timestamp>) -> Result<Self, UnknownAlertWord> {
        match (word, until) {
            ("open", _) => Ok(Self::Open),
            ("acknowledged", _) => Ok(Self::Acknowledged),
            ("silenced", Some(until)) => Ok(Self::Silenced { until }),
            ("resolved", quiet_until) => Ok(Self::Resolved { quiet_until }),
            _ => Err(UnknownAlertWord(word.to_owned())),
        }
    }

    /// Whether its cause is gone.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved { .. })
    }
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Warning, Self::Critical];

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownAlertWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownAlertWord> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| UnknownAlertWord(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn states() -> [AlertState; 5] {
        [
            AlertState::Open,
            AlertState::Acknowledged,
            AlertState::Silenced { until: at(100) },
            AlertState::Resolved { quiet_until: None },
            AlertState::Resolved { quiet_until: Some(at(100)) },
        ]
    }

    #[test]
    fn whatever_happens_twice_at_one_moment_is_as_if_it_happened_once() {
        let events = [
            AlertEvent::Seen,
            AlertEvent::Acknowledge,
            AlertEvent::Silence { until: at(300) },
            AlertEvent::Resolve,
            AlertEvent::Tick,
        ];
        for state in states() {
            for event in events {
                for now in [at(50), at(100), at(200)] {
                    if let Ok(next) = state.after(event, now) {
                        assert_eq!(next.after(event, now), Ok(next), "{state:?} {event:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_silence_ends_by_itself_and_outlasts_a_cause_that_comes_and_goes() {
        let silenced = AlertState::Silenced { until: at(100) };
        assert_eq!(silenced.after(AlertEvent::Tick, at(99)), Ok(silenced));
        assert_eq!(silenced.after(AlertEvent::Tick, at(100)), Ok(AlertState::Open));
        let gone = silenced.after(AlertEvent::Resolve, at(50)).unwrap();
        assert!(gone.is_over());
        assert_eq!(gone.after(AlertEvent::Seen, at(60)), Ok(silenced));
        assert_eq!(gone.after(AlertEvent::Seen, at(120)), Ok(AlertState::Open));
    }

    #[test]
    fn what_is_over_is_neither_acknowledged_nor_silenced() {
        let over = AlertState::Resolved { quiet_until: None };
        assert_eq!(over.after(AlertEvent::Acknowledge, at(1)), Err(AlertIsOver));
        assert_eq!(over.after(AlertEvent::Silence { until: at(9) }, at(1)), Err(AlertIsOver));
    }

    #[test]
    fn every_state_survives_its_word() {
        for state in states() {
            assert_eq!(AlertState::parse(state.as_str(), state.until()), Ok(state));
        }
        assert!(AlertState::parse("silenced", None).is_err());
        assert!(AlertState::parse("loud", None).is_err());
    }
}
