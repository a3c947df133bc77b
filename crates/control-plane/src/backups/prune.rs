//! Backups end: those that were kept as long as was promised, and those that never became whole.

use std::collections::BTreeSet;

use ::store::sqlx::Error;
use domain::{BackupId, BackupState};
use jiff::{SignedDuration, Timestamp};
use workflow::StepError;

use super::take::abandon;
use super::{Backup, SUFFIX, destroy, possible, store};
use crate::app::Core;

/// What was begun so long ago is not being taken any more: no workflow tries for as long.
const NEVER_WHOLE_AFTER: SignedDuration = SignedDuration::from_hours(48);
const AT_ONCE: u32 = 100;

/// Removes what is over. Of each instance the newest one stays whatever its age, and so does the one that was proven last.
///
/// # Errors
/// When the store can't be used.
pub async fn prune(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let at_work = workflow::at_work_since(&core.db, Timestamp::MAX).await?;
    let busy: BTreeSet<&str> = at_work.iter().map(|(subject, _)| subject.as_str()).collect();
    for backup in store::expired(&core.db, now, AT_ONCE).await? {
        // It may just be put back.
        if !busy.contains(backup.instance.to_string().as_str()) {
            said(&backup, destroy::remove(core, &backup).await.map(drop));
        }
    }
    for backup in store::begun_before(&core.db, now - NEVER_WHOLE_AFTER, AT_ONCE).await? {
        said(&backup, abandon(core, &backup).await);
    }
    Ok(())
}

/// Removes what is kept of backups that are over: a copy that came back, or one that was put there while it was being
/// removed. What this store knows nothing of may be another installation's, and is left alone.
///
/// # Errors
/// When the store can't be used.
pub async fn remove_leftovers(core: &Core) -> Result<(), Error> {
    let Some(storage) = core.drivers.storage.as_ref().filter(|_| possible(core).is_ok()) else { return Ok(()) };
    let names = match storage.list().await {
        Ok(names) => names,
        Err(error) => {
            tracing::warn!("What is kept of old backups could not be looked for: {error}");
            return Ok(());
        }
    };
    for name in names {
        let id = name.as_str().rsplit('/').next().and_then(|file| file.strip_suffix(SUFFIX)).map(BackupId::parse);
        let Some(Ok(id)) = id else { continue };
        let known = store::of_anybody(&core.db, id).await?;
        let is_over = |backup: &Backup| matches!(backup.state, BackupState::Removed | BackupState::Failed);
        if known.is_some_and(|backup| is_over(&backup) && backup.object == name)
            && let Err(error) = storage.delete(&name).await
        {
            tracing::warn!("What is left of the backup {id} could not be removed; it is tried again later: {error}");
        }
    }
    Ok(())
}

fn said(backup: &Backup, outcome: Result<(), StepError>) {
    if let Err(error) = outcome {
        tracing::warn!("The backup {} is over and could not be removed; it is tried again later: {error}", backup.id);
    }
}
