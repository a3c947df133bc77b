use api::ActivityReport;
use domain::{InstanceId, UsageHour, UsageHours};

use crate::app::App;
use crate::error::{AppError, refused};
use crate::instances::{self, Instance};

/// Evidence of one report at most: every hour of a month, several signals each.
const MOST_EVIDENCE: usize = 744 * 4;

/// Takes in what a guard or an application saw, and gives the instance. The same report again, a late one, or one out of
/// order changes nothing that a single timely one would not.
///
/// Hours that can't be are left out and logged: those that have not come yet, and those before the
/// instance was made. A report holds a whole month, so one wrong hour must not take the others with it.
pub(crate) async fn accept(app: &App, id: InstanceId, report: &ActivityReport) -> Result<Instance, AppError> {
    let instance = instances::store::find(&app.db, id).await?.ok_or(AppError::NotFound)?;
    if report.evidence.len() > MOST_EVIDENCE {
        return Err(refused(413, "Too much evidence in one report", "Send a report for each month."));
    }
    let (first, last) = (UsageHour::of(instance.created_at), UsageHour::of(app.clock.now()));
    let month = report.hours.month();
    let mut hours = UsageHours::none(month);
    for hour in report.hours.iter() {
        if hour < first || hour > last {
            let start = hour.start();
            tracing::warn!(instance.id = %id, "{} reported an impossible hour, {start}; check its clock", instance.project);
            continue;
        }
        hours.insert(hour).map_err(AppError::internal)?;
    }
    let evidence = report.evidence.iter().filter(|entry| hours.contains(entry.hour)).cloned().collect();
    let admitted = ActivityReport { hours, source: report.source, evidence };
    app.intake().take(&app.db, id, admitted, app.clock.now()).await?;
    Ok(instance)
}
