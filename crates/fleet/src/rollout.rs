use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Instances are updated as their turns come.
    Running,
    /// The operator holds it: nothing is begun; what was begun goes on.
    Paused,
    /// More failed than was tolerated: nothing is begun until the operator decides.
    Halted,
    /// The operator ends it: what was begun goes on to its end.
    Cancelling,
    /// It ended before it reached everybody.
    Cancelled,
    /// Those that were updated are being taken back.
    RollingBack,
    /// Those that were updated were taken back.
    RolledBack,
    /// It reached everybody that was planned.
    Done,
}

/// What a person wants of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutCommand {
    /// Begin nothing for now.
    Pause,
    /// Go on. After a halt, the failures so far are accepted.
    Resume,
    /// Begin nothing more, for ever.
    Cancel,
    /// Take back everything that was updated.
    RollBack,
}

/// A command that has no place in the present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rollout that is {from} can't be {command}")]
pub struct InvalidCommand {
    /// The state it is in.
    pub from: RolloutState,
    /// What was asked.
    pub command: RolloutCommand,
}

impl RolloutState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Running,
        Self::Paused,
        Self::Halted,
        Self::Cancelling,
        Self::Cancelled,
        Self::RollingBack,
        Self::RolledBack,
        Self::Done,
    ];

    /// The state after a command; one that was given already changes nothing.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it has no place here.
    pub fn after(self, command: RolloutCommand) -> Result<Self, InvalidCommand> {
        use RolloutState::{Cancelled, Cancelling, Done, Halted, Paused, RolledBack, RollingBack, Running};
        match (self, command) {
            (Running | Paused, RolloutCommand::Pause) => Ok(Paused),
            (Running | Paused | Halted, RolloutCommand::Resume) => Ok(Running),
            (Running | Paused | Halted | Cancelling, RolloutCommand::Cancel) => Ok(Cancelling),
            (Cancelled, RolloutCommand::Cancel) => Ok(Cancelled),
            (Running | Paused | Halted | Cancelling | Cancelled | Done | RollingBack, RolloutCommand::RollBack) => {
                Ok(RollingBack)
            }
            (RolledBack, RolloutCommand::RollBack) => Ok(RolledBack),
            (from, command) => Err(InvalidCommand { from, command }),
        }
    }

    /// Whether it is over, unless it is taken back.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::RolledBack | Self::Done)
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::Done => "done",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

impl fmt::Display for RolloutCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Cancel => "cancelled",
            Self::RollBack => "rolled back",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [RolloutCommand; 4] =
        [RolloutCommand::Pause, RolloutCommand::Resume, RolloutCommand::Cancel, RolloutCommand::RollBack];

    #[test]
    fn a_command_given_twice_changes_nothing_the_second_time() {
        for state in RolloutState::ALL {
            assert_eq!(RolloutState::parse(state.as_str()), Some(state));
            for command in COMMANDS {
                if let Ok(after) = state.after(command) {
                    assert_eq!(after.after(command), Ok(after), "{state} {command}");
                }
            }
        }
    }

    #[test]
    fn what_is_over_begins_nothing_any_more() {
        for over in RolloutState::ALL.into_iter().filter(|state| state.is_over()) {
            assert!(over.after(RolloutCommand::Resume).is_err(), "{over}");
            assert!(over.after(RolloutCommand::Pause).is_err(), "{over}");
        }
        assert!(RolloutState::RolledBack.after(RolloutCommand::Cancel).is_err());
        assert!(RolloutState::RollingBack.after(RolloutCommand::Resume).is_err(), "half a fleet is not left behind");
    }
}
