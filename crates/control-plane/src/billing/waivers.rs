//! Hours that are not to be paid for. A waiver is final: it is added, and never taken back.

pub(crate) mod store;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{InstanceId, UsageHour};
use jiff::Timestamp;

use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};

/// So many hours are waived at once at most: those of the longest month.
const MOST_HOURS: usize = 744;

/// Why hours are not to be paid for, and who said so.
pub(crate) struct Waiver<'a> {
    pub reason: &'a str,
    pub author: &'a str,
}

/// A waiver as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct KeptWaiver {
    pub reason: String,
    pub author: String,
    pub at: Timestamp,
}

/// Waives hours of an instance, used or not, billed or not. How many were not waived before.
pub(crate) async fn waive(
    app: &App,
    instance: InstanceId,
    hours: &[UsageHour],
    waiver: &Waiver<'_>,
) -> Result<u32, AppError> {
    let waiver = Waiver { reason: waiver.reason.trim(), ..*waiver };
    if waiver.reason.is_empty() {
        return Err(refused(422, "There is no reason", "Say in one sentence why these hours are not to be paid for."));
    }
    if hours.is_empty() || hours.len() > MOST_HOURS {
        return Err(refused(422, "Name at least one hour, and at most those of a month", "Split the list by months."));
    }
    let now = UsageHour::of(app.clock.now());
    if let Some(hour) = hours.iter().find(|hour| **hour > now) {
        let what = format!("{} has not come yet", hour.start());
        return Err(refused(422, &what, "Waive hours that have begun."));
    }
    let mut tx = app.db.begin().await?;
    let mut added = 0;
    for hour in hours {
        added += u32::from(waive_in(&mut tx, app, instance, *hour, &waiver).await?);
    }
    tx.commit().await?;
    Ok(added)
}

/// Waives one hour in the transaction that gives reason for it. Whether it was not waived before.
pub(crate) async fn waive_in(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    hour: UsageHour,
    waiver: &Waiver<'_>,
) -> Result<bool, Error> {
    let added = store::insert(tx, instance, hour, waiver, core.clock.now()).await?;
    if added {
        let detail = format!("{}: {}", hour.start(), waiver.reason);
        audit::record(tx, core, waiver.author, "usage.waived", &instance.to_string(), &detail).await?;
    }
    Ok(added)
}
