//! Who belongs to an instance, said by address or by mail domain.

use std::fmt;
use std::str::FromStr;

use domain::Email;
use serde::{Deserialize, Serialize};

/// One line of a member list: `ada@example.com`, or `@example.com` for everybody of that domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MemberRule {
    /// Exactly this address.
    Exact(Email),
    /// Every address of exactly this domain; subdomains are other domains.
    Domain(MailDomain),
}

/// The part of an e-mail address after the `@`, with ASCII letters lower-cased.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailDomain(String);

/// The text is neither an e-mail address nor `@domain`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an e-mail address nor `@domain`")]
pub struct MemberRuleError(String);

/// A members file has a line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct MembersFileError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: MemberRuleError,
}

impl MemberRule {
    /// Whether this rule lets `email` in. Bytes are compared: both sides were lower-cased (ASCII
    /// only) when they were parsed, and nothing else about an address is ever folded.
    #[must_use]
    pub fn admits(&self, email: &Email) -> bool {
        match self {
            Self::Exact(member) => member.as_str() == email.as_str(),
            Self::Domain(domain) => email.domain() == domain.0,
        }
    }
}

/// Reads a members file: one rule a line; blank lines and lines that start with `#` say nothing.
///
/// # Errors
/// [`MembersFileError`] for the first line that is no rule. A list that cannot be read in full is
/// not used at all, since the missing line might be the one that was meant to go.
pub fn parse_members_file(text: &str) -> Result<Vec<MemberRule>, MembersFileError> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, rule)| rule.parse().map_err(|problem| MembersFileError { line, problem }))
        .collect()
}

impl FromStr for MemberRule {
    type Err = MemberRuleError;

    fn from_str(raw: &str) -> Result<Self, MemberRuleError> {
        let problem = || MemberRuleError(raw.chars().take(80).collect());
        match raw.strip_prefix('@') {
            Some(domain) => MailDomain::parse(domain).map(Self::Domain).ok_or_else(problem),
            None => Email::parse(raw).map(Self::Exact).map_err(|_| problem()),
        }
    }
}

impl TryFrom<String> for MemberRule {
    type Error = MemberRuleError;

    fn try_from(raw: String) -> Result<Self, MemberRuleError> {
        raw.parse()
    }
}

impl From<MemberRule> for String {
    fn from(rule: MemberRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for MemberRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(email) => formatter.write_str(email.as_str()),
            Self::Domain(domain) => write!(formatter, "@{}", domain.0),
        }
    }
}

impl MailDomain {
    /// Reads a host name of at least two labels of ASCII letters, digits and inner hyphens.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let labels: Vec<&str> = raw.split('.').collect();
        let sane = raw.len() <= 253 && labels.len() >= 2 && labels.iter().copied().all(is_label);
        sane.then(|| Self(raw.to_ascii_lowercase()))
    }

    /// The domain without an `@`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn admits(rule: &str, email: &str) -> bool {
        rule.parse::<MemberRule>().unwrap().admits(&Email::parse(email).unwrap())
    }

    #[test]
    fn an_address_admits_itself_and_nobody_who_looks_alike() {
        assert!(admits("ada@example.com", "ada@example.com"));
        assert!(admits("Ada@Example.com", "aDA@example.COM"), "ASCII case is no difference");
        for stranger in
            ["ada+x@example.com", "a.da@example.com", "ada@example.co", "ada@mail.example.com", "xada@example.com"]
        {
            assert!(!admits("ada@example.com", stranger), "{stranger}");
        }
    }

    #[test]
    fn a_domain_admits_its_addresses_but_not_subdomains_or_suffixes() {
        assert!(admits("@example.com", "anyone@example.com"));
        assert!(admits("@EXAMPLE.com", "anyone@example.com"));
        for stranger in ["x@mail.example.com", "x@badexample.com", "x@example.com.evil.org"] {
            assert!(!admits("@example.com", stranger), "{stranger}");
        }
    }

    #[test]
    fn nonsense_is_no_rule() {
        for text in ["", "@", "@com", "ada", "@-x.com", "@exa mple.com", "@a..b", "@\u{212a}elvin.com"] {
            assert!(text.parse::<MemberRule>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_members_file_is_read_whole_or_not_at_all() {
        let rules = parse_members_file("# staff\nada@example.com\n\n  @example.org \n").unwrap();
        let texts: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["ada@example.com", "@example.org"]);
        let error = parse_members_file("ada@example.com\nnot an address\n").unwrap_err();
        assert_eq!(error.line, 2);
    }
}
