//! How near we are to a limit that a provider sets, and what of that is to be told.
//!
//! Each part of the limit is told once in a period. What was told is taken back when it is clearly past, by a few points
//! and not by a hair, and would be told again then: somebody raised the limit, and reaches its parts anew.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// So many points below a part of the limit, it counts as not reached any more.
const CLEARLY: u128 = 5;
/// A forecast says nothing before a tenth of the period is over.
const TENTH: i128 = 10;

/// What is used of a limit within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// So much is used.
    pub used: u64,
    /// So much there is.
    pub limit: u64,
    /// When it began to count.
    pub from: Timestamp,
    /// When it begins anew.
    pub until: Timestamp,
    /// Whether what is used only grows until then, so that it can be said what it comes to.
    pub grows: bool,
}

/// Something that an operator is told of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Warning {
    /// If it goes on like this, the limit is reached before the period ends.
    Forecast,
    /// So many hundredths are used.
    Reached(u8),
}

/// What changed since it was looked last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// They hold now and did not before.
    pub new: BTreeSet<Warning>,
    /// They held before and do not any more.
    pub over: BTreeSet<Warning>,
}

impl Change {
    /// What is worth a mail: the largest part that is newly reached says all that the smaller ones would.
    pub fn told(&self) -> Option<Warning> {
        self.new.last().copied()
    }
}

impl Allowance {
    /// How many hundredths are used, rounded down. All, where there is no room at all.
    pub fn percent(&self) -> u64 {
        if self.limit == 0 {
            return 100;
        }
        u64::try_from(u128::from(self.used) * 100 / u128::from(self.limit)).unwrap_or(u64::MAX)
    }

    /// When the limit is reached if it goes on like this; nothing when that is not within the period, or too early to
    /// say.
    pub fn reached_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (elapsed, length) = self.elapsed(now)?;
        if !self.grows || self.used == 0 || elapsed * TENTH < length {
            return None;
        }
        let needed = elapsed * i128::from(self.limit) / i128::from(self.used);
        let needed = i64::try_from(needed).ok().filter(|needed| i128::from(*needed) < length)?;
        Timestamp::from_millisecond(self.from.as_millisecond().checked_add(needed)?).ok()
    }

    /// What is to be told and taken back, when these parts are worth telling and that was told before.
    pub fn judge(&self, now: Timestamp, parts: &[u8], before: &BTreeSet<Warning>) -> Change {
        let mut change = Change::default();
        // That all is used is always told.
        for part in parts.iter().copied().chain([100]).filter(|part| (1..=100).contains(part)) {
            let warning = Warning::Reached(part);
            let points = |points: u128| u128::from(self.limit) * points;
            let used = u128::from(self.used) * 100;
            if used >= points(part.into()) {
                change.new.insert(warning);
            } else if used < points(u128::from(part).saturating_sub(CLEARLY)) {
                change.over.insert(warning);
            }
        }
        let is_used_up = self.used >= self.limit;
        match self.reached_at(now) {
            Some(_) if !is_used_up => drop(change.new.insert(Warning::Forecast)),
            _ if is_used_up || self.is_clearly_within(now) => drop(change.over.insert(Warning::Forecast)),
            _ => {}
        }
        // Of parts that nobody wants to be told of any more, nothing holds.
        let known = |warning: &Warning| match warning {
            Warning::Reached(part) => *part == 100 || parts.contains(part),
            Warning::Forecast => true,
        };
        change.over.extend(before.iter().copied().filter(|warning| !known(warning)));
        change.new.retain(|warning| !before.contains(warning));
        change.over.retain(|warning| before.contains(warning));
        change
    }

    /// Whether nine tenths of the limit would last for the period.
    fn is_clearly_within(&self, now: Timestamp) -> bool {
        let Some((elapsed, length)) = self.elapsed(now) else { return true };
        !self.grows || i128::from(self.used) * length * 10 < i128::from(self.limit) * elapsed * 9
    }

    fn elapsed(&self, now: Timestamp) -> Option<(i128, i128)> {
        let millis =
            |from: Timestamp, to: Timestamp| i128::from(to.as_millisecond()) - i128::from(from.as_millisecond());
        let (elapsed, length) = (millis(self.from, now), millis(self.from, self.until));
        (elapsed > 0 && length > 0).then_some((elapsed.min(length), length))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const PARTS: [u8; 3] = [50, 80, 95];

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn spent(used: u64, limit: u64) -> Allowance {
        Allowance { used, limit, from: at(0), until: at(30), grows: true }
    }

    fn told(warnings: &[Warning]) -> BTreeSet<Warning> {
        warnings.iter().copied().collect()
    }

    #[test]
    fn each_part_is_told_once_and_the_largest_says_it_for_all() {
        let change = spent(81, 100).judge(at(29), &PARTS, &told(&[]));
        assert_eq!(change.new, told(&[Warning::Reached(50), Warning::Reached(80)]));
        assert_eq!(change.told(), Some(Warning::Reached(80)));
        assert_eq!(spent(81, 100).judge(at(29), &PARTS, &change.new), Change::default());
        let last = spent(120, 100).judge(at(29), &PARTS, &change.new);
        assert_eq!(last.told(), Some(Warning::Reached(100)), "that all is used is told whatever the settings say");
    }

    #[test]
    fn what_is_passed_by_a_hair_is_not_taken_back_and_a_raised_limit_is() {
        let before = told(&[Warning::Reached(50), Warning::Reached(80)]);
        assert_eq!(spent(79, 100).judge(at(29), &PARTS, &before), Change::default());
        let raised = spent(81, 150).judge(at(29), &PARTS, &before);
        assert_eq!((raised.new, raised.over), (told(&[]), told(&[Warning::Reached(80)])));
        let unwanted = spent(81, 100).judge(at(29), &[80], &before);
        assert_eq!(unwanted.over, told(&[Warning::Reached(50)]), "the operator does not want that any more");
    }

    #[test]
    fn a_forecast_waits_for_a_tenth_of_the_period_and_then_names_the_moment() {
        assert_eq!(spent(30, 100).reached_at(at(2)), None);
        assert_eq!(spent(40, 100).reached_at(at(6)), Some(at(15)));
        let change = spent(40, 100).judge(at(6), &PARTS, &told(&[]));
        assert_eq!(change.told(), Some(Warning::Forecast));
        // Less than nine tenths by now: it is taken back. In between it stays.
        let before = told(&[Warning::Forecast]);
        assert_eq!(spent(32, 100).judge(at(10), &PARTS, &before), Change::default());
        assert_eq!(spent(29, 100).judge(at(10), &PARTS, &before).over, before);
        let seats = Allowance { grows: false, ..spent(40, 100) };
        assert_eq!(seats.reached_at(at(6)), None, "people come and go");
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_told_once_and_settles(
            used in 0..300_u64, limit in 0..200_u64, day in 0..40_i64, parts in prop::collection::vec(0..120_u8, 0..5),
        ) {
            let allowance = spent(used, limit);
            let first = allowance.judge(at(day), &parts, &BTreeSet::new());
            prop_assert!(first.over.is_empty());
            let again = allowance.judge(at(day), &parts, &first.new);
            prop_assert_eq!(again, Change::default());
            prop_assert_eq!(used >= limit, first.new.contains(&Warning::Reached(100)));
        }

        #[test]
        fn no_number_is_too_large(used: u64, limit: u64, day in -10..100_i64) {
            let change = spent(used, limit).judge(at(day), &PARTS, &BTreeSet::new());
            prop_assert!(change.over.is_empty());
            let _ = spent(used, limit).percent();
        }
    }
}
