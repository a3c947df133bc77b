use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not done (RFC 9457), with what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem, for programs: a path below the site, or `about:blank`.
    #[serde(rename = "type", default = "blank")]
    pub kind: String,
    /// What failed; the same for every problem of the kind.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Why it failed this time.
    #[serde(default)]
    pub detail: String,
    /// The request that it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What to do now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

impl Problem {
    /// A problem that needs no kind of its own.
    pub fn new(status: u16, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind: blank(), title: title.into(), status, detail: detail.into(), instance: None, next_step: None }
    }

    /// Says what to do now.
    #[must_use]
    pub fn with_next_step(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.title.as_str(), self.detail.as_str()) {
            ("", "") => write!(f, "the server answered {}", self.status),
            ("", only) | (only, "") => f.write_str(only),
            (title, detail) => write!(f, "{title}: {detail}"),
        }
    }
}

fn blank() -> String {
    "about:blank".to_owned()
}
