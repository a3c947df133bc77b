//! How models are reached: where, with which key, at which prices and within which limits.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::price::{Cost, Price};
use super::role::Role;

/// Everything that calls need to know of their provider.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the provider is.
    pub base: BaseUrl,
    /// What it knows this customer by; some need none.
    pub key: Option<SecretString>,
    /// The model of each role without one of its own.
    pub model: String,
    /// The models of roles that have one of their own.
    pub models: BTreeMap<Role, String>,
    /// What models cost.
    pub prices: BTreeMap<String, Price>,
    /// What may be spent.
    pub budgets: Budgets,
    /// How long and how much a call may take.
    pub limits: Limits,
}

/// What may be spent; `None` is as much as it takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budgets {
    /// In one day, UTC.
    pub day: Option<Cost>,
    /// In one sprint.
    pub sprint: Option<Cost>,
    /// In one month, UTC.
    pub month: Option<Cost>,
}

/// How long and how much a call may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Until there is a connection.
    pub connect: Duration,
    /// Between two pieces of an answer, and before the first.
    pub silence: Duration,
    /// From the question to the end of the answer, with all tries.
    pub total: Duration,
    /// The longest answer, in bytes.
    pub answer: usize,
    /// The longest answer that is asked for, in tokens.
    pub tokens: u64,
    /// How often a question is asked when the provider has passing faults.
    pub tries: u32,
    /// Before the second try; doubled for each further one.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(120),
            total: Duration::from_secs(15 * 60),
            answer: 512 * 1024,
            tokens: 16_000,
            tries: 4,
            pause: Duration::from_secs(1),
        }
    }
}

impl Setup {
    /// A setup with usual limits, no prices and no budgets.
    #[must_use]
    pub fn new(base: BaseUrl, model: &str) -> Self {
        Self {
            base,
            key: None,
            model: model.to_owned(),
            models: BTreeMap::new(),
            prices: BTreeMap::new(),
            budgets: Budgets::default(),
            limits: Limits::default(),
        }
    }

    /// The model that answers a role.
    #[must_use]
    pub fn model_of(&self, role: Role) -> &str {
        self.models.get(&role).unwrap_or(&self.model)
    }
}

impl Budgets {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// The address before `/chat/completions`: `https://` or `http://`, without user, query or fragment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(Url);

/// Why a text is no [`BaseUrl`], in words for the person who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It cannot be read.
    #[error("The provider's address must look like https://api.example.com/v1.")]
    Malformed,
    /// A name or password stands in it.
    #[error("The provider's address must not hold a name, a password, a ? or a #. The key has a field of its own.")]
    Secretive,
}

impl BaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`BaseUrlError`] says what to change.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| BaseUrlError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(BaseUrlError::Malformed);
        }
        let has_more = url.query().is_some() || url.fragment().is_some();
        if !url.username().is_empty() || url.password().is_some() || has_more {
            return Err(BaseUrlError::Secretive);
        }
        let path = url.path().trim_end_matches('/').trim_end_matches("/chat/completions").to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address that questions go to.
    #[must_use]
    pub fn completions(&self) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/chat/completions", self.0.path().trim_end_matches('/')));
        url
    }

    /// Host and port, as they are named in errors.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is this machine itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether others on the way can read what is sent, the key too.
    #[must_use]
    pub fn is_readable_on_the_way(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        Self::parse(&text)
    }
}

impl From<BaseUrl> for String {
    fn from(base: BaseUrl) -> Self {
        base.to_string()
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn questions_go_below_the_address_however_it_was_copied() {
        for typed in ["https://a.example/v1", " https://a.example/v1/ ", "https://a.example/v1/chat/completions"] {
            let base = BaseUrl::parse(typed).unwrap();
            assert_eq!(base.completions().as_str(), "https://a.example/v1/chat/completions", "{typed}");
            assert_eq!(base.to_string(), "https://a.example/v1");
        }
        assert_eq!(
            BaseUrl::parse("http://localhost:11434").unwrap().completions().as_str(),
            "http://localhost:11434/chat/completions"
        );
    }

    #[test]
    fn what_is_no_address_or_carries_a_secret_is_refused() {
        for typed in ["", "api.example.com", "ftp://a.example", "file:///etc/passwd", "https://"] {
            assert_eq!(BaseUrl::parse(typed).unwrap_err(), BaseUrlError::Malformed, "{typed}");
        }
        for typed in ["https://me:secret@a.example/v1", "https://a.example/v1?key=secret", "https://a.example/#x"] {
            assert_eq!(BaseUrl::parse(typed).unwrap_err(), BaseUrlError::Secretive, "{typed}");
        }
    }

    #[test]
    fn only_this_machine_may_be_asked_in_the_open_without_a_word() {
        for (typed, readable) in [
            ("http://127.0.0.1:1", false),
            ("http://[::1]:1", false),
            ("https://a.example", false),
            ("http://10.0.0.7:1", true),
            ("http://localhost.example", true),
        ] {
            assert_eq!(BaseUrl::parse(typed).unwrap().is_readable_on_the_way(), readable, "{typed}");
        }
    }
}
