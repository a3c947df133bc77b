//! Hours and counts as people read them.

use domain::UsageHour;
use jiff::tz::TimeZone;

/// `1 hour`, `12 hours`.
pub(crate) fn hours(count: u32) -> String {
    if count == 1 { "1 hour".to_owned() } else { format!("{count} hours") }
}

/// `14 Nov 2026`.
pub(crate) fn day(hour: UsageHour) -> String {
    hour.start().strftime("%-d %b %Y").to_string()
}

/// `14 Nov 2026 09:00`; the zone, UTC, is for the sentence to say.
pub(crate) fn moment(hour: UsageHour) -> String {
    hour.start().strftime("%-d %b %Y %H:%M").to_string()
}

/// Whether a day begins with the hour.
pub(crate) fn is_midnight(hour: UsageHour) -> bool {
    hour.start().to_zoned_datetime(TimeZone::UTC).hour() == 0
}
