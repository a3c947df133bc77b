use api::ActivityReport;
use domain::InstanceId;

use super::store;
use crate::app::Core;
use crate::error::{AppError, refused};
use crate::instances;

/// Evidence of one report at most: every hour of a month, several signals each.
const MOST_EVIDENCE: usize = 744 * 4;

/// Takes in what a guard or an application saw. The same report again, a late one, or one out of
/// order changes nothing that a single timely one would not.
pub(crate) async fn accept(core: &Core, id: InstanceId, report: &ActivityReport) -> Result<(), AppError> {
    let instance = instances::store::find(&core.db, id).await?.ok_or(AppError::NotFound)?;
    if report.evidence.len() > MOST_EVIDENCE {
        return Err(refused(413, "Too much evidence in one report", "Send a report for each month."));
    }
    let now = core.clock.now();
    let month = report.hours.month();
    if let Some(hour) = report.hours.iter().find(|hour| hour.start() > now) {
        let next = "Check the clock of the machine that reports.";
        return Err(refused(422, &format!("The hour that begins at {} has not come yet", hour.start()), next));
    }
    if let Some(entry) = report.evidence.iter().find(|entry| !report.hours.contains(entry.hour)) {
        let what = format!("There is evidence for an hour ({}) that is not reported as used", entry.hour.start());
        return Err(refused(422, &what, "Report the hour together with its evidence."));
    }
    // What is reported before the instance existed can't be its use, whatever the reporter says.
    if let Some(hour) = report.hours.iter().find(|hour| *hour < domain::UsageHour::of(instance.created_at)) {
        let what = format!("The hour that begins at {} lies before the instance was made", hour.start());
        return Err(refused(422, &what, "Check the clock of the machine that reports."));
    }
    store::merge(&core.db, id, month, report.source.as_str(), report).await?;
    Ok(())
}
