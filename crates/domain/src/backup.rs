//! Backups of instances: why one is taken, where it stands in its life, and how long it is kept.

mod retention;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use retention::Retention;

/// A stored or received word that names no reason or state of a backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a reason for a backup nor the state of one")]
pub struct UnknownBackupWord(pub String);

/// Why a backup is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupReason {
    /// Its time had come.
    Scheduled,
    /// The instance is about to get another release.
    BeforeUpdate,
    /// A person asked for it.
    Requested,
    /// An older backup is about to be put back.
    BeforeRestore,
    /// The instance is about to go back to its former release.
    BeforeGoingBack,
    /// The instance is about to move to another home, or back.
    BeforeMove,
}

impl BackupReason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::BeforeUpdate,
        Self::Requested,
        Self::BeforeRestore,
        Self::BeforeGoingBack,
        Self::BeforeMove,
    ];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::BeforeUpdate => "before_update",
            Self::Requested => "requested",
            Self::BeforeRestore => "before_restore",
            Self::BeforeGoingBack => "before_going_back",
            Self::BeforeMove => "before_move",
        }
    }

    /// In words for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Scheduled => "as planned",
            Self::BeforeUpdate => "before an update",
            Self::Requested => "on request",
            Self::BeforeRestore => "before a restore",
            Self::BeforeGoingBack => "before going back to a former version",
            Self::BeforeMove => "before a move",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownBackupWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownBackupWord> {
        let found = Self::ALL.into_iter().find(|reason| reason.as_str() == word);
        found.ok_or_else(|| UnknownBackupWord(word.to_owned()))
    }
}

/// Where a backup stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Begun; whether anything of it exists is not known.
    Taking,
    /// Whole, and can be put back.
    Kept,
    /// It came to nothing.
    Failed,
    /// Removed; only the record is left.
    Removed,
}

/// What can happen to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupEvent {
    /// All of it is where it is kept.
    Taken,
    /// It will not be tried again.
    GiveUp,
    /// Nothing of it exists any more.
    Remove,
}

impl BackupState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Taking, Self::Kept, Self::Failed, Self::Removed];

    /// The state after an event; one that happened already changes nothing. `None` where it has no place: above all,
    /// what was given up or removed is never kept again.
    pub const fn after(self, event: BackupEvent) -> Option<Self> {
        match (self, event) {
            (Self::Taking | Self::Kept, BackupEvent::Taken) => Some(Self::Kept),
            (Self::Taking | Self::Failed, BackupEvent::GiveUp) => Some(Self::Failed),
            (_, BackupEvent::Remove) => Some(Self::Removed),
            _ => None,
        }
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taking => "taking",
            Self::Kept => "kept",
            Self::Failed => "failed",
            Self::Removed => "removed",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownBackupWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownBackupWord> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| UnknownBackupWord(word.to_owned()))
    }
}

impl fmt::Display for BackupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [BackupEvent; 3] = [BackupEvent::Taken, BackupEvent::GiveUp, BackupEvent::Remove];

    #[test]
    fn an_event_that_happened_already_changes_nothing() {
        for state in BackupState::ALL {
            assert_eq!(BackupState::parse(state.as_str()), Ok(state));
            for event in EVENTS {
                if let Some(next) = state.after(event) {
                    assert_eq!(next.after(event), Some(next), "{state} {event:?} twice");
                }
            }
        }
    }

    #[test]
    fn what_is_gone_is_never_kept_again() {
        for state in [BackupState::Failed, BackupState::Removed] {
            assert_eq!(state.after(BackupEvent::Taken), None, "{state}");
        }
    }

    #[test]
    fn every_reason_survives_its_word() {
        for reason in BackupReason::ALL {
            assert_eq!(BackupReason::parse(reason.as_str()), Ok(reason));
        }
        assert!(BackupReason::parse("because").is_err());
    }
}
