//! The address of a git remote.

use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// The longest address that is taken.
const LONGEST: usize = 1000;

/// `https://` with a host and a path, and no user, query or fragment; `http://` only on this machine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(Url);

impl Address {
    /// Reads an address as a person types it.
    ///
    /// # Errors
    /// What is wrong with it, and what to type.
    pub fn parse(typed: &str) -> Result<Self, &'static str> {
        const LIKE: &str = "The address must look like https://git.example.com/team/app.git.";
        let typed = typed.trim().trim_end_matches('/');
        let url = Url::parse(typed).map_err(|_| LIKE)?;
        if url.cannot_be_a_base() || url.host_str().is_none_or(str::is_empty) || typed.len() > LONGEST {
            return Err(LIKE);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err("The address must begin with https://, or others on the way could read the token."),
            _ => {
                return Err(
                    "Only addresses that begin with https:// are taken. Git hosts show one beside the SSH address.",
                );
            }
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("Leave the user and the token out of the address, and type them into their own fields.");
        }
        if url.query().is_some() || url.fragment().is_some() || url.path().len() < 2 {
            return Err(LIKE);
        }
        // Control letters in an address have fooled programs before.
        let path = url.path();
        if path.match_indices('%').any(|(at, _)| path.get(at + 1..at + 2).is_none_or(|digit| "01".contains(digit))) {
            return Err(LIKE);
        }
        Ok(Self(url))
    }

    /// The host and the port, as a person compares them.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// `https`, or `http` on this machine.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_addresses_that_keep_a_token_safe_are_taken() {
        for (typed, host) in [
            (" https://git.example.com/team/app.git ", "git.example.com"),
            ("https://git.example.com:8443/app/", "git.example.com:8443"),
            ("http://127.0.0.1:9000/app.git", "127.0.0.1:9000"),
            ("http://[::1]:9000/app.git", "[::1]:9000"),
            ("http://localhost:9000/app.git", "localhost:9000"),
        ] {
            assert_eq!(Address::parse(typed).unwrap().host(), host, "{typed}");
        }
        for typed in [
            "",
            "git.example.com/app.git",
            "git@example.com:team/app.git",
            "ssh://git@example.com/app.git",
            "file:///etc",
            "ext::sh -c touch% x",
            "http://git.example.com/app.git",
            "http://localhost.evil.example/app.git",
            "https://user:token@git.example.com/app.git",
            "https://git.example.com",
            "https://git.example.com/",
            "https://git.example.com/app.git?x=1",
            "https://git.example.com/app.git#x",
            "https://git.example.com/a%0ahost=evil",
            "--upload-pack=touch",
        ] {
            assert!(Address::parse(typed).is_err(), "{typed}");
        }
    }
}
