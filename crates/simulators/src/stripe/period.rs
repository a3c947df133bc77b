use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value;

use crate::stripe::objects::{number, word};

const DAY: i64 = 86_400;

/// The end of the period that holds a moment, counted from the anchor, so that a subscription of the
/// 31st comes back to the 31st after a shorter month.
pub(super) fn end(anchor: i64, moment: i64, recurring: &Value) -> i64 {
    let count = number(recurring, "interval_count").max(1);
    let mut turns = 1;
    loop {
        let end = after(anchor, word(recurring, "interval"), count * turns);
        if end > moment {
            return end;
        }
        turns += 1;
    }
}

fn after(anchor: i64, interval: &str, count: i64) -> i64 {
    let months = match interval {
        "day" => return anchor + count * DAY,
        "week" => return anchor + count * 7 * DAY,
        "year" => count * 12,
        _ => count,
    };
    let start = Timestamp::from_second(anchor).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned_datetime(TimeZone::UTC);
    let end = Span::new().try_months(months).ok().and_then(|span| start.checked_add(span).ok());
    end.map_or(i64::MAX, |end| end.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn months_keep_the_day_of_the_anchor() {
        let monthly = json!({ "interval": "month", "interval_count": 1 });
        let anchor = at("2026-01-31T10:00:00Z");
        for (moment, wanted) in [
            ("2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
            ("2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"),
            ("2026-03-31T09:00:00Z", "2026-03-31T10:00:00Z"),
            ("2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"),
        ] {
            assert_eq!(end(anchor, at(moment), &monthly), at(wanted), "{moment}");
        }
        let weekly = json!({ "interval": "week", "interval_count": 2 });
        assert_eq!(end(anchor, anchor, &weekly), anchor + 14 * DAY);
    }
}
