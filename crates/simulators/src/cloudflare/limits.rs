use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};

use super::envelope::Refusal;

const SPAN: SignedDuration = SignedDuration::from_mins(5);

/// How much a token has asked lately.
#[derive(Debug, Default)]
pub(super) struct Window {
    began: Option<Timestamp>,
    count: u32,
    closed_until: Option<Timestamp>,
}

/// What the headers of an answer say about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    limit: u32,
    remaining: u32,
    /// Seconds until it begins anew.
    reset: i64,
    is_closed: bool,
}

impl Window {
    /// Counts a request. Who asks too much is shut out for as long as a window is.
    pub(super) fn count(&mut self, limit: u32, now: Timestamp) -> Standing {
        if let Some(until) = self.closed_until {
            if now < until {
                return Standing { limit, remaining: 0, reset: seconds(until, now), is_closed: true };
            }
            *self = Self::default();
        }
        let began = match self.began {
            Some(began) if now < began + SPAN => began,
            _ => {
                self.count = 0;
                now
            }
        };
        self.began = Some(began);
        if self.count >= limit {
            self.closed_until = Some(now + SPAN);
            return Standing { limit, remaining: 0, reset: SPAN.as_secs(), is_closed: true };
        }
        self.count += 1;
        Standing { limit, remaining: limit - self.count, reset: seconds(began + SPAN, now), is_closed: false }
    }
}

impl Standing {
    pub(super) fn refusal(self) -> Option<Refusal> {
        let why = format!(
            "More than {} requests per 300 seconds reached. Please wait and consider throttling your request speed",
            self.limit
        );
        self.is_closed.then(|| Refusal::new(429, 10100, why))
    }

    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let mut say = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        say("ratelimit", format!("\"default\";r={};t={}", self.remaining, self.reset));
        say("ratelimit-policy", format!("\"default\";q={};w={}", self.limit, SPAN.as_secs()));
        say("x-ratelimit-limit", self.limit.to_string());
        say("x-ratelimit-remaining", self.remaining.to_string());
        say("x-ratelimit-reset", self.reset.to_string());
        if self.is_closed {
            headers.insert(header::RETRY_AFTER, self.reset.into());
        }
    }
}

/// Rounded up, so that whoever waits as long as they are told comes late enough.
fn seconds(until: Timestamp, now: Timestamp) -> i64 {
    let millis = until.duration_since(now).as_millis();
    i64::try_from((millis + 999) / 1000).unwrap_or(i64::MAX)
}
