use anyhow::anyhow;
use domain::{BackupId, BackupState};
use providers::backup::Source;
use workflow::StepError;

use super::{Backup, key, storage, store};
use crate::app::Core;
use crate::instances::{Instance, Place};
use crate::workflows::step_error;

/// Puts a backup of this instance in place of what it keeps. The caller made its application rest, and starts it
/// afterwards. Doing it twice gives the same.
///
/// # Errors
/// Permanent when there is no such backup of this instance, or it is not what it was; temporary when it may work later.
pub(crate) async fn put_back(core: &Core, instance: &Instance, backup: BackupId) -> Result<(), StepError> {
    let backup = whole(core, instance, backup).await?;
    let from = source(core, &backup).await?;
    core.drivers.compute.restore(&instance.project, instance.id, &from).await.map_err(step_error)?;
    Ok(store::note_restored(&core.db, backup.id, core.clock.now()).await?)
}

/// Puts a backup of one instance into the place of another, whose application was never started. Doing it twice gives the
/// same.
///
/// # Errors
/// As [`put_back`].
pub(crate) async fn put_into(core: &Core, of: &Instance, backup: BackupId, place: &Place) -> Result<(), StepError> {
    let backup = whole(core, of, backup).await?;
    let from = source(core, &backup).await?;
    core.drivers.compute.restore(&place.project, place.id, &from).await.map_err(step_error)
}

/// Reads all of it, and keeps nothing: so that nobody rests, and nothing is replaced, for what could not be put back.
pub(super) async fn prove_readable(core: &Core, backup: &Backup) -> Result<(), StepError> {
    let from = source(core, backup).await?;
    from.read(|packed| std::io::copy(packed, &mut std::io::sink()).map(drop)).await.map_err(step_error)
}

/// A backup that can be put back.
pub(super) async fn whole(core: &Core, instance: &Instance, backup: BackupId) -> Result<Backup, StepError> {
    let found = store::find(&core.db, instance.id, backup).await?;
    let found = found.ok_or_else(|| StepError::permanent(anyhow!("{} has no backup {backup}", instance.subdomain)))?;
    if found.state != BackupState::Kept {
        let why = format!("the backup {backup} is {}, so that it can't be put back; use another one", found.state);
        return Err(StepError::permanent(anyhow!(why)));
    }
    Ok(found)
}

/// With what it is opened, wherever it is to be unpacked.
pub(super) async fn source(core: &Core, backup: &Backup) -> Result<Source, StepError> {
    let storage = storage(core)?;
    if storage.place(&backup.object) != backup.place {
        let why = format!("the backup {} is at {}, and [backups] leads elsewhere", backup.id, backup.place);
        return Err(StepError::permanent(anyhow!("{why}; set [backups] as it was, or copy it there")));
    }
    let Some(held) = &backup.held else {
        return Err(StepError::permanent(anyhow!("the backup {} was never taken whole", backup.id)));
    };
    Ok(Source {
        storage,
        name: backup.object.clone(),
        identity: key::identity(core, backup.instance).await?,
        sha256: held.sha256.clone(),
        bytes: held.bytes,
    })
}
