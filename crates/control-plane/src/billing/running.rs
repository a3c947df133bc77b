//! The period that is running, with what it is charged by.

use billing::{HourSet, Terms, Usage};
use domain::{InstanceId, UsageHour};

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
}
