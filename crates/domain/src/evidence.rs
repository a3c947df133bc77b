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

/// Whose doing something was: members by their address, programs by the name of their service token, in the order in
/// which they came. Empty where nobody did it, as when an app runs by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WireDoers", into = "WireDoers")]
pub struct Doers {
    names: Vec<String>,
    more: bool,
}

#[derive(Serialize, Deserialize)]
struct WireDoers {
    #[serde(default)]
    names: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

/// Names that can't be those of doers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoersError {
    /// More than are kept.
    #[error("{0} names are more than {NAMED}; say of the others that there are more", NAMED = Doers::NAMED)]
    TooMany(usize),
    /// Empty, too long, or not printable.
    #[error("{0:?} is no name of a member or a program")]
    NoName(String),
}

impl Doers {
    /// So many are named; of others it is only said that there are some.
    pub const NAMED: usize = 8;

    /// As long as an address can be.
    const LONGEST: usize = 254;

    /// Adds one, who may be there already. What can't be a name is somebody without one.
    pub fn add(&mut self, name: &str) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        if self.names.len() < Self::NAMED && is_name(name) {
            self.names.push(name.to_owned());
        } else {
            self.more = true;
        }
    }

    /// Those who are named.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there were others.
    pub const fn are_more(&self) -> bool {
        self.more
    }

    /// Whether nobody is known.
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.more
    }

    /// `ada@example.com, bob@example.com and others`; none where nobody is known.
    pub fn in_words(&self) -> Option<String> {
        match (self.names.as_slice(), self.more) {
            ([], false) => None,
            ([], true) => Some("others".to_owned()),
            (names, true) => Some(format!("{} and others", names.join(", "))),
            ([one], false) => Some(one.clone()),
            ([before @ .., last], false) => Some(format!("{} and {last}", before.join(", "))),
        }
    }
}

impl TryFrom<WireDoers> for Doers {
    type Error = DoersError;
    fn try_from(WireDoers { names, more }: WireDoers) -> Result<Self, DoersError> {
        if names.len() > Self::NAMED {
            return Err(DoersError::TooMany(names.len()));
        }
        match names.iter().find(|name| !is_name(name)) {
            Some(odd) => Err(DoersError::NoName(odd.chars().take(Self::LONGEST).collect())),
            None => Ok(Self { names, more }),
        }
    }
}

impl From<Doers> for WireDoers {
    fn from(Doers { names, more }: Doers) -> Self {
        Self { names, more }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= Doers::LONGEST && !name.chars().any(char::is_control)
}

/// Why an hour counts: which signal, whose doing, when first and last, how often.
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
    /// Whose doing it was, as far as the report with the largest count knew.
    #[serde(default, skip_serializing_if = "Doers::is_empty")]
    pub who: Doers,
}

impl Evidence {
    /// A first sighting.
    pub fn seen(signal: Signal, at: Timestamp) -> Self {
        Self { hour: UsageHour::of(at), signal, first: at, last: at, count: 1, who: Doers::default() }
    }

    /// The same, of one who is known.
    #[must_use]
    pub fn by(mut self, name: &str) -> Self {
        self.who.add(name);
        self
    }

    /// Takes in another report of the same hour and signal. Reports grow while an hour lasts, so
    /// the widest span and the largest count win, with those whom that report names, and a repeated report changes
    /// nothing.
    pub fn merge(&mut self, other: &Self) {
        if (other.count, &other.who) > (self.count, &self.who) {
            self.who.clone_from(&other.who);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count = self.count.max(other.count);
    }
}
