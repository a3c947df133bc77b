//! Which hours were used, what shows it, and what it costs so far.

pub(crate) mod report;
pub(crate) mod sign_ins;
pub(crate) mod store;

use ::store::sqlx::Error;
use domain::{Bill, Evidence, InstanceId, Month, UsageHour};

use crate::app::Core;

/// One instance's use in one month.
#[derive(Debug, Clone)]
pub(crate) struct MonthOfUse {
    /// Each used hour once, earliest first, with its evidence.
    pub hours: Vec<(UsageHour, Vec<Evidence>)>,
    /// Base fee and hours.
    pub bill: Bill,
}

/// What an instance used in a month: the union over all sources.
pub(crate) async fn of_month(core: &Core, instance: InstanceId, month: Month) -> Result<MonthOfUse, Error> {
    let used = store::hours(&core.db, instance, month).await?;
    let evidence = store::evidence(&core.db, instance, month).await?;
    let of_hour = |hour| evidence.iter().filter(|entry| entry.hour == hour).cloned().collect();
    let bill = Bill::of(&core.settings.plan, month, used.count())
        .ok_or_else(|| Error::Decode("the plan's prices are too high to be added up; correct [plan]".into()))?;
    Ok(MonthOfUse { hours: used.iter().map(|hour| (hour, of_hour(hour))).collect(), bill })
}
