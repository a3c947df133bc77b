//! Who on the team asks a model.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A member of the team, by duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Finds out what is wanted, and in which order.
    ProjectManager,
    /// Decides how it is built.
    Architect,
    /// Writes the code.
    Developer,
    /// Says how it is known to work, and tries that.
    Tester,
    /// Keeps the record.
    Scribe,
}

impl Role {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::ProjectManager, Self::Architect, Self::Developer, Self::Tester, Self::Scribe];

    /// The word in files, forms and addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ProjectManager => "project-manager",
            Self::Architect => "architect",
            Self::Developer => "developer",
            Self::Tester => "tester",
            Self::Scribe => "scribe",
        }
    }

    /// The word in a sentence.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::ProjectManager => "project manager",
            other => other.word(),
        }
    }

    /// The role of that word, if there is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}
