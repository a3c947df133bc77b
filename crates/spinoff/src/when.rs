//! Moments and spans in words.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

/// How long ago something was, roughly: `4s ago`, `3h ago`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A span of milliseconds: `35ms`, `12.0s`, `2m 5s`.
pub fn span(millis: u64) -> String {
    match millis {
        0..1000 => format!("{millis}ms"),
        1000..60_000 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        _ => format!("{}m {}s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// A moment to the second, UTC.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The moment at which a day is over, in UTC.
pub fn end_of(day: &str) -> Result<Timestamp, String> {
    let next = day.parse::<Date>().and_then(|day| day.checked_add(1.day()));
    next.and_then(|next| format!("{next}T00:00:00Z").parse())
        .map_err(|_| format!("{day:?} is no day: write it like 2026-12-31"))
}

/// How long something that is to come takes, roughly: `about a minute`, `about 12 min`, `about 3 h 20 min`.
pub fn about(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        0..=1 => "about a minute".to_owned(),
        minutes @ 2..120 => format!("about {minutes} min"),
        minutes @ 120..2_880 => format!("about {} h {} min", minutes / 60, minutes % 60),
        minutes => format!("about {} days", minutes.div_ceil(1_440)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let then = |text: &str| ago(now, text.parse().unwrap());
        assert_eq!(then("2026-11-24T11:59:56Z"), "4s ago");
        assert_eq!(then("2026-11-24T11:30:00Z"), "30m ago");
        assert_eq!(then("2026-11-24T02:00:00Z"), "10h ago");
        assert_eq!(then("2026-11-01T12:00:00Z"), "23d ago");
        assert_eq!(then("2026-11-24T12:00:09Z"), "0s ago", "clocks differ a little");
        assert_eq!((span(90), span(1250), span(125_000)), ("90ms".into(), "1.2s".into(), "2m 5s".into()));
        assert_eq!(moment(now), "2026-11-24 12:00:00Z");
        let told = [20, 700, 7_300, 200_000].map(about);
        assert_eq!(told, ["about a minute", "about 12 min", "about 2 h 2 min", "about 3 days"]);
    }
}
