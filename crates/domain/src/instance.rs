use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an instance stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Asked for; no step has begun.
    Requested,
    /// Being made.
    Provisioning,
    /// In use.
    Active,
    /// Data kept, entry refused with an explanation.
    Suspended,
    /// Being taken down.
    Deleting,
    /// Gone; only the record of what was removed remains.
    Deleted,
    /// Provisioning failed for good and everything made was undone.
    Failed,
}

/// What can happen to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its provisioning began.
    Start,
    /// Every provisioning step is done.
    Provisioned,
    /// Provisioning failed for good and was undone.
    GiveUp,
    /// A failed provisioning is tried again.
    TryAgain,
    /// Entry is to be refused.
    Suspend,
    /// Entry is to be allowed again.
    Resume,
    /// It is to be taken down.
    Delete,
    /// Every deletion step is done.
    Removed,
}

/// An event that has no place in the present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an instance that is {from} can't {event}")]
pub struct InvalidTransition {
    /// The state it is in.
    pub from: InstanceState,
    /// What was asked.
    pub event: Event,
}

/// A stored word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the state of an instance")]
pub struct UnknownState(pub String);

impl InstanceState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Provisioning,
        Self::Active,
        Self::Suspended,
        Self::Deleting,
        Self::Deleted,
        Self::Failed,
    ];

    /// The state after an event. An event that already happened changes nothing, since any
    /// workflow step may run twice.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the event has no place here.
    pub fn after(self, event: Event) -> Result<Self, InvalidTransition> {
        use InstanceState::{Active, Deleted, Deleting, Failed, Provisioning, Requested, Suspended};
        match (self, event) {
            (Requested | Provisioning, Event::Start) | (Failed, Event::TryAgain) | (Provisioning, Event::TryAgain) => {
                Ok(Provisioning)
            }
            (Provisioning | Active, Event::Provisioned) | (Suspended | Active, Event::Resume) => Ok(Active),
            // Active too: its provisioning may fail after the last step took effect, and is then undone.
            (Requested | Provisioning | Active | Failed, Event::GiveUp) => Ok(Failed),
            (Active | Suspended, Event::Suspend) => Ok(Suspended),
            (Active | Suspended | Failed | Deleting, Event::Delete) => Ok(Deleting),
            (Deleting | Deleted, Event::Removed) => Ok(Deleted),
            (from, event) => Err(InvalidTransition { from, event }),
        }
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownState`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| UnknownState(word.to_owned()))
    }

    /// Whether nothing of it exists at any provider and its name may be taken again.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Deleted | Self::Failed)
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start provisioning",
            Self::Provisioned => "become active",
            Self::GiveUp => "fail",
            Self::TryAgain => "be provisioned again",
            Self::Suspend => "be suspended",
            Self::Resume => "be resumed",
            Self::Delete => "be deleted",
            Self::Removed => "be marked as deleted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 8] = [
        Event::Start,
        Event::Provisioned,
        Event::GiveUp,
        Event::TryAgain,
        Event::Suspend,
        Event::Resume,
        Event::Delete,
        Event::Removed,
    ];

    #[test]
    fn an_event_that_happened_already_changes_nothing() {
        for state in InstanceState::ALL {
            for event in EVENTS {
                if let Ok(next) = state.after(event) {
                    assert_eq!(next.after(event), Ok(next), "{state} {event} twice");
                }
            }
        }
    }

    #[test]
    fn nothing_comes_back_from_deleted() {
        for event in EVENTS {
            assert!(matches!(InstanceState::Deleted.after(event), Err(_) | Ok(InstanceState::Deleted)), "{event}");
        }
    }

    #[test]
    fn an_instance_being_made_must_be_abandoned_before_it_is_deleted() {
        assert!(InstanceState::Provisioning.after(Event::Delete).is_err());
        assert_eq!(InstanceState::Provisioning.after(Event::GiveUp), Ok(InstanceState::Failed));
    }

    #[test]
    fn every_state_survives_its_word() {
        for state in InstanceState::ALL {
            assert_eq!(InstanceState::parse(state.as_str()), Ok(state));
        }
        assert!(InstanceState::parse("running").is_err());
    }
}
