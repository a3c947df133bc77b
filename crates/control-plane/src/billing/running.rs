//! The period that is running, with what it is charged by.

use billing::{Cap, Forecast, HourSet, OutOfRange, Terms, Usage};
use domain::{InstanceId, UsageHour};
use jiff::Timestamp;

use super::close::{Closing, Service, store as services};
use crate::app::Core;
use crate::usage;

/// See the module.
pub(crate) struct Running {
    pub service: Service,
    pub terms: Terms,
    pub usage: Usage,
    pub now: UsageHour,
}

impl Running {
    /// Nothing for an instance that was never in use, or is no more, or where there is no plan.
    pub(crate) async fn of(core: &Core, instance: InstanceId) -> Result<Option<Self>, ::store::sqlx::Error> {
        let now = UsageHour::of(core.clock.now());
        let service = services::find(&core.db, instance).await?;
        let Some(service) = service.filter(|service| service.ended.is_none_or(|ended| ended >= now)) else {
            return Ok(None);
        };
        let period = core.settings.billing.cycle_of(service.began).period_of(now);
        let Some(terms) = Closing::new(core).await?.terms(&service, period) else { return Ok(None) };
        let mut connection = core.db.read().acquire().await?;
        let usage = usage::recorded(&mut connection, instance, period.start(), period.end()).await?;
        Ok(Some(Self { service, terms, usage, now }))
    }

    /// The hours so far that are to be paid for.
    pub(crate) fn charged(&self) -> HourSet {
        self.terms.charged(&self.usage.billable())
    }

    /// What it comes to if it goes on like this.
    pub(crate) fn forecast(&self, cap: Option<Cap>) -> Result<Forecast, OutOfRange> {
        Forecast::of(&self.terms, &self.usage.billable(), self.now, cap)
    }

    /// Until when nothing is charged, during a trial.
    pub(crate) fn trial_until(&self) -> Option<Timestamp> {
        let trial = self.terms.trial.filter(|trial| trial.ends > self.now);
        trial.map(|trial| trial.ends.start())
    }
}
