//! Why somebody leaves, in the words of a question that nobody has to answer.

use std::fmt;

/// A word that names no reason for leaving.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason for leaving: expected one of {list}", list = LeavingReason::words())]
pub struct UnknownLeavingReason(pub String);

/// Why somebody leaves, as they chose it. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeavingReason {
    /// It costs too much.
    TooExpensive,
    /// There was too little use for it.
    NotUsed,
    /// It can't do something that is needed.
    Missing,
    /// It is too hard to use.
    TooHard,
    /// It did not work as it should.
    Unreliable,
    /// Something else is used instead.
    Replaced,
    /// It was only to be tried, or what it was for is done.
    Finished,
    /// None of these.
    Other,
}

impl LeavingReason {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 8] = [
        Self::TooExpensive,
        Self::NotUsed,
        Self::Missing,
        Self::TooHard,
        Self::Unreliable,
        Self::Replaced,
        Self::Finished,
        Self::Other,
    ];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooExpensive => "too_expensive",
            Self::NotUsed => "not_used",
            Self::Missing => "missing",
            Self::TooHard => "too_hard",
            Self::Unreliable => "unreliable",
            Self::Replaced => "replaced",
            Self::Finished => "finished",
            Self::Other => "other",
        }
    }

    /// As whoever leaves says it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::TooExpensive => "It costs too much",
            Self::NotUsed => "I did not use it enough",
            Self::Missing => "Something I need is missing",
            Self::TooHard => "It was too hard to use",
            Self::Unreliable => "It did not work as it should",
            Self::Replaced => "I use something else now",
            Self::Finished => "I only wanted to try it, or I am done",
            Self::Other => "Something else",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownLeavingReason`] for any other.
    pub fn parse(word: &str) -> Result<Self, UnknownLeavingReason> {
        let found = Self::ALL.into_iter().find(|reason| reason.as_str() == word);
        found.ok_or_else(|| UnknownLeavingReason(word.to_owned()))
    }

    fn words() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for LeavingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

crate::text::form!(LeavingReason, UnknownLeavingReason);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_read_by_its_own_word_and_nothing_else_is_one() {
        for reason in LeavingReason::ALL {
            assert_eq!(LeavingReason::parse(reason.as_str()), Ok(reason));
        }
        let error = LeavingReason::parse("bored").map_err(|error| error.to_string());
        assert!(error.is_err_and(|words| words.contains("too_expensive, not_used")));
    }
}
