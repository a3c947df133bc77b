use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::UsageHour;

/// What showed that an hour was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A member was signed in and active: opened a page, sent a form, typed.
    Member,
    /// A program called the application.
    ApiCall,
    /// A sprint was executed.
    Sprint,
    /// The generated app ran.
    AppRunning,
}

/// A stored or received word that names no signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a usage signal")]
pub struct UnknownSignal(pub String);

impl Signal {
    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::ApiCall => "api_call",
            Self::Sprint => "sprint",
            Self::AppRunning => "app_running",
        }
    }

    /// In words for a bill.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Member => "a member was active",
            Self::ApiCall => "a program called the application",
            Self::Sprint => "a sprint was running",
            Self::AppRunning => "your generated app was running",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownSignal`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownSignal> {
        [Self::Member, Self::ApiCall, Self::Sprint, Self::AppRunning]
            .into_iter()
            .find(|signal| signal.as_str() == word)
            .ok_or_else(|| UnknownSignal(word.to_owned()))
    }
}

/// Why an hour counts: which signal, when first and last, how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The hour it speaks of.
    pub hour: UsageHour,
    /// What was seen.
    pub signal: Signal,
    /// When it was first seen within the hour.
    pub first: Timestamp,
    /// When it was last seen within the hour.
    pub last: Timestamp,
    /// How often it was seen; the largest count that any report gave.
    pub count: u32,
}

impl Evidence {
    /// A first sighting.
    pub fn seen(signal: Signal, at: Timestamp) -> Self {
        Self { hour: UsageHour::of(at), signal, first: at, last: at, count: 1 }
    }

    /// Takes in another report of the same hour and signal. Reports grow while an hour lasts, so
    /// the widest span and the largest count win, and a repeated report changes nothing.
    pub fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count = self.count.max(other.count);
    }
}
