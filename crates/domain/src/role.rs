use serde::{Deserialize, Serialize};

/// A stored or received word that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a role")]
pub struct UnknownRole(pub String);

/// What a member may do with an instance beside entering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Pays, invites and removes members, may delete the instance.
    Owner,
    /// May enter.
    Member,
}

impl MemberRole {
    /// The word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownRole`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownRole> {
        [Self::Owner, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| UnknownRole(word.to_owned()))
    }
}

/// What an operator may do in the console; each role includes the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Sees everything, changes nothing.
    ReadOnly,
    /// Retries work, manages members.
    Support,
    /// Everything, deletion and other operators included.
    Owner,
}

impl OperatorRole {
    /// The word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::Support => "support",
            Self::Owner => "owner",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// [`UnknownRole`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownRole> {
        [Self::ReadOnly, Self::Support, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| UnknownRole(word.to_owned()))
    }
}
