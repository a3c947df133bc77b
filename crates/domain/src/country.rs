use std::fmt;

/// A line each: the code and the name, by code.
const ALL: &str = include_str!("countries.txt");

/// A country or territory, by its two letters in ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country {
    // Borrowed from the list, so that none exists that is not on it.
    code: &'static str,
}

/// Letters that name no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no country: use its two letters, such as DE or US")]
pub struct UnknownCountry(pub String);

impl Country {
    /// Reads two letters, in either case.
    ///
    /// # Errors
    /// [`UnknownCountry`] for anything else.
    pub fn parse(raw: &str) -> Result<Self, UnknownCountry> {
        let wanted = raw.trim();
        let found = Self::all().find(|country| country.code.eq_ignore_ascii_case(wanted));
        found.ok_or_else(|| UnknownCountry(raw.to_owned()))
    }

    /// All countries, by their letters.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.lines().filter_map(|line| line.split_once(' ')).map(|(code, _)| Self { code })
    }

    /// Two capital letters.
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// As it stands under an address.
    pub fn name(self) -> &'static str {
        let lines = ALL.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(code, _)| *code == self.code).map(|(_, name)| name).next().unwrap_or(self.code)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

crate::text::form!(Country, UnknownCountry);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_list_has_each_country_once_with_a_name() {
        let all: Vec<Country> = Country::all().collect();
        assert_eq!(all.len(), 249);
        assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] != pair[1]));
        for country in all {
            assert!(country.code.len() == 2 && country.code.bytes().all(|letter| letter.is_ascii_uppercase()));
            assert!(country.name().chars().count() > 3, "{country}");
            assert_eq!(serde_json::from_str::<Country>(&serde_json::to_string(&country).unwrap()).unwrap(), country);
        }
    }

    #[test]
    fn two_letters_name_a_country_and_nothing_else_does() {
        assert_eq!(Country::parse(" de ").unwrap().name(), "Germany");
        assert_eq!(Country::parse("CI").unwrap().name(), "Côte d'Ivoire");
        for wrong in ["", "D", "DEU", "XX", "Germany", "D E", "EU"] {
            assert_eq!(Country::parse(wrong), Err(UnknownCountry(wrong.to_owned())));
        }
    }
}
