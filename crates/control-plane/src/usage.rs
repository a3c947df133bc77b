//! Which hours were used, what shows it, and what it costs so far.

pub(crate) mod intake;
pub(crate) mod report;
pub(crate) mod sign_ins;
pub(crate) mod store;

use ::store::sqlx::{AnyConnection, Error};
use billing::{HourSet, Usage};
use domain::{Bill, Evidence, InstanceId, Month, UsageHour};

use crate::app::Core;
use crate::billing::waivers;

/// One instance's use in one month.
#[derive(Debug, Clone)]
pub(crate) struct MonthOfUse {
    /// Each hour that is to be paid for once, earliest first, with its evidence.
    pub hours: Vec<(UsageHour, Vec<Evidence>)>,
    /// The hours that were used and are waived.
    pub waived: HourSet,
    /// Base fee and hours.
    pub bill: Bill,
}

/// What an instance used in a month and is to pay for.
pub(crate) async fn of_month(core: &Core, instance: InstanceId, month: Month) -> Result<MonthOfUse, Error> {
    let mut connection = core.db.read().acquire().await?;
    let recorded = recorded(&mut connection, instance, month.first_hour(), month.next().first_hour()).await?;
    drop(connection);
    let used = recorded.billable();
    let evidence = store::evidence(&core.db, instance, month).await?;
    let of_hour = |hour| evidence.iter().filter(|entry| entry.hour == hour).cloned().collect();
    let bill = Bill::of(&core.settings.plan, month, used.count())
        .ok_or_else(|| Error::Decode("the plan's prices are too high to be added up; correct [plan]".into()))?;
    let hours = used.iter().map(|hour| (hour, of_hour(hour))).collect();
    Ok(MonthOfUse { hours, waived: recorded.waived(), bill })
}

/// What is known of an instance's use from an hour up to, and without, another: by source, and what was waived.
pub(crate) async fn recorded(
    connection: &mut AnyConnection,
    instance: InstanceId,
    from: UsageHour,
    until: UsageHour,
) -> Result<Usage, Error> {
    let mut usage = Usage::none();
    for (source, mut hours) in store::reported(connection, instance, from.month(), until.month()).await? {
        hours.restrict(from, until);
        usage.report(source, &hours);
    }
    for hour in waivers::store::hours(connection, instance, from, until).await? {
        usage.waive(hour);
    }
    Ok(usage)
}
