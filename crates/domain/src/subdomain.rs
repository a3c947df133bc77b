use std::collections::HashSet;
use std::sync::LazyLock;

/// Names that stay with the operator: they would mislead customers or collide with the product.
pub const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "ai-diy",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "console",
    "dashboard",
    "demo",
    "dev",
    "dns",
    "docs",
    "edge",
    "email",
    "example",
    "ftp",
    "git",
    "guard",
    "help",
    "hostmaster",
    "imap",
    "internal",
    "invoice",
    "localhost",
    "login",
    "mail",
    "mailbox",
    "main",
    "metrics",
    "mx",
    "news",
    "noc",
    "ns",
    "ns1",
    "ns2",
    "oauth",
    "official",
    "operator",
    "pay",
    "payment",
    "payments",
    "ping",
    "pop",
    "pop3",
    "portal",
    "postmaster",
    "pricing",
    "privacy",
    "prod",
    "production",
    "proxy",
    "root",
    "router",
    "security",
    "shop",
    "signin",
    "signup",
    "site",
    "smtp",
    "spinoff",
    "ssh",
    "sso",
    "staging",
    "static",
    "status",
    "store",
    "stripe",
    "support",
    "sysadmin",
    "system",
    "team",
    "terms",
    "test",
    "upload",
    "vpn",
    "webhook",
    "webhooks",
    "webmail",
    "webmaster",
    "wpad",
    "www",
];

const MIN: usize = 3;
const MAX: usize = 32;

/// The first label of an instance's hostname.
///
/// Lower-case ASCII letters, digits and single hyphens, 3 to 32 characters. No punycode, so no
/// look-alikes from other scripts; look-alikes within ASCII are found with [`Subdomain::skeleton`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subdomain(String);

/// Why a text can't be a subdomain, in words for the person choosing one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubdomainError {
    /// Fewer than 3 characters.
    #[error("use at least {MIN} characters")]
    TooShort,
    /// More than 32 characters.
    #[error("use at most {MAX} characters")]
    TooLong,
    /// A character other than a-z, 0-9 and hyphen.
    #[error("use only the letters a to z, digits and hyphens; {0:?} is not one of them")]
    Character(char),
    /// A hyphen first, last or doubled.
    #[error("a hyphen may stand only between two letters or digits")]
    Hyphen,
    /// Only digits: would read as a number or an address.
    #[error("use at least one letter")]
    OnlyDigits,
    /// Belongs to the operator, or looks as if it did.
    #[error("that name is reserved; choose another one")]
    Reserved,
}

impl Subdomain {
    /// Reads what a person typed; upper-case letters and surrounding space are forgiven.
    ///
    /// # Errors
    /// [`SubdomainError`] says what to change.
    pub fn parse(raw: &str) -> Result<Self, SubdomainError> {
        let name = Self::parse_given(&raw.trim().to_ascii_lowercase())?;
        static RESERVED_SKELETONS: LazyLock<HashSet<String>> =
            LazyLock::new(|| RESERVED.iter().copied().map(skeleton).collect());
        // `<subdomain>-app` is where an instance shows the app that its customer makes, and a name like
        // a project's would be mistaken for it.
        if name.0.ends_with("-app")
            || name.0.starts_with("ai-diy-")
            || RESERVED_SKELETONS.contains(name.skeleton().as_str())
        {
            return Err(SubdomainError::Reserved);
        }
        Ok(name)
    }

    /// Reads a name that was given to somebody already, and stays theirs although it may have been reserved since.
    ///
    /// # Errors
    /// [`SubdomainError`] for what never was a name.
    pub fn parse_given(label: &str) -> Result<Self, SubdomainError> {
        if let Some(c) = label.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
            return Err(SubdomainError::Character(c));
        }
        if label.len() < MIN {
            return Err(SubdomainError::TooShort);
        }
        if label.len() > MAX {
            return Err(SubdomainError::TooLong);
        }
        if label.starts_with('-') || label.ends_with('-') || label.contains("--") {
            return Err(SubdomainError::Hyphen);
        }
        if label.chars().all(|c| c.is_ascii_digit() || c == '-') {
            return Err(SubdomainError::OnlyDigits);
        }
        Ok(Self(label.to_owned()))
    }

    /// The label as it stands in the hostname.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the name looks like at a glance: two names with one skeleton would be mistaken for
    /// each other (`acme-1`, `acmel`), so only one of them may exist.
    pub fn skeleton(&self) -> String {
        skeleton(&self.0)
    }
}

fn skeleton(label: &str) -> String {
    label
        .replace('-', "")
        .replace("rn", "m")
        .replace("vv", "w")
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' => 'l',
            '5' => 's',
            other => other,
        })
        .collect()
}

crate::text::name!(Subdomain, SubdomainError);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn good_names_are_taken_as_typed_but_lower_case() {
        assert_eq!(Subdomain::parse(" Acme-Works ").unwrap().as_str(), "acme-works");
        assert_eq!(Subdomain::parse("a2z").unwrap().as_str(), "a2z");
    }

    #[test]
    fn each_refusal_says_what_to_change() {
        use SubdomainError::*;
        for (raw, why) in [
            ("ab", TooShort),
            (&"a".repeat(33), TooLong),
            ("acme.works", Character('.')),
            ("аcme", Character('а')),
            ("-acme", Hyphen),
            ("acme-", Hyphen),
            ("xn--acme", Hyphen),
            ("123", OnlyDigits),
            ("admin", Reserved),
            ("adm1n", Reserved),
            ("acme-app", Reserved),
            ("ai-diy-acme", Reserved),
        ] {
            assert_eq!(Subdomain::parse(raw), Err(why), "{raw}");
        }
    }

    #[test]
    fn a_name_that_is_reserved_later_stays_its_owners() {
        assert_eq!(Subdomain::parse_given("status").unwrap().as_str(), "status");
        assert_eq!(
            Subdomain::parse_given("Status"),
            Err(SubdomainError::Character('S')),
            "no name was given like that"
        );
    }

    #[test]
    fn look_alikes_share_a_skeleton() {
        let skeleton = |raw| Subdomain::parse(raw).unwrap().skeleton();
        assert_eq!(skeleton("corner"), skeleton("comer"));
        assert_eq!(skeleton("bil1"), skeleton("bill"));
        assert_eq!(skeleton("ac-me"), skeleton("acme"));
        assert_ne!(skeleton("acme"), skeleton("acne"));
    }
}
