//! Moments in words. All are computed against a `now` that comes in, and marked up so that the
//! script can keep ages true and show clocks in the reader's own zone.

use jiff::{Timestamp, tz::TimeZone};

use crate::page::Markup;

/// `3 s ago`, with the full moment in UTC behind it.
pub(crate) fn ago(now: Timestamp, at: Timestamp) -> Markup {
    time_element("age", at, &age(now, at))
}

/// `24 Nov 2026, 22:54 UTC`.
pub(crate) fn moment(at: Timestamp) -> Markup {
    time_element("clock", at, &utc(at))
}

/// The age of a moment in the largest whole unit; a moment to come is `just now`, because clocks
/// of two machines differ a little.
pub(crate) fn age(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second());
    match seconds {
        ..=0 => "just now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..172_800 => "1 day ago".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A moment by calendar and clock in UTC.
pub(crate) fn utc(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC).strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// How long something took: `0.4 s`, `12 s`, `3 min 5 s`.
pub(crate) fn duration(millis: u64) -> String {
    match millis {
        ..100 => "under 0.1 s".to_owned(),
        100..10_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        10_000..60_000 => format!("{} s", millis / 1_000),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
        _ => format!("{} h {} min", millis / 3_600_000, millis % 3_600_000 / 60_000),
    }
}

fn time_element(kind: &str, at: Timestamp, text: &str) -> Markup {
    Markup(format!(r#"<time datetime="{at}" title="{}" data-show="{kind}">{text}</time>"#, utc(at)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_age_is_told_in_the_largest_whole_unit() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (seconds, words) in [
            (-5, "just now"),
            (0, "just now"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (7_200, "2 h ago"),
            (90_000, "1 day ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(age(now, now - jiff::SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_moment_carries_its_machine_form_and_its_zone() {
        let at: Timestamp = "2026-11-04T09:05:00Z".parse().unwrap();
        let html = moment(at).to_string();
        assert!(
            html.contains(r#"datetime="2026-11-04T09:05:00Z""#) && html.contains(">4 Nov 2026, 09:05 UTC<"),
            "{html}"
        );
    }

    #[test]
    fn durations_are_as_fine_as_people_need() {
        for (millis, words) in
            [(0, "under 0.1 s"), (440, "0.4 s"), (12_900, "12 s"), (185_000, "3 min 5 s"), (7_260_000, "2 h 1 min")]
        {
            assert_eq!(duration(millis), words);
        }
    }
}
