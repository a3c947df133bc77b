use crate::{HomeName, Subdomain};

const PREFIX: &str = "ai-diy-";
/// Stands before the name of a home. No subdomain has two hyphens in a row, so that no other customer's project is called so.
const HOME: &str = "--";

/// The name of an instance at its compute provider: `ai-diy-<slug>`, with `--<home>` behind it in any home but the default
/// one. So each name belongs to one home for good.
///
/// Set when the instance is made and changed by nothing but a move to another home, not even if its hostname is.
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

    /// The name of the same project in a home.
    #[must_use]
    pub fn in_home(&self, home: &HomeName) -> Self {
        let slug = self.slug();
        Self(if home.is_the_default() { format!("{PREFIX}{slug}") } else { format!("{PREFIX}{slug}{HOME}{home}") })
    }

    /// Reads the full form, `ai-diy-<slug>` or `ai-diy-<slug>--<home>`.
    ///
    /// # Errors
    /// [`ProjectNameError`] when the prefix is missing, the slug is no subdomain, or what follows it no home.
    pub fn parse(raw: &str) -> Result<Self, ProjectNameError> {
        let wrong = || ProjectNameError(raw.to_owned());
        let rest = raw.strip_prefix(PREFIX).ok_or_else(wrong)?;
        let (slug, home) = match rest.split_once(HOME) {
            Some((slug, home)) => (slug, Some(HomeName::parse(home).map_err(|_| wrong())?)),
            None => (rest, None),
        };
        let name = Self::of(&Subdomain::parse_given(slug).map_err(|_| wrong())?);
        match home {
            // It would be another name for what has one.
            Some(home) if home.is_the_default() => Err(wrong()),
            Some(home) => Ok(name.in_home(&home)),
            None => Ok(name),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the prefix, without the home.
    pub fn slug(&self) -> &str {
        let rest = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        rest.split_once(HOME).map_or(rest, |(slug, _)| slug)
    }

    /// The home that it lives in.
    pub fn home(&self) -> HomeName {
        let named = self.0.split_once(HOME).and_then(|(_, home)| HomeName::parse(home).ok());
        named.unwrap_or_else(HomeName::the_default)
    }
}

crate::text::name!(ProjectName, ProjectNameError);

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

    #[test]
    fn each_home_has_a_name_of_its_own_for_a_project() {
        let name = ProjectName::of(&Subdomain::parse("acme").unwrap());
        assert!(name.home().is_the_default());
        let eu = HomeName::parse("eu-west").unwrap();
        let there = name.in_home(&eu);
        assert_eq!((there.as_str(), there.slug(), there.home()), ("ai-diy-acme--eu-west", "acme", eu));
        assert_eq!(ProjectName::parse("ai-diy-acme--eu-west"), Ok(there.clone()));
        assert_eq!(there.in_home(&HomeName::the_default()), name);
        for bad in ["ai-diy-acme--", "ai-diy-acme--default", "ai-diy-acme--a--b", "ai-diy---eu", "ai-diy-acme---eu"] {
            assert!(ProjectName::parse(bad).is_err(), "{bad}");
        }
    }
}
