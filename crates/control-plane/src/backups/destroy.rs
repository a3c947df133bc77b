//! The end of an instance's backups: each of them, and then the key, without which even a copy is nothing but noise.

use domain::{BackupEvent, InstanceId};
use providers::Removed;
use workflow::StepError;

use super::{Backup, store};
use crate::app::Core;
use crate::workflows::step_error;

/// Removes all backups of an instance and destroys their key. What was removed now, for the record of its deletion. Each
/// is written down when it is gone, so that a second run goes on.
pub(crate) async fn destroy_all(core: &Core, instance: InstanceId) -> Result<Vec<Removed>, StepError> {
    let mut removed = Vec::new();
    for backup in store::existing(&core.db, instance).await? {
        removed.push(remove(core, &backup).await?);
    }
    let mut tx = core.db.begin().await?;
    if let Some(recipient) = store::delete_key(&mut tx, instance).await? {
        removed.push(Removed::new("key of all backups", recipient));
    }
    tx.commit().await?;
    Ok(removed)
}

/// Removes one backup, and says what was removed.
pub(super) async fn remove(core: &Core, backup: &Backup) -> Result<Removed, StepError> {
    let where_it_was = format!("{} in the {}", backup.id, in_words(&backup.storage));
    let here = core.drivers.storage.as_ref().filter(|storage| storage.place(&backup.object) == backup.place);
    let removed = match here {
        Some(storage) => {
            storage.delete(&backup.object).await.map_err(step_error)?;
            Removed::new("backup", where_it_was)
        }
        None => {
            tracing::warn!(
                "The backup {} is left at {}, where [backups] does not lead any more; remove it there",
                backup.id,
                backup.place
            );
            Removed::new("backup, which nothing opens without its key", where_it_was)
        }
    };
    let mut tx = core.db.begin().await?;
    store::happen(&mut tx, backup.id, BackupEvent::Remove, core.clock.now()).await?;
    tx.commit().await?;
    Ok(removed)
}

fn in_words(storage: &str) -> &str {
    match storage {
        "folder" => "operator's folder for backups",
        "s3" => "object store",
        other => other,
    }
}
