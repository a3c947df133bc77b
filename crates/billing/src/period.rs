use std::fmt;

use domain::{Month, UsageHour};
use serde::{Deserialize, Serialize};

use crate::words;

/// What one invoice is for: the UTC hours from `start` up to, and without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Span", into = "Span")]
pub struct Period {
    start: UsageHour,
    end: UsageHour,
}

/// The end is not after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a period has to end after its start")]
pub struct EmptyPeriod;

#[derive(Serialize, Deserialize)]
struct Span {
    start: UsageHour,
    end: UsageHour,
}

impl Period {
    /// From one hour to another.
    ///
    /// # Errors
    /// [`EmptyPeriod`] when there is no hour between them.
    pub fn new(start: UsageHour, end: UsageHour) -> Result<Self, EmptyPeriod> {
        if start < end { Ok(Self { start, end }) } else { Err(EmptyPeriod) }
    }

    /// Its first hour.
    pub const fn start(self) -> UsageHour {
        self.start
    }

    /// The first hour after it.
    pub const fn end(self) -> UsageHour {
        self.end
    }

    /// How many hours it has, used or not.
    pub fn hours(self) -> u32 {
        hours_between(self.start, self.end)
    }

    /// Whether the hour belongs to it.
    pub fn contains(self, hour: UsageHour) -> bool {
        self.start <= hour && hour < self.end
    }

    /// Whether an hour belongs to both.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// How many of its hours come at or after an hour.
    pub fn hours_from(self, hour: UsageHour) -> u32 {
        hours_between(hour.max(self.start), self.end)
    }
}

/// None when the second is not later.
fn hours_between(start: UsageHour, end: UsageHour) -> u32 {
    u32::try_from(end.get().saturating_sub(start.get())).unwrap_or(0)
}

impl TryFrom<Span> for Period {
    type Error = EmptyPeriod;
    fn try_from(span: Span) -> Result<Self, EmptyPeriod> {
        Self::new(span.start, span.end)
    }
}

impl From<Period> for Span {
    fn from(Period { start, end }: Period) -> Self {
        Self { start, end }
    }
}

impl fmt::Display for Period {
    /// By its first and last day, or, where it does not begin and end with a day, by its hours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = UsageHour::from_number(self.end.get().saturating_sub(1)).unwrap_or(self.end);
        if words::is_midnight(self.start) && words::is_midnight(self.end) {
            write!(f, "{} to {}", words::day(self.start), words::day(last))
        } else {
            write!(f, "{} to {} UTC", words::moment(self.start), words::moment(self.end))
        }
    }
}

/// When one period ends and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// With the calendar month, UTC. The first period's base fee is prorated.
    Calendar,
    /// At the day of the month and the hour of the day at which the service began. A month that lacks the day has the
    /// border on its last one, and the next month on the day itself again.
    Anniversary {
        /// The hour in which the service began.
        of: UsageHour,
    },
}

impl Cycle {
    /// The period that an hour belongs to. Every hour belongs to exactly one.
    pub fn period_of(self, hour: UsageHour) -> Period {
        let month = hour.month();
        let here = self.border_in(month);
        if hour < here {
            Period { start: self.border_in(month.previous()), end: here }
        } else {
            Period { start: here, end: self.border_in(month.next()) }
        }
    }

    /// The period after this one.
    pub fn after(self, period: Period) -> Period {
        self.period_of(period.end)
    }

    /// The period of an hour and all later ones.
    pub fn periods_from(self, hour: UsageHour) -> impl Iterator<Item = Period> {
        std::iter::successors(Some(self.period_of(hour)), move |period| Some(self.after(*period)))
    }

    /// The hour of a month with which a period begins.
    fn border_in(self, month: Month) -> UsageHour {
        let first = month.first_hour();
        let Self::Anniversary { of } = self else { return first };
        let into_month = of.get() - of.month().first_hour().get();
        let (day, hour_of_day) = (into_month / 24, into_month % 24);
        let last_day = i64::from(month.hours() / 24) - 1;
        UsageHour::from_number(first.get() + day.min(last_day) * 24 + hour_of_day).unwrap_or(first)
    }
}
