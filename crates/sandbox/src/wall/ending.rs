//! How a command behind the wall came to its end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a command ended. Everything that came from it is gone by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal that this program did not send.
    Killed(i32),
    /// It was asked to stop, or whoever started it is gone.
    Stopped,
    /// It took longer than this many seconds.
    TookTooLong(u64),
    /// It had more processes and threads than this.
    TooManyProcesses(u64),
    /// Its processes together had more bytes of memory in use than this.
    TooMuchMemory(u64),
    /// The wall could not be built, so it was not started; why, and what to do next.
    NotStarted(String),
}

impl Ending {
    /// Whether it ended by itself and says that all is well.
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("ended well"),
            Self::Exited(code) => write!(f, "ended with exit code {code}"),
            Self::Killed(signal) => write!(f, "was ended by signal {signal}"),
            Self::Stopped => f.write_str("was stopped"),
            Self::TookTooLong(seconds) => write!(f, "was stopped because it took longer than {seconds} seconds"),
            Self::TooManyProcesses(most) => write!(f, "was stopped because it started more than {most} processes"),
            Self::TooMuchMemory(most) => {
                write!(f, "was stopped because it used more than {} MiB of memory", most >> 20)
            }
            Self::NotStarted(why) => write!(f, "was not started: {why}"),
        }
    }
}
