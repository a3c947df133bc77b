use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a rollout has come with one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    /// Its turn has not come.
    Waiting,
    /// Being backed up, deployed, and looked at; or on the way back, since that failed.
    Updating,
    /// It runs the release and is being watched.
    Soaking,
    /// It runs the release, and was well for as long as it was watched.
    Updated,
    /// The update failed; it runs its former release with its former data.
    RolledBack,
    /// The update failed and so did the way back: a person is needed.
    Stuck,
    /// The operator left it out, or ended the rollout before its turn came.
    Skipped,
    /// There was nothing to update any more: deleted, suspended, pinned, or there already.
    Excused,
    /// It runs the release and is being taken back to its former one, with the whole rollout.
    GoingBack,
    /// It was updated, and was taken back with the whole rollout.
    WentBack,
}

/// What can happen to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitEvent {
    /// Its turn has come.
    Begin,
    /// It was found well, at the version that it should have.
    Soak,
    /// It was well to the end.
    Succeed,
    /// It failed, and is back at what it was.
    Return,
    /// It failed, and could not be brought back.
    GetStuck,
    /// The operator leaves it out.
    Skip,
    /// There is nothing to update.
    Excuse,
    /// The whole rollout is taken back.
    GoBack,
    /// It is back with the whole rollout.
    Back,
}

/// An event that has no place in the present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an instance that is {from} in a rollout can't take {event:?}")]
pub struct InvalidUnitEvent {
    /// The state it is in.
    pub from: UnitState,
    /// What happened.
    pub event: UnitEvent,
}

impl UnitState {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Updating,
        Self::Soaking,
        Self::Updated,
        Self::RolledBack,
        Self::Stuck,
        Self::Skipped,
        Self::Excused,
        Self::GoingBack,
        Self::WentBack,
    ];

    /// The state after an event; one that happened already changes nothing, since any step may run twice.
    ///
    /// # Errors
    /// [`InvalidUnitEvent`] when it has no place here.
    pub fn after(self, event: UnitEvent) -> Result<Self, InvalidUnitEvent> {
        use UnitState::{
            Excused, GoingBack, RolledBack, Skipped, Soaking, Stuck, Updated, Updating, Waiting, WentBack,
        };
        match (self, event) {
            (Waiting | Updating, UnitEvent::Begin) => Ok(Updating),
            // One that was stuck may be mended by a person, who has it tried again.
            (Updating | Soaking, UnitEvent::Soak) => Ok(Soaking),
            (Updating | Soaking | Updated, UnitEvent::Succeed) => Ok(Updated),
            (Updating | Soaking | Stuck | RolledBack, UnitEvent::Return) => Ok(RolledBack),
            (Updating | Soaking | GoingBack | Stuck, UnitEvent::GetStuck) => Ok(Stuck),
            (Waiting | Skipped, UnitEvent::Skip) => Ok(Skipped),
            // What failed and was looked at by a person no longer keeps a rollout.
            (Stuck, UnitEvent::Skip) => Ok(Skipped),
            (Waiting | Updating | Soaking | GoingBack | Excused, UnitEvent::Excuse) => Ok(Excused),
            (Updated | GoingBack, UnitEvent::GoBack) => Ok(GoingBack),
            (GoingBack | Stuck | WentBack, UnitEvent::Back) => Ok(WentBack),
            (from, event) => Err(InvalidUnitEvent { from, event }),
        }
    }

    /// Whether nothing is left to be done with it, unless the whole rollout is taken back.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Updated | Self::RolledBack | Self::Stuck | Self::Skipped | Self::Excused | Self::WentBack)
    }

    /// Whether it counts against what a rollout tolerates.
    pub const fn has_failed(self) -> bool {
        matches!(self, Self::RolledBack | Self::Stuck)
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Updating => "updating",
            Self::Soaking => "soaking",
            Self::Updated => "updated",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
            Self::Skipped => "skipped",
            Self::Excused => "excused",
            Self::GoingBack => "going_back",
            Self::WentBack => "went_back",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for UnitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [UnitEvent; 9] = [
        UnitEvent::Begin,
        UnitEvent::Soak,
        UnitEvent::Succeed,
        UnitEvent::Return,
        UnitEvent::GetStuck,
        UnitEvent::Skip,
        UnitEvent::Excuse,
        UnitEvent::GoBack,
        UnitEvent::Back,
    ];

    #[test]
    fn an_event_that_happened_changes_nothing_the_second_time() {
        for state in UnitState::ALL {
            assert_eq!(UnitState::parse(state.as_str()), Some(state));
            for event in EVENTS {
                if let Ok(after) = state.after(event) {
                    assert_eq!(after.after(event), Ok(after), "{state} {event:?}");
                }
            }
        }
    }

    #[test]
    fn what_was_begun_is_never_skipped_and_what_is_back_stays_back() {
        for begun in [UnitState::Updating, UnitState::Soaking, UnitState::GoingBack, UnitState::Updated] {
            assert!(begun.after(UnitEvent::Skip).is_err(), "{begun}");
        }
        for over in [UnitState::RolledBack, UnitState::WentBack, UnitState::Skipped, UnitState::Excused] {
            for event in EVENTS {
                assert!(over.after(event).is_err() || over.after(event) == Ok(over), "{over} {event:?}");
            }
        }
    }

    #[test]
    fn only_what_was_updated_goes_back_with_the_rollout() {
        for state in UnitState::ALL {
            let goes = matches!(state, UnitState::Updated | UnitState::GoingBack);
            assert_eq!(state.after(UnitEvent::GoBack).is_ok(), goes, "{state}");
        }
    }
}
