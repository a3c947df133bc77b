use domain::{Cents, UsageHour};
use serde::{Deserialize, Serialize};

use crate::arithmetic::{OutOfRange, add, proportion, sum, times};
use crate::discount::Trial;
use crate::hours::HourSet;
use crate::period::Period;
use crate::plan::{PlanVersion, Tax};

/// What one customer pays in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The version in force when the period, or the service in it, began.
    pub plan: PlanVersion,
    /// The whole period, also where the service began in the middle of it.
    pub period: Period,
    /// The hour in which the service began. Earlier hours are nobody's and cost nothing.
    pub service_began: UsageHour,
    /// During which nothing is charged, if there is or was one.
    pub trial: Option<Trial>,
    /// Why no tax is charged, where that is so; stands on the invoice.
    pub tax_exempt: Option<String>,
}

impl Terms {
    /// From this hour on hours and base fee are charged.
    pub fn charged_from(&self) -> UsageHour {
        self.trial.map_or(self.service_began, |trial| trial.ends.max(self.service_began))
    }

    /// How many hours of the period the base fee is for: all of them, but in the first period that costs anything.
    pub fn hours_charged(&self) -> u32 {
        self.period.hours_from(self.charged_from())
    }

    /// The base fee, by the hours that it is for.
    ///
    /// # Errors
    /// Never in fact, since it is at most the whole fee.
    pub fn base_fee(&self) -> Result<Cents, OutOfRange> {
        let (part, whole) = (self.hours_charged(), self.period.hours());
        proportion(self.plan.base.amount(), u64::from(part), u64::from(whole))
    }

    /// The hours of the period in which there was a service, of these.
    #[must_use]
    pub fn served(&self, hours: &HourSet) -> HourSet {
        hours.within(self.period.start().max(self.service_began), self.period.end())
    }

    /// Those of a set that cost something.
    #[must_use]
    pub fn charged(&self, hours: &HourSet) -> HourSet {
        hours.within(self.period.start().max(self.charged_from()), self.period.end())
    }

    /// The taxes to be charged.
    pub fn taxes(&self) -> &[Tax] {
        if self.tax_exempt.is_some() { &[] } else { &self.plan.taxes }
    }

    /// Base fee and so many hours, without taxes and discounts.
    ///
    /// # Errors
    /// [`OutOfRange`] when the amount is too large.
    pub fn price_of(&self, hours: u32) -> Result<Cents, OutOfRange> {
        add(self.base_fee()?, times(self.plan.hour.amount(), hours)?)
    }

    /// An amount with its taxes, each of them rounded.
    ///
    /// # Errors
    /// [`OutOfRange`] when the amount is too large.
    pub fn with_taxes(&self, net: Cents) -> Result<Cents, OutOfRange> {
        let taxes = self.taxes().iter().map(|tax| tax.rate.of(net)).collect::<Result<Vec<_>, _>>()?;
        add(net, sum(taxes)?)
    }
}
