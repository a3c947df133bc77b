//! Where the move of an instance to another home stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A stored or received word that names no state of a move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of a move")]
pub struct UnknownMoveState(pub String);

/// Where a move stands. There are two places of the instance from its begin to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveState {
    /// On its way to the new home.
    Moving,
    /// It lives in the new home; the place that it left is kept, at rest, until somebody decides.
    Kept,
    /// It stays in the new home; the place that it left is being removed.
    Settling,
    /// On its way back, with everything that was written since.
    Returning,
    /// It lives in the new home, and nothing is left of the place that it left.
    Settled,
    /// It lives where it lived before, and nothing is left in the other home.
    Returned,
}

/// What can happen to a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveEvent {
    /// It answers in the new home, under its own hostname.
    Arrive,
    /// Its owner, or the operator, is content: the place that it left may go.
    Confirm,
    /// The place that it left is gone.
    Clear,
    /// Its owner, or the operator, wants it back where it was.
    GoBack,
    /// It answers where it was before.
    Return,
    /// Going back came to nothing: it stays where it is, and both places are kept.
    Stay,
}

impl MoveState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Moving, Self::Kept, Self::Settling, Self::Returning, Self::Settled, Self::Returned];

    /// The state after an event; one that happened already changes nothing. `None` where it has no place.
    pub const fn after(self, event: MoveEvent) -> Option<Self> {
        match (self, event) {
            (Self::Moving | Self::Kept, MoveEvent::Arrive) | (Self::Returning | Self::Kept, MoveEvent::Stay) => {
                Some(Self::Kept)
            }
            (Self::Kept | Self::Settling, MoveEvent::Confirm) => Some(Self::Settling),
            (Self::Settling | Self::Settled, MoveEvent::Clear) => Some(Self::Settled),
            (Self::Kept | Self::Returning, MoveEvent::GoBack) => Some(Self::Returning),
            (Self::Moving | Self::Kept | Self::Returning | Self::Returned, MoveEvent::Return) => Some(Self::Returned),
            _ => None,
        }
    }

    /// Whether nothing more happens to it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Settled | Self::Returned)
    }

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moving => "moving",
            Self::Kept => "kept",
            Self::Settling => "settling",
            Self::Returning => "returning",
            Self::Settled => "settled",
            Self::Returned => "returned",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownMoveState`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownMoveState> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| UnknownMoveState(word.to_owned()))
    }
}

impl fmt::Display for MoveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [MoveEvent; 6] = [
        MoveEvent::Arrive,
        MoveEvent::Confirm,
        MoveEvent::Clear,
        MoveEvent::GoBack,
        MoveEvent::Return,
        MoveEvent::Stay,
    ];

    #[test]
    fn what_happened_already_changes_nothing_and_what_is_over_stays_over() {
        for state in MoveState::ALL {
            assert_eq!(MoveState::parse(state.as_str()), Ok(state));
            for event in EVENTS {
                let Some(next) = state.after(event) else { continue };
                assert_eq!(next.after(event), Some(next), "{state} after {event:?} twice");
                assert!(!state.is_over() || next == state, "{state} ends");
            }
        }
    }

    #[test]
    fn the_place_that_was_left_goes_only_when_somebody_confirmed() {
        assert_eq!(MoveState::Moving.after(MoveEvent::Confirm), None);
        assert_eq!(MoveState::Returning.after(MoveEvent::Confirm), None);
        assert_eq!(MoveState::Kept.after(MoveEvent::Clear), None);
        assert_eq!(MoveState::Settling.after(MoveEvent::GoBack), None, "it may be gone by half");
    }
}
