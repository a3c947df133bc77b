use domain::UsageHour;
use serde::{Deserialize, Serialize};

use crate::cap::Cap;
use crate::hours::HourSet;
use crate::terms::Terms;

/// What somebody chose, and in which hour: a cap, or none from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapChosen {
    /// The hour in which it was chosen.
    pub since: UsageHour,
    /// What was chosen.
    pub cap: Option<Cap>,
}

/// Every cap that was ever chosen for an instance, in order. Nothing in it changes, so what is charged for an hour
/// follows from what was wanted then, whenever it is computed.
///
/// Whoever lowers a cap still pays for what was used before: it holds from the next hour on. Whoever raises it may work
/// at once, and pays for that: it holds in the hour in which it is raised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapHistory(Vec<CapChosen>);

impl CapHistory {
    /// From what was chosen, the earliest first.
    pub fn new(chosen: Vec<CapChosen>) -> Self {
        Self(chosen)
    }

    /// What was chosen last.
    pub fn now(&self) -> Option<Cap> {
        self.0.last().and_then(|last| last.cap)
    }

    /// Hours of a period that began although the cap of that time was reached, because the instance had not heard of it
    /// yet. They are to be waived, so that no more is charged than was wanted.
    #[must_use]
    pub fn beyond(&self, terms: &Terms, billable: &HourSet) -> HourSet {
        let charged = terms.charged(billable);
        let numbered = charged.iter().zip(0_u32..);
        let beyond = numbered.filter(|(hour, before)| self.allowed(terms, *hour).is_some_and(|most| *before >= most));
        beyond.map(|(hour, _)| hour).collect()
    }

    /// How many hours of the period may be charged by the end of an hour; none where there was no cap in any part of it.
    fn allowed(&self, terms: &Terms, hour: UsageHour) -> Option<u32> {
        let before = self.0.iter().rev().find(|chosen| chosen.since < hour).and_then(|chosen| chosen.cap);
        let within = self.0.iter().filter(|chosen| chosen.since == hour).map(|chosen| chosen.cap);
        let all = within.chain([before]).map(|cap| cap.map(|cap| cap.hours_allowed(terms)));
        all.reduce(|one, other| Some(one?.max(other?))).flatten()
    }
}
