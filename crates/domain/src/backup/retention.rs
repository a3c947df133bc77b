use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::BackupReason;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So that a setting that was mistyped can't lead out of the calendar.
const MOST_DAYS: u32 = 3660;

/// How long backups are kept. Each gets its last day when it is taken, so that it can be told from the start: of those
/// taken as planned, the first of a calendar month outlives the first of a week, and that one all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days for which every backup is kept.
    pub days: u32,
    /// Days for the first one of each week.
    pub weekly_days: u32,
    /// Days for the first one of each month, and for those that a person asked for.
    pub monthly_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 14, weekly_days: 56, monthly_days: 186 }
    }
}

impl Retention {
    /// Until when a backup taken now is kept, after those that were taken as planned before it.
    pub fn until(&self, reason: BackupReason, now: Timestamp, earlier: &[Timestamp]) -> Timestamp {
        let days = match reason {
            BackupReason::Requested => self.monthly_days,
            BackupReason::BeforeUpdate
            | BackupReason::BeforeRestore
            | BackupReason::BeforeGoingBack
            | BackupReason::BeforeMove => self.days,
            BackupReason::Scheduled
                if is_first(now, earlier, |day| i64::from(day.year()) * 12 + i64::from(day.month())) =>
            {
                self.monthly_days
            }
            BackupReason::Scheduled if is_first(now, earlier, week) => self.weekly_days,
            BackupReason::Scheduled => self.days,
        };
        now + DAY * i32::try_from(days.max(self.days).clamp(1, MOST_DAYS)).unwrap_or(1)
    }
}

/// Whether none of the earlier ones lies in the same stretch of time.
fn is_first(now: Timestamp, earlier: &[Timestamp], stretch: impl Fn(Date) -> i64) -> bool {
    let of = |at: Timestamp| stretch(at.to_zoned_datetime(TimeZone::UTC).date());
    !earlier.iter().any(|at| of(*at) == of(now))
}

/// Counts weeks that begin on a Monday.
fn week(day: Date) -> i64 {
    let iso = day.iso_week_date();
    i64::from(iso.year()) * 100 + i64::from(iso.week())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn days(reason: BackupReason, now: &str, earlier: &[&str]) -> i64 {
        let now = at(now);
        let earlier: Vec<_> = earlier.iter().map(|text| at(text)).collect();
        Retention::default().until(reason, now, &earlier).duration_since(now).as_hours() / 24
    }

    #[test]
    fn the_first_of_a_month_outlives_the_first_of_a_week_and_that_all_others() {
        let planned = |now, earlier: &[&str]| days(BackupReason::Scheduled, now, earlier);
        assert_eq!(planned("2026-11-05T02:00:00Z", &["2026-10-31T02:00:00Z"]), 186);
        assert_eq!(planned("2026-11-09T02:00:00Z", &["2026-11-08T02:00:00Z"]), 56, "a Monday");
        assert_eq!(planned("2026-11-10T02:00:00Z", &["2026-11-09T02:00:00Z", "2026-11-01T02:00:00Z"]), 14);
        assert_eq!(days(BackupReason::Requested, "2026-11-10T02:00:00Z", &[]), 186);
        assert_eq!(days(BackupReason::BeforeUpdate, "2026-11-10T02:00:00Z", &[]), 14);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// A year of daily backups: on every day after the first two weeks there is one from each of the last 13 days, one
        /// of each of the last six whole weeks, and one of each of the last five whole months; and never more than that asks for.
        #[test]
        fn whenever_somebody_looks_back_there_is_enough_and_not_too_much(first in 0_i64..400, looked_after in 200_i64..360) {
            let start = at("2026-01-01T03:00:00Z") + SignedDuration::from_hours(24 * first);
            let rules = Retention::default();
            let mut taken: Vec<(Timestamp, Timestamp)> = Vec::new();
            for day in 0..looked_after {
                let now = start + SignedDuration::from_hours(24 * day);
                let earlier: Vec<_> = taken.iter().map(|(at, _)| *at).collect();
                taken.push((now, rules.until(BackupReason::Scheduled, now, &earlier)));
            }
            let today = start + SignedDuration::from_hours(24 * (looked_after - 1));
            let kept: Vec<_> = taken.iter().filter(|(_, until)| *until > today).map(|(at, _)| *at).collect();
            for back in 0..13 {
                prop_assert!(kept.contains(&(today - SignedDuration::from_hours(24 * back))), "{back} days ago");
            }
            for back in 1..=6 {
                let day = (today - SignedDuration::from_hours(168 * back)).to_zoned_datetime(TimeZone::UTC).date();
                let same = |at: &&Timestamp| week(at.to_zoned_datetime(TimeZone::UTC).date()) == week(day);
                // Where the first of the week is also the first of its month, it is kept even longer.
                prop_assert!(kept.iter().any(|at| same(&at)), "{back} weeks ago");
            }
            for back in 1..=5 {
                let day = (today - SignedDuration::from_hours(24 * 30 * back)).to_zoned_datetime(TimeZone::UTC).date();
                let same = |at: &&Timestamp| {
                    let date = at.to_zoned_datetime(TimeZone::UTC).date();
                    (date.year(), date.month()) == (day.year(), day.month())
                };
                prop_assert!(kept.iter().any(|at| same(&at)), "{back} months ago");
            }
            prop_assert!(kept.len() <= 14 + 8 + 8, "{} are kept", kept.len());
        }

        /// Whatever the settings say, nothing is over before it was taken, and waiting longer never shortens.
        #[test]
        fn nothing_is_over_at_once(days in 0_u32..10_000, weekly in 0_u32..10_000, monthly in 0_u32..10_000, hours in 0_i64..10_000) {
            let rules = Retention { days, weekly_days: weekly, monthly_days: monthly };
            let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(hours);
            for reason in BackupReason::ALL {
                prop_assert!(rules.until(reason, now, &[]) >= now + DAY);
            }
        }
    }
}
