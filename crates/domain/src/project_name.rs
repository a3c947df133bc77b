use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Subdomain;

const PREFIX: &str = "ai-diy-";

/// The name of an instance at its compute provider: `ai-diy-<slug>`.
///
/// Set when the instance is made and never changed, even if its hostname is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectName(String);

/// Why a text is not a project name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a project name: it should look like {PREFIX}acme")]
pub struct ProjectNameError(pub String);

impl ProjectName {
    /// The name of the project that will serve this subdomain.
    pub fn of(subdomain: &Subdomain) -> Self {
        Self(format!("{PREFIX}{subdomain}"))
    }

    /// Reads the full form, `ai-diy-<slug>`.
    ///
    /// # Errors
    /// [`ProjectNameError`] when the prefix is missing or the slug is no subdomain.
    pub fn parse(raw: &str) -> Result<Self, ProjectNameError> {
        let slug = raw.strip_prefix(PREFIX).ok_or_else(|| ProjectNameError(raw.to_owned()))?;
        let subdomain = Subdomain::parse_given(slug).map_err(|_| ProjectNameError(raw.to_owned()))?;
        Ok(Self::of(&subdomain))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the prefix.
    pub fn slug(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ProjectName {
    type Err = ProjectNameError;
    fn from_str(raw: &str) -> Result<Self, ProjectNameError> {
        Self::parse(raw)
    }
}

impl Serialize for ProjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProjectName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_project_is_named_after_its_subdomain() {
        let name = ProjectName::of(&Subdomain::parse("acme").unwrap());
        assert_eq!(name.as_str(), "ai-diy-acme");
        assert_eq!(name.slug(), "acme");
        assert_eq!(ProjectName::parse("ai-diy-acme"), Ok(name));
        for bad in ["acme", "ai-diy-", "ai-diy-Acme", "ai-diy-../x", "ai-diy-a b"] {
            assert!(ProjectName::parse(bad).is_err(), "{bad}");
        }
    }
}
