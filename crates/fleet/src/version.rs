use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const LONGEST: usize = 64;

/// How a release is called: `1.4.0`, `2026-11-29.2`. Two releases never share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a version: use letters, digits, dots, dashes, plus signs and underscores, at most {LONGEST}, a letter or digit first"
)]
pub struct VersionError(pub String);

impl Version {
    /// Reads it. Nothing is repaired.
    ///
    /// # Errors
    /// [`VersionError`] for anything but letters, digits and `. - + _`.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let fits = text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-+_".contains(letter));
        if starts && fits && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(VersionError(text.to_owned()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// From which versions an instance may be brought to a release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpgradesFrom {
    /// From every one.
    #[default]
    Any,
    /// From these alone: others need a release between.
    Only(Vec<Version>),
}

impl UpgradesFrom {
    /// Whether an instance that runs this version may be brought to the release.
    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::Only(versions) => versions.contains(version),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_version_is_a_word_that_can_stand_in_an_address_and_a_log() {
        for good in ["1.4.0", "2026-11-29.2", "v2", "1.0.0-rc.1+build_7"] {
            assert_eq!(Version::parse(good).unwrap().as_str(), good);
        }
        let long = "1".repeat(65);
        for bad in ["", " 1", "-1", "1/2", "1 2", "..", "ä", long.as_str(), "1\n"] {
            assert_eq!(Version::parse(bad), Err(VersionError(bad.to_owned())), "{bad:?}");
        }
    }

    #[test]
    fn a_release_may_name_the_versions_that_it_can_follow() {
        let version = |text| Version::parse(text).unwrap();
        assert!(UpgradesFrom::Any.allows(&version("1")));
        let only = UpgradesFrom::Only(vec![version("2"), version("3")]);
        assert!(only.allows(&version("3")));
        assert!(!only.allows(&version("1")));
        assert!(!UpgradesFrom::Only(Vec::new()).allows(&version("1")));
    }
}
