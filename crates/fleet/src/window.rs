use std::num::NonZeroU8;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// The hours of a week in which a customer wants updates: on some days, from an hour on, for some hours. In UTC, which
/// knows no hour twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Window {
    days: Vec<Weekday>,
    from_hour: u8,
    hours: NonZeroU8,
}

/// Why hours are no maintenance window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// It would never open.
    #[error("a maintenance window needs at least one day of the week")]
    NoDay,
    /// There is no such hour.
    #[error("{0} is not an hour of a day; use 0 to 23")]
    NoHour(u8),
    /// Updates of a whole fleet could not all begin in it.
    #[error("{0} hours are too few or too many for a maintenance window; use {SHORTEST} to 24")]
    Length(u8),
}

/// The shortest window: an update that waits for its turn has to fit.
const SHORTEST: u8 = 2;

/// When a window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// From this moment on.
    pub opens: Timestamp,
    /// Until just before this one.
    pub closes: Timestamp,
}

impl Opening {
    /// Whether it is open at a moment.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.opens <= moment && moment < self.closes
    }
}

impl Window {
    /// Makes one.
    ///
    /// # Errors
    /// [`WindowError`] names what can't be meant.
    pub fn new(days: &[Weekday], from_hour: u8, hours: u8) -> Result<Self, WindowError> {
        let mut days = days.to_vec();
        days.sort_by_key(|day| day.to_monday_zero_offset());
        days.dedup();
        if days.is_empty() {
            return Err(WindowError::NoDay);
        }
        if from_hour > 23 {
            return Err(WindowError::NoHour(from_hour));
        }
        match NonZeroU8::new(hours) {
            Some(hours) if (SHORTEST..=24).contains(&hours.get()) => Ok(Self { days, from_hour, hours }),
            _ => Err(WindowError::Length(hours)),
        }
    }

    /// On which days it opens, Monday first.
    pub fn days(&self) -> &[Weekday] {
        &self.days
    }

    /// At which hour of these days, UTC.
    pub fn from_hour(&self) -> u8 {
        self.from_hour
    }

    /// For how many hours.
    pub fn hours(&self) -> u8 {
        self.hours.get()
    }

    /// When it is open: now if it is, else the next time. `None` only at the end of time.
    pub fn opening(&self, now: Timestamp) -> Option<Opening> {
        let today = TimeZone::UTC.to_datetime(now).date();
        // From yesterday, since a window may last past midnight, to the same day of the next week.
        (-1_i64..=7).find_map(|days| {
            let day = today.checked_add(days.days()).ok()?;
            if !self.days.contains(&day.weekday()) {
                return None;
            }
            let hour = i8::try_from(self.from_hour).ok()?;
            let opens = TimeZone::UTC.to_timestamp(day.at(hour, 0, 0, 0)).ok()?;
            let closes = opens.checked_add(SignedDuration::from_hours(i64::from(self.hours.get()))).ok()?;
            (closes > now).then_some(Opening { opens, closes })
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    days: Vec<String>,
    from_hour: u8,
    hours: u8,
}

const WORDS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl From<Window> for Stored {
    fn from(window: Window) -> Self {
        let word = |day: &Weekday| WORDS.iter().find(|(_, named)| named == day).map(|(word, _)| (*word).to_owned());
        Self {
            days: window.days.iter().filter_map(word).collect(),
            from_hour: window.from_hour,
            hours: window.hours.get(),
        }
    }
}

impl TryFrom<Stored> for Window {
    type Error = String;
    fn try_from(stored: Stored) -> Result<Self, String> {
        let day = |word: &String| {
            let found = WORDS.iter().find(|(known, _)| known == word).map(|(_, day)| *day);
            found.ok_or_else(|| format!("{word:?} is not a day of the week; use mon, tue, wed, thu, fri, sat or sun"))
        };
        let days: Vec<Weekday> = stored.days.iter().map(day).collect::<Result<_, _>>()?;
        Self::new(&days, stored.from_hour, stored.hours).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{prop, prop_assert, proptest};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_open_now_or_opens_within_a_week() {
        // 2026-11-29 is a Sunday.
        let sundays = Window::new(&[Weekday::Sunday], 2, 3).unwrap();
        let opening = sundays.opening(at("2026-11-29T03:00:00Z")).unwrap();
        assert_eq!((opening.opens, opening.closes), (at("2026-11-29T02:00:00Z"), at("2026-11-29T05:00:00Z")));
        assert!(opening.contains(at("2026-11-29T03:00:00Z")));
        let next = sundays.opening(at("2026-11-29T05:00:00Z")).unwrap();
        assert_eq!(next.opens, at("2026-12-06T02:00:00Z"));
    }

    #[test]
    fn a_window_may_last_past_midnight() {
        let nights = Window::new(&[Weekday::Saturday], 23, 4).unwrap();
        let opening = nights.opening(at("2026-11-29T01:00:00Z")).unwrap();
        assert_eq!(opening.opens, at("2026-11-28T23:00:00Z"));
    }

    #[test]
    fn hours_that_cannot_be_meant_are_refused_also_when_they_are_read() {
        assert_eq!(Window::new(&[], 2, 3), Err(WindowError::NoDay));
        assert_eq!(Window::new(&[Weekday::Monday], 24, 3), Err(WindowError::NoHour(24)));
        assert_eq!(Window::new(&[Weekday::Monday], 2, 1), Err(WindowError::Length(1)));
        assert_eq!(Window::new(&[Weekday::Monday], 2, 25), Err(WindowError::Length(25)));
        let window = Window::new(&[Weekday::Sunday, Weekday::Monday, Weekday::Sunday], 22, 4).unwrap();
        let text = serde_json::to_string(&window).unwrap();
        assert_eq!(text, r#"{"days":["mon","sun"],"from_hour":22,"hours":4}"#);
        assert_eq!(serde_json::from_str::<Window>(&text).unwrap(), window);
        assert!(serde_json::from_str::<Window>(r#"{"days":["funday"],"from_hour":2,"hours":4}"#).is_err());
    }

    proptest! {
        #[test]
        fn an_opening_ends_after_now_and_begins_within_a_week(
            days in prop::collection::vec(1_i8..=7, 1..7), from in 0_u8..24, hours in 2_u8..=24, second in 0_i64..100_000_000,
        ) {
            let days: Vec<Weekday> = days.into_iter().map(|day| Weekday::from_monday_one_offset(day).unwrap()).collect();
            let window = Window::new(&days, from, hours).unwrap();
            let now = Timestamp::from_second(1_790_000_000 + second).unwrap();
            let opening = window.opening(now).unwrap();
            prop_assert!(opening.closes > now);
            prop_assert!(opening.opens.duration_since(now) <= SignedDuration::from_hours(7 * 24));
            prop_assert!(days.contains(&TimeZone::UTC.to_datetime(opening.opens).weekday()));
        }
    }
}
