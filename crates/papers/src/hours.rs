//! Hours as people count them: day by day, from when to when.

use billing::HourSet;
use domain::UsageHour;
use jiff::tz::TimeZone;

/// Some hours of one day, in UTC, as invoices and usage reports name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageDay {
    /// The day: `Tue 24 Nov 2026`.
    pub day: String,
    /// From when to when: `09:00–11:00, 14:00–15:00`.
    pub spans: String,
    /// How many hours.
    pub count: u32,
}

/// A set of hours day by day, the earliest first.
pub fn by_day(hours: &HourSet) -> Vec<UsageDay> {
    let hours: Vec<UsageHour> = hours.iter().collect();
    let days = hours.chunk_by(|a, b| a.get().div_euclid(24) == b.get().div_euclid(24));
    days.map(|hours| UsageDay { day: day(hours), spans: spans(hours), count: count(hours) }).collect()
}

fn day(hours: &[UsageHour]) -> String {
    let start = hours.first().map(|hour| hour.start().to_zoned_datetime(TimeZone::UTC));
    start.map(|start| start.strftime("%a %-d %b %Y").to_string()).unwrap_or_default()
}

fn count(hours: &[UsageHour]) -> u32 {
    u32::try_from(hours.len()).unwrap_or(u32::MAX)
}

/// Hours that follow on each other as one span.
fn spans(hours: &[UsageHour]) -> String {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for of_day in hours.iter().map(|hour| hour.get().rem_euclid(24)) {
        match spans.last_mut() {
            Some((_, end)) if *end == of_day => *end += 1,
            _ => spans.push((of_day, of_day + 1)),
        }
    }
    let spans: Vec<String> = spans.iter().map(|(from, to)| format!("{from:02}:00–{to:02}:00")).collect();
    spans.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hours(numbers: &[i64]) -> HourSet {
        numbers.iter().map(|number| UsageHour::from_number(*number).unwrap()).collect()
    }

    #[test]
    fn hours_that_follow_on_each_other_are_one_span_and_none_goes_past_midnight() {
        // 1 January 1970 was a Thursday.
        let rows = by_day(&hours(&[9, 10, 14, 23, 24]));
        let day = |day: &str, spans: &str, count| UsageDay { day: day.to_owned(), spans: spans.to_owned(), count };
        let first = day("Thu 1 Jan 1970", "09:00–11:00, 14:00–15:00, 23:00–24:00", 4);
        assert_eq!(rows, [first, day("Fri 2 Jan 1970", "00:00–01:00", 1)]);
    }

    #[test]
    fn no_hour_is_no_day() {
        assert!(by_day(&HourSet::none()).is_empty());
    }
}
