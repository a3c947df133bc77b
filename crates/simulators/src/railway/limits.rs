use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};

use super::Plan;

impl Plan {
    fn hourly(self) -> Option<u32> {
        match self {
            Self::Free => Some(100),
            Self::Hobby => Some(1_000),
            Self::Pro => Some(10_000),
            Self::Unlimited => None,
        }
    }

    fn each_second(self) -> Option<u32> {
        match self {
            Self::Free | Self::Unlimited => None,
            Self::Hobby => Some(10),
            Self::Pro => Some(50),
        }
    }
}

/// What was asked in this hour and in this second, by all tokens of the workspace together.
#[derive(Debug, Default)]
pub(super) struct Windows {
    hour: Option<Timestamp>,
    in_hour: u32,
    second: i64,
    in_second: u32,
}

/// How a request stands to the limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) resets: Timestamp,
    /// Too many: come back after so long.
    pub(super) refused: Option<Duration>,
}

impl Windows {
    /// Counts a request. `None` when nothing is limited.
    pub(super) fn count(&mut self, plan: Plan, now: Timestamp) -> Option<Standing> {
        self.turn(now);
        let mut standing = self.standing(plan, now)?;
        if standing.remaining == 0 {
            let pause = standing.resets.duration_since(now).as_secs().max(1);
            standing.refused = Some(Duration::from_secs(pause.unsigned_abs()));
        } else if plan.each_second().is_some_and(|most| self.in_second >= most) {
            standing.refused = Some(Duration::from_secs(1));
        } else {
            self.in_hour += 1;
            self.in_second += 1;
            standing.remaining -= 1;
        }
        Some(standing)
    }

    pub(super) fn standing(&self, plan: Plan, now: Timestamp) -> Option<Standing> {
        let limit = plan.hourly()?;
        let resets = self.hour.unwrap_or(now) + SignedDuration::from_hours(1);
        Some(Standing { limit, remaining: limit.saturating_sub(self.in_hour), resets, refused: None })
    }

    fn turn(&mut self, now: Timestamp) {
        if self.hour.is_none_or(|start| now.duration_since(start) >= SignedDuration::from_hours(1)) {
            (self.hour, self.in_hour) = (Some(now), 0);
        }
        if self.second != now.as_second() {
            (self.second, self.in_second) = (now.as_second(), 0);
        }
    }
}

impl Standing {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        if let Ok(resets) = HeaderValue::from_str(&self.resets.to_string()) {
            headers.insert("x-ratelimit-reset", resets);
        }
        if let Some(pause) = self.refused {
            headers.insert(header::RETRY_AFTER, pause.as_secs().into());
        }
    }
}
