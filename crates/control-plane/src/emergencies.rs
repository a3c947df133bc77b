//! What came to the emergency doors of instances, as their guards tell it. Operators read it in the
//! audit log: somebody entered without being a member, or tried to.

mod store;

pub(crate) use store::MIGRATIONS;

use ::store::Tx;
use api::{EmergencyAccess, EmergencyOutcome, EmergencyReport};
use domain::InstanceId;
use jiff::SignedDuration;

use crate::app::Core;
use crate::audit;
use crate::error::{AppError, refused};
use crate::instances::{self, Instance};

/// How the audit log calls whoever tells it.
const ACTOR: &str = "guard";
/// Of one report. A guard keeps fewer.
const MOST_ENTRIES: usize = 1_000;
/// Of one instance within an hour. A guard that is not itself any more can't bury the log.
const MOST_AN_HOUR: i64 = 2_000;
const LONGEST_USER: usize = 255;

/// Writes what is new of a report to the audit log. The same again changes nothing; a count that
/// has grown is one more entry.
pub(crate) async fn accept(core: &Core, id: InstanceId, report: &EmergencyReport) -> Result<(), AppError> {
    let instance = instances::store::find(&core.db, id).await?.ok_or(AppError::NotFound)?;
    if report.entries.len() > MOST_ENTRIES {
        return Err(refused(413, "Too many entries in one report", "Send them in several reports."));
    }
    if !report.entries.iter().all(is_plausible) {
        let next = "Give a user, at least one visit, and a last visit that is not before the first.";
        return Err(refused(422, "An entry can't be right", next));
    }
    let lately = core.clock.now() - SignedDuration::from_hours(1);
    if store::written_since(&core.db, id, lately).await? > MOST_AN_HOUR {
        return Err(refused(429, "Too many entries within an hour", "Send the rest later."));
    }
    let mut tx = core.db.begin().await?;
    for entry in &report.entries {
        if store::merge(&mut tx, core.db.engine(), id, entry).await? {
            record(&mut tx, core, &instance, entry).await?;
        }
    }
    Ok(tx.commit().await?)
}

fn is_plausible(entry: &EmergencyAccess) -> bool {
    let user = !entry.user.is_empty() && entry.user.len() <= LONGEST_USER && !entry.user.contains(char::is_control);
    user && entry.count > 0 && entry.first <= entry.last
}

async fn record(tx: &mut Tx, core: &Core, instance: &Instance, entry: &EmergencyAccess) -> Result<(), AppError> {
    let action = match entry.outcome {
        EmergencyOutcome::Accepted => "emergency.accepted",
        EmergencyOutcome::Refused => "emergency.refused",
        EmergencyOutcome::Throttled => "emergency.throttled",
    };
    audit::record(tx, core, ACTOR, action, &instance.id.to_string(), &in_words(instance, entry)).await?;
    Ok(())
}

fn in_words(instance: &Instance, entry: &EmergencyAccess) -> String {
    let place = &instance.subdomain;
    let what = match entry.outcome {
        EmergencyOutcome::Accepted => format!("emergency access to {place} by `{}`", entry.user),
        EmergencyOutcome::Refused => format!("wrong credentials for emergency access to {place}"),
        EmergencyOutcome::Throttled => format!("attempts at emergency access to {place} that were not looked at"),
    };
    let from = entry.source.map_or_else(|| "many other addresses".to_owned(), |source| source.to_string());
    let (first, last) = (entry.first.strftime("%Y-%m-%d %H:%M:%S"), entry.last.strftime("%H:%M:%S"));
    match entry.count {
        1 => format!("{what} from {from}, once, at {first} UTC"),
        count => format!("{what} from {from}, {count} times between {first} and {last} UTC"),
    }
}
