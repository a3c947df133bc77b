const MIN: usize = 2;
const MAX: usize = 16;
const DEFAULT: &str = "default";

/// The name of a place where instances can live: a compute driver with its settings, such as a region.
///
/// Lower-case ASCII letters, digits and single hyphens, beginning with a letter, 2 to 16 characters: it is part of the
/// names of the projects that live there. One home is always there, and is called `default`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HomeName(String);

/// Why a text can't be the name of a home, in words for whoever chose it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} can't be the name of a home: use {MIN} to {MAX} of the letters a to z, digits and single hyphens between them, \
     with a letter first"
)]
pub struct HomeNameError(pub String);

impl HomeName {
    /// Reads a name, also that of the home that is always there.
    ///
    /// # Errors
    /// [`HomeNameError`] says what it may be made of.
    pub fn parse(raw: &str) -> Result<Self, HomeNameError> {
        let is_plain = raw.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let begins_well = raw.starts_with(|c: char| c.is_ascii_lowercase());
        let has_lone_hyphens = !raw.ends_with('-') && !raw.contains("--");
        if is_plain && begins_well && has_lone_hyphens && (MIN..=MAX).contains(&raw.len()) {
            return Ok(Self(raw.to_owned()));
        }
        Err(HomeNameError(raw.to_owned()))
    }

    /// The home that is always there, and where new instances live.
    pub fn the_default() -> Self {
        Self(DEFAULT.to_owned())
    }

    /// Whether it is the home that is always there.
    pub fn is_the_default(&self) -> bool {
        self.0 == DEFAULT
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::text::name!(HomeName, HomeNameError);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_home_has_a_short_plain_name() {
        for good in ["eu", "frankfurt", "us-west-2", "default", "a1"] {
            assert_eq!(HomeName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a", "Frankfurt", "2nd", "-eu", "eu-", "us--west", "a name", "seventeen-letters", "ä1"] {
            assert!(HomeName::parse(bad).is_err(), "{bad}");
        }
        assert!(HomeName::parse("default").unwrap().is_the_default());
    }
}
