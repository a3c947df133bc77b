//! Names in a repository.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::MAIN;

/// A state of a project, by the hash that git gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CommitId(String);

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch(String);

/// A name for a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl CommitId {
    /// Reads a whole hash; `None` for anything else, so that no option and no path passes for one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(text.to_owned()))
    }

    /// The whole hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its beginning, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for CommitId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("that is not the hash of a state")
    }
}

impl Branch {
    /// What is done.
    #[must_use]
    pub fn main() -> Self {
        Self(MAIN.to_owned())
    }

    /// Where a story is worked on in a sprint.
    #[must_use]
    pub fn of_story(sprint: u32, story: u64) -> Self {
        Self(format!("sprint-{sprint}/B-{story}"))
    }

    pub(super) fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }

    /// Where it is kept what the branch began at.
    pub(super) fn base(&self) -> String {
        format!("refs/bases/{}", self.0)
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Tag {
    /// What was done at the end of a sprint.
    #[must_use]
    pub fn of_sprint(sprint: u32) -> Self {
        Self(format!("S-{sprint}"))
    }

    pub(super) fn full(&self) -> String {
        format!("refs/tags/{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_hash_is_a_state() {
        assert!(CommitId::parse(&"a1".repeat(20)).is_some());
        for text in
            ["", "main", "--output=x", "HEAD", &"A1".repeat(20), &"a1".repeat(19), &format!("-{}", "a".repeat(39))]
        {
            assert_eq!(CommitId::parse(text), None, "{text}");
        }
    }
}
