//! Instances that were made ahead of their customers, where making one takes minutes. Each is whole, lets
//! nobody in, and has a name of its own; whoever signs up starts on one at once, and the name that they
//! chose takes over when it is connected. None is ever given to a second customer.

pub(crate) mod claim;
pub(crate) mod discard;
pub(crate) mod keeper;
mod names;
pub(crate) mod prepare;
pub(crate) mod store;

use ::store::sqlx::Error;
use domain::{Cents, InstanceState};
use jiff::Timestamp;

use crate::app::Core;
use crate::instances::Place;

/// An instance that nobody ordered yet, or that somebody did since.
#[derive(Debug, Clone)]
pub(crate) struct Warm {
    pub place: Place,
    pub state: WarmState,
    /// What it was made from.
    pub release: String,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// What its provider last said that it costs.
    pub monthly_cost: Option<Cents>,
}

/// Those that exist and are no customer's.
pub(crate) struct Stock {
    pub ready: u32,
    /// What they cost a month, as far as that is known.
    pub monthly_cost: Option<Cents>,
    /// Oldest first.
    pub all: Vec<Warm>,
}

pub(crate) async fn stock(core: &Core) -> Result<Stock, Error> {
    let all = store::unclaimed(core.db.read()).await?;
    let ready = all.iter().filter(|one| one.state == WarmState::Ready).count();
    let costs = all.iter().filter_map(|one| one.monthly_cost);
    Ok(Stock {
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        monthly_cost: costs.reduce(|sum, cost| sum.checked_add(cost).unwrap_or(sum)),
        all,
    })
}

/// Where an instance that was made ahead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WarmState {
    /// Being made.
    Preparing,
    /// Whole; nobody has it.
    Ready,
    /// A customer's. What becomes of it is in the record of their instance.
    Claimed,
    /// Being taken down.
    Discarding,
    /// Gone.
    Discarded,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WarmEvent {
    /// It answers, and refuses strangers.
    Prepared,
    /// Somebody signed up.
    Claim,
    /// Nobody is to have it, or whoever had it did not want it in the end.
    Discard,
    /// All of it is gone.
    Removed,
}

impl WarmState {
    const ALL: [Self; 5] = [Self::Preparing, Self::Ready, Self::Claimed, Self::Discarding, Self::Discarded];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Claimed => "claimed",
            Self::Discarding => "discarding",
            Self::Discarded => "discarded",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state after an event; one that happened already changes nothing. `None` when it has no place here:
    /// above all, nobody gets what somebody had.
    pub(crate) const fn after(self, event: WarmEvent) -> Option<Self> {
        match (self, event) {
            (Self::Preparing | Self::Ready, WarmEvent::Prepared) => Some(Self::Ready),
            (Self::Ready, WarmEvent::Claim) => Some(Self::Claimed),
            (Self::Preparing | Self::Ready | Self::Claimed | Self::Discarding, WarmEvent::Discard) => {
                Some(Self::Discarding)
            }
            (Self::Discarding | Self::Discarded, WarmEvent::Removed) => Some(Self::Discarded),
            _ => None,
        }
    }

    /// The state of a customer's instance of which as much is to exist. `None` for what is a customer's.
    pub(crate) const fn as_instance(self) -> Option<InstanceState> {
        match self {
            Self::Preparing => Some(InstanceState::Provisioning),
            Self::Ready => Some(InstanceState::Active),
            Self::Claimed => None,
            Self::Discarding => Some(InstanceState::Deleting),
            Self::Discarded => Some(InstanceState::Deleted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [WarmEvent; 4] = [WarmEvent::Prepared, WarmEvent::Claim, WarmEvent::Discard, WarmEvent::Removed];

    #[test]
    fn what_somebody_had_is_never_had_by_another() {
        let mut once_claimed = vec![WarmState::Claimed];
        let mut seen = 0;
        while seen < once_claimed.len() {
            let state = once_claimed[seen];
            seen += 1;
            assert!(state.after(WarmEvent::Claim).is_none(), "{state:?}");
            for after in EVENTS.into_iter().filter_map(|event| state.after(event)) {
                if !once_claimed.contains(&after) {
                    once_claimed.push(after);
                }
            }
        }
        assert_eq!(once_claimed, [WarmState::Claimed, WarmState::Discarding, WarmState::Discarded]);
    }

    #[test]
    fn an_event_that_happened_changes_nothing_the_second_time() {
        for state in WarmState::ALL {
            assert_eq!(WarmState::parse(state.as_str()), Some(state));
            for event in EVENTS.into_iter().filter(|event| *event != WarmEvent::Claim) {
                if let Some(after) = state.after(event) {
                    assert_eq!(after.after(event), Some(after), "{state:?} {event:?}");
                }
            }
        }
    }
}
