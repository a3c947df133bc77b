use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

const MILLIS_PER_HOUR: i64 = 3_600_000;

/// A calendar month in UTC; the period that is billed. Written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

/// Why a text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a month: it should look like 2026-11")]
pub struct MonthError(pub String);

impl Month {
    /// The month in which a moment lies.
    pub fn of(at: Timestamp) -> Self {
        let date = at.to_zoned_datetime(TimeZone::UTC).date();
        Self { year: date.year(), month: date.month() }
    }

    /// Reads `YYYY-MM`, years 2000 to 2999.
    ///
    /// # Errors
    /// [`MonthError`] for any other form.
    pub fn parse(raw: &str) -> Result<Self, MonthError> {
        let fail = || MonthError(raw.to_owned());
        let (year, month) = raw.split_once('-').ok_or_else(fail)?;
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(fail());
        }
        let year: i16 = year.parse().map_err(|_| fail())?;
        let month: i8 = month.parse().map_err(|_| fail())?;
        if !(2000..3000).contains(&year) || !(1..=12).contains(&month) {
            return Err(fail());
        }
        Ok(Self { year, month })
    }

    /// The first hour of the month.
    pub fn first_hour(self) -> UsageHour {
        let midnight = civil::date(self.year, self.month, 1).to_zoned_datetime(TimeZone::UTC);
        midnight.map_or(UsageHour(0), |zoned| UsageHour::of(zoned.timestamp()))
    }

    /// How many hours the month has: 672 to 744.
    pub fn hours(self) -> u16 {
        let days = civil::date(self.year, self.month, 1).days_in_month();
        u16::from(days.unsigned_abs()) * 24
    }

    /// The month before this one.
    pub fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }

    /// The month after this one.
    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

crate::text::form!(Month, MonthError);

/// One clock hour, UTC, counted from 1970. Usage is a *set* of these, so no hour is billed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsageHour(i64);

impl UsageHour {
    /// The hour in which a moment lies.
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_millisecond().div_euclid(MILLIS_PER_HOUR))
    }

    /// Hours since 1970-01-01T00:00Z.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// From the number of hours since 1970; `None` outside the calendar's range.
    pub fn from_number(hours: i64) -> Option<Self> {
        let millis = hours.checked_mul(MILLIS_PER_HOUR)?;
        Timestamp::from_millisecond(millis).ok().map(|_| Self(hours))
    }

    /// The moment at which the hour begins.
    pub fn start(self) -> Timestamp {
        Timestamp::from_millisecond(self.0 * MILLIS_PER_HOUR).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The month that this hour is billed in.
    pub fn month(self) -> Month {
        Month::of(self.start())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn months_know_their_hours_and_their_successor() {
        for (text, hours, next) in [
            ("2026-11", 720, "2026-12"),
            ("2026-12", 744, "2027-01"),
            ("2028-02", 696, "2028-03"),
            ("2027-02", 672, "2027-03"),
        ] {
            let month = Month::parse(text).unwrap();
            assert_eq!(month.hours(), hours);
            assert_eq!(month.next().to_string(), next);
            assert_eq!(month.next().previous(), month);
            assert_eq!(month.next().first_hour().get() - month.first_hour().get(), i64::from(hours));
            assert_eq!(month.first_hour().month(), month);
        }
    }

    #[test]
    fn what_is_not_a_month_is_refused() {
        for bad in ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-011", "+026-11", "1999-01"] {
            assert!(Month::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_last_millisecond_belongs_to_the_hour_that_ends() {
        let hour = |ms| UsageHour::of(Timestamp::from_millisecond(ms).unwrap());
        assert_eq!(hour(3_599_999), hour(0));
        assert_ne!(hour(3_600_000), hour(0));
        assert_eq!(hour(-1).get(), -1);
    }
}
