use jiff::Timestamp;

/// A moment as stored: milliseconds since 1970, UTC.
pub fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A stored moment. A number outside the calendar, which no code of ours writes, reads as 1970.
pub fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A stored moment that may not have come yet.
pub fn optional_from_millis(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(from_millis)
}
