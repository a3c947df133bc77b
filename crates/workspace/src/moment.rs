//! Times as people say them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use world::Clock;

/// The time now. The one place in this program that asks for it, but for the account of use.
#[must_use]
pub fn now() -> Timestamp {
    Clock::System.now()
}

/// A moment as it is shown: how long ago, and exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// For example `5 minutes ago`.
    pub ago: String,
    /// For example `24 Nov 2026, 14:05 UTC`.
    pub exact: String,
    /// RFC 3339, for programs.
    pub machine: String,
}

impl Moment {
    /// How `at` is told to someone who looks `now`.
    #[must_use]
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let date = at.to_zoned_datetime(TimeZone::UTC);
        let seconds = now.as_second() - at.as_second();
        let ago = match seconds {
            ..45 => "just now".to_owned(),
            45..3_600 => counted((seconds + 15) / 60, "minute"),
            3_600..86_400 => counted(seconds / 3_600, "hour"),
            86_400..172_800 => "yesterday".to_owned(),
            172_800..1_209_600 => counted(seconds / 86_400, "day"),
            _ => date.strftime("%-d %b %Y").to_string(),
        };
        let exact = date.strftime("%-d %b %Y, %H:%M UTC").to_string();
        let machine = date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self { ago, exact, machine }
    }
}

fn counted(count: i64, unit: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{ending} ago")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (at, ago) in [
            ("2026-11-24T12:00:30Z", "just now"),
            ("2026-11-24T11:59:50Z", "just now"),
            ("2026-11-24T11:59:00Z", "1 minute ago"),
            ("2026-11-24T11:01:00Z", "59 minutes ago"),
            ("2026-11-24T10:30:00Z", "1 hour ago"),
            ("2026-11-23T11:00:00Z", "yesterday"),
            ("2026-11-20T12:00:00Z", "4 days ago"),
            ("2026-01-02T12:00:00Z", "2 Jan 2026"),
        ] {
            assert_eq!(Moment::new(at.parse().unwrap(), now).ago, ago, "{at}");
        }
        assert_eq!(Moment::new(now, now).exact, "24 Nov 2026, 12:00 UTC");
    }
}
