use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose instances a release has reached. Each instance belongs to one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Where the business tries things out: nobody depends on it.
    Development,
    /// The instances that the business works with itself.
    Main,
    /// Everybody else's, and what new customers get.
    Customers,
}

/// A word that names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a stage: use development, main or customers")]
pub struct UnknownStage(pub String);

/// Why a release stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPromoted {
    /// It is as far as it can get.
    #[error("it is with the customers already")]
    IsEverywhere,
    /// Nothing shows that it works where it is.
    #[error("it has not been proven in {0}: roll it out there first, or say why it goes on without")]
    IsUnproven(Stage),
    /// It is not to be used any more.
    #[error("it was withdrawn")]
    IsWithdrawn,
}

impl Stage {
    /// All of them, in the order in which a release reaches them.
    pub const ALL: [Self; 3] = [Self::Development, Self::Main, Self::Customers];

    /// The stage after this one.
    pub const fn following(self) -> Option<Self> {
        match self {
            Self::Development => Some(Self::Main),
            Self::Main => Some(Self::Customers),
            Self::Customers => None,
        }
    }

    /// Where a release gets that is at this stage, was proven in these, and is to be used. Whoever answers for it may
    /// let it go on without a proof.
    ///
    /// # Errors
    /// [`NotPromoted`] says what is in the way.
    pub fn promoted(self, proven: &[Self], is_withdrawn: bool, without_proof: bool) -> Result<Self, NotPromoted> {
        if is_withdrawn {
            return Err(NotPromoted::IsWithdrawn);
        }
        let following = self.following().ok_or(NotPromoted::IsEverywhere)?;
        if proven.contains(&self) || without_proof { Ok(following) } else { Err(NotPromoted::IsUnproven(self)) }
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Main => "main",
            Self::Customers => "customers",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownStage`] for any other.
    pub fn parse(word: &str) -> Result<Self, UnknownStage> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word).ok_or_else(|| UnknownStage(word.to_owned()))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Stage {
    type Err = UnknownStage;
    fn from_str(word: &str) -> Result<Self, UnknownStage> {
        Self::parse(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_gets_on_by_what_it_proved_where_it_is_and_by_nothing_else() {
        use Stage::{Customers, Development, Main};
        assert_eq!(Development.promoted(&[Development], false, false), Ok(Main));
        assert_eq!(Main.promoted(&[Development, Main], false, false), Ok(Customers));
        assert_eq!(Main.promoted(&[Development], false, false), Err(NotPromoted::IsUnproven(Main)));
        assert_eq!(Development.promoted(&[Main], false, false), Err(NotPromoted::IsUnproven(Development)));
        assert_eq!(Development.promoted(&[], false, true), Ok(Main), "somebody answers for it");
        assert_eq!(Customers.promoted(&Stage::ALL, false, true), Err(NotPromoted::IsEverywhere));
        for stage in Stage::ALL {
            assert_eq!(stage.promoted(&Stage::ALL, true, true), Err(NotPromoted::IsWithdrawn));
            assert_eq!(Stage::parse(stage.as_str()), Ok(stage));
        }
        assert!(Stage::parse("production").is_err());
    }
}
