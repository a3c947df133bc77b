//! What another company says of itself on its status page.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use store::Db;
use world::{Clock, Entropy};

use crate::ProviderError;
use crate::budget::{Budget, Rate};
use crate::http::{self, Api, Call};

const DEADLINE: Duration = Duration::from_secs(15);
const RATE: Rate = Rate { number: 30, per: SignedDuration::from_hours(1), burst: 5 };

/// How well a company says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// All is well.
    Fine,
    /// It works on something that was announced.
    Maintenance,
    /// Something does not work as it should.
    Minor,
    /// Much does not work.
    Major,
}

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfReport {
    /// How well it is.
    pub condition: Condition,
    /// In its own words.
    pub words: String,
}

/// A status page that programs can read: in the manner of Statuspage (`/api/v2/status.json`) or of Instatus
/// (`/summary.json`).
#[derive(Debug, Clone)]
pub struct StatusFeed {
    name: &'static str,
    api: Api,
    /// Where the summary is, below the host.
    path: String,
}

/// What both kinds of pages say, as far as it is of interest.
#[derive(Deserialize)]
struct Summary {
    status: Option<Statuspage>,
    page: Option<Page>,
}

#[derive(Deserialize)]
struct Statuspage {
    indicator: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    status: String,
}

impl Condition {
    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Maintenance => "maintenance",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Fine, Self::Maintenance, Self::Minor, Self::Major].into_iter().find(|it| it.as_str() == word)
    }
}

impl StatusFeed {
    /// The page of a company at a complete address, such as `https://www.cloudflarestatus.com/api/v2/status.json`. Asks
    /// nobody yet.
    ///
    /// # Errors
    /// Refused when the address is none.
    pub fn new(name: &'static str, url: &str, db: Db, clock: Clock, entropy: Entropy) -> Result<Self, ProviderError> {
        let refuse = || {
            let next = "give the complete address of the JSON, with https:// (http:// on this machine only)";
            ProviderError::refused(format!("read the status page of {name}"), format!("{url:?} is no address"), next)
        };
        let mut parsed = Url::parse(url).map_err(|_| refuse())?;
        let host = parsed.host_str().unwrap_or_default();
        let is_here = host == "localhost" || host.starts_with("127.");
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && is_here) {
            return Err(refuse());
        }
        let path = parsed.path().to_owned();
        parsed.set_path("");
        parsed.set_query(None);
        let settings = http::Settings {
            name,
            url: parsed,
            headers: HeaderMap::new(),
            deadline: DEADLINE,
            rate: RATE,
            pause: Duration::from_millis(500),
            observer: Arc::new(|_| ()),
        };
        let api = Api::new(settings, Budget::new(db, clock.clone(), name), clock, entropy)?;
        Ok(Self { name, api, path })
    }

    /// Whose page it is.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it says now.
    ///
    /// # Errors
    /// [`ProviderError`], also when the answer is of another form.
    pub async fn read(&self) -> Result<SelfReport, ProviderError> {
        let reply = self.api.ask(&Call::get("its status", &self.path)).await?;
        let what = || format!("reading the status page of {}", self.name);
        if !reply.status.is_success() {
            return Err(ProviderError::unavailable(what(), format!("it answers {}", reply.status)));
        }
        let summary: Summary =
            serde_json::from_slice(&reply.body).map_err(|error| ProviderError::unavailable(what(), error))?;
        understood(&summary).ok_or_else(|| ProviderError::unavailable(what(), "it says nothing that is known here"))
    }
}

fn understood(summary: &Summary) -> Option<SelfReport> {
    if let Some(status) = &summary.status {
        let condition = match status.indicator.as_str() {
            "none" => Condition::Fine,
            "maintenance" => Condition::Maintenance,
            "minor" => Condition::Minor,
            "major" | "critical" => Condition::Major,
            _ => return None,
        };
        return Some(SelfReport { condition, words: status.description.chars().take(200).collect() });
    }
    let (condition, words) = match summary.page.as_ref()?.status.as_str() {
        "UP" => (Condition::Fine, "All systems operational"),
        "UNDERMAINTENANCE" => (Condition::Maintenance, "Under maintenance"),
        "HASISSUES" => (Condition::Minor, "Some systems have issues"),
        _ => return None,
    };
    Some(SelfReport { condition, words: words.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_kinds_of_pages_are_understood_and_others_are_not_guessed_at() {
        for (text, expected) in [
            (r#"{"status": {"indicator": "none", "description": "All Systems Operational"}}"#, Some(Condition::Fine)),
            (r#"{"status": {"indicator": "critical", "description": "Down"}}"#, Some(Condition::Major)),
            (r#"{"status": {"indicator": "sunny"}}"#, None),
            (r#"{"page": {"name": "Railway", "status": "UP"}}"#, Some(Condition::Fine)),
            (r#"{"page": {"status": "HASISSUES"}, "activeIncidents": []}"#, Some(Condition::Minor)),
            (r#"{"page": {"name": "no word of it"}}"#, None),
            ("{}", None),
        ] {
            let summary: Summary = serde_json::from_str(text).unwrap();
            assert_eq!(understood(&summary).map(|report| report.condition), expected, "{text}");
        }
    }
}
