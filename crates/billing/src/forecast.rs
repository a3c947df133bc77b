use domain::{Cents, UsageHour};
use serde::{Deserialize, Serialize};

use crate::arithmetic::{OutOfRange, proportion};
use crate::cap::Cap;
use crate::hours::HourSet;
use crate::plan::Currency;
use crate::terms::Terms;
use crate::words;

/// A period so far, and what it comes to if it goes on like that. Amounts are base fee and hours, before coupons,
/// credits and taxes.
///
/// The rule: hours so far ÷ hours elapsed × hours in the period, rounded. It is never less than what is used already,
/// and never more than the hours left and the cap allow. The hour that is running counts as elapsed. Hours of a trial
/// show how much is used, but are not charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Hours to be charged so far.
    pub hours: u32,
    /// What they and the base fee cost.
    pub amount: Cents,
    /// Hours to be charged in the end.
    pub expected_hours: u32,
    /// What they and the base fee will cost.
    pub expected_amount: Cents,
    /// The most that can be charged in the end.
    pub most_hours: u32,
}

impl Forecast {
    /// For a period, from what is billable in the hour that is running.
    ///
    /// # Errors
    /// [`OutOfRange`] when an amount is larger than money can be.
    pub fn of(terms: &Terms, billable: &HourSet, now: UsageHour, cap: Option<Cap>) -> Result<Self, OutOfRange> {
        let period = terms.period;
        let served = terms.served(billable);
        let hours = terms.charged(&served).count();
        let after_now = UsageHour::from_number(now.get().saturating_add(1)).unwrap_or(now);
        let elapsed = period.hours_from(terms.service_began) - period.hours_from(after_now.max(terms.service_began));
        let left = period.hours_from(after_now.max(terms.charged_from()));
        // No hour can be used that has not elapsed, but a clock that is wrong may say so.
        let used = served.count().min(elapsed);
        let more = proportion(Cents::new(i64::from(left)), u64::from(used), u64::from(elapsed))?;
        let more = u32::try_from(more.get()).unwrap_or(0);
        let allowed = cap.map_or(u32::MAX, |cap| cap.hours_allowed(terms));
        let bounded = |hours_in_the_end: u32| hours_in_the_end.min(allowed).max(hours);
        let (expected_hours, most_hours) = (bounded(hours + more), bounded(hours + left));
        Ok(Self {
            hours,
            amount: terms.price_of(hours)?,
            expected_hours,
            expected_amount: terms.price_of(expected_hours)?,
            most_hours,
        })
    }

    /// In two sentences.
    pub fn in_words(&self, currency: Currency) -> String {
        format!(
            "So far this period: {}, {}. If it goes on like this, it will be {}, {}, and never more than {}.",
            words::hours(self.hours),
            currency.price(self.amount),
            words::hours(self.expected_hours),
            currency.price(self.expected_amount),
            words::hours(self.most_hours),
        )
    }
}
