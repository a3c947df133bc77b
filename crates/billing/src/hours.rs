use std::collections::BTreeMap;

use domain::{Month, UsageHour, UsageHours};
use serde::{Deserialize, Serialize};

/// A set of hours over any number of months: [`UsageHours`] for as many of them as have one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<UsageHours>", into = "Vec<UsageHours>")]
pub struct HourSet {
    // None is empty, so that equal sets are equal values and are written alike.
    months: BTreeMap<Month, UsageHours>,
}

impl HourSet {
    /// No hour at all.
    pub const fn none() -> Self {
        Self { months: BTreeMap::new() }
    }

    /// Adds an hour. Doing so again changes nothing.
    pub fn insert(&mut self, hour: UsageHour) {
        let month = hour.month();
        let added = self.months.entry(month).or_insert_with(|| UsageHours::none(month)).insert(hour);
        debug_assert!(added.is_ok(), "an hour lies in its own month");
    }

    /// Adds the hours of a month.
    pub fn add_month(&mut self, hours: &UsageHours) {
        if hours.is_empty() {
            return;
        }
        let month = hours.month();
        let added = self.months.entry(month).or_insert_with(|| UsageHours::none(month)).union(hours);
        debug_assert!(added.is_ok(), "both are of the same month");
    }

    /// Adds all hours of another set.
    pub fn union(&mut self, other: &Self) {
        other.months.values().for_each(|hours| self.add_month(hours));
    }

    /// The hours that are in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.each_month(|month, hours| {
            if let Some(theirs) = other.months.get(&month) {
                hours.difference(theirs);
            }
        })
    }

    /// The hours that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.each_month(|month, hours| match other.months.get(&month) {
            Some(theirs) => hours.intersection(theirs),
            None => *hours = UsageHours::none(month),
        })
    }

    /// The hours from `start` up to, and without, `end`.
    #[must_use]
    pub fn within(&self, start: UsageHour, end: UsageHour) -> Self {
        self.each_month(|_, hours| hours.restrict(start, end))
    }

    /// Whether the hour is in the set.
    pub fn contains(&self, hour: UsageHour) -> bool {
        self.months.get(&hour.month()).is_some_and(|hours| hours.contains(hour))
    }

    /// How many hours there are.
    pub fn count(&self) -> u32 {
        self.months.values().map(UsageHours::count).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.months.is_empty()
    }

    /// The hours, earliest first.
    pub fn iter(&self) -> impl Iterator<Item = UsageHour> + '_ {
        self.months.values().flat_map(UsageHours::iter)
    }

    /// The months that have an hour, earliest first.
    pub fn months(&self) -> impl Iterator<Item = &UsageHours> {
        self.months.values()
    }

    fn each_month(&self, change: impl Fn(Month, &mut UsageHours)) -> Self {
        let mut months = self.months.clone();
        months.retain(|month, hours| {
            change(*month, hours);
            !hours.is_empty()
        });
        Self { months }
    }
}

impl FromIterator<UsageHour> for HourSet {
    fn from_iter<I: IntoIterator<Item = UsageHour>>(hours: I) -> Self {
        let mut set = Self::none();
        hours.into_iter().for_each(|hour| set.insert(hour));
        set
    }
}

impl From<Vec<UsageHours>> for HourSet {
    fn from(months: Vec<UsageHours>) -> Self {
        let mut set = Self::none();
        months.iter().for_each(|hours| set.add_month(hours));
        set
    }
}

impl From<HourSet> for Vec<UsageHours> {
    fn from(set: HourSet) -> Self {
        set.months.into_values().collect()
    }
}
