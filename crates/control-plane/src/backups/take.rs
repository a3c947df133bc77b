use ::store::Tx;
use anyhow::anyhow;
use domain::{BackupEvent, BackupId, BackupReason, BackupState, InstanceId, InstanceState};
use fleet::Version;
use jiff::{SignedDuration, Timestamp};
use providers::backup::{Recipient, Target};
use workflow::StepError;

use super::{Backup, Held, Reason, key, object_of, storage, store};
use crate::app::Core;
use crate::instances::{Instance, holds};
use crate::releases;
use crate::workflows::step_error;

/// So far back earlier backups decide how long the next one is kept: more than a month.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 40);

/// Takes a backup, once for each purpose of an instance, such as `update wfl_…`: a second run finds the one that was
/// taken, or goes on with the one that was begun. Whether the application rests meanwhile is the caller's to see to.
///
/// # Errors
/// Permanent where there can be no backups, or while the instance is being removed; temporary when it may work later.
pub(crate) async fn take(core: &Core, instance: &Instance, why: Reason, purpose: &str) -> Result<BackupId, StepError> {
    let storage = storage(core)?;
    let (backup, recipient) = begin(core, instance, why, purpose).await?;
    if backup.state == BackupState::Kept {
        return Ok(backup.id);
    }
    let target = Target { storage, name: backup.object.clone(), recipient };
    match core.drivers.compute.back_up(&instance.project, instance.id, &target).await {
        Ok(kept) => {
            let held = |expires_at| Held {
                taken_at: backup.begun_at,
                expires_at,
                files: kept.contents.files,
                content_bytes: kept.contents.bytes,
                left_out: kept.contents.left_out,
                bytes: kept.bytes,
                sha256: kept.sha256.clone(),
            };
            finish(core, &backup, held, &target).await?;
            Ok(backup.id)
        }
        Err(error) => {
            store::note_trouble(&core.db, backup.id, &error.to_string()).await?;
            Err(step_error(error))
        }
    }
}

/// Stores that it is begun, before anything of it exists.
async fn begin(
    core: &Core,
    instance: &Instance,
    reason: BackupReason,
    purpose: &str,
) -> Result<(Backup, Recipient), StepError> {
    let version = releases::to_run(core, instance.id).await?.made.version;
    let mut tx = core.db.begin().await?;
    refuse_if_leaving(&mut tx, instance).await?;
    let recipient = key::recipient(&mut tx, core, instance.id).await?;
    let backup = match store::of_purpose(&mut tx, instance.id, purpose).await? {
        Some(found) => found,
        None => {
            let backup = new(core, instance, reason, &version)?;
            store::insert(&mut tx, &backup, purpose).await?;
            backup
        }
    };
    tx.commit().await?;
    Ok((backup, recipient))
}

fn new(core: &Core, instance: &Instance, reason: BackupReason, version: &Version) -> Result<Backup, StepError> {
    let now = core.clock.now();
    let id = BackupId::new(now, core.entropy.bytes());
    let object = object_of(instance.id, id)?;
    let storage = storage(core)?;
    Ok(Backup {
        id,
        instance: instance.id,
        reason,
        state: BackupState::Taking,
        version: version.to_string(),
        place: storage.place(&object),
        storage: storage.name().to_owned(),
        object,
        begun_at: now,
        held: None,
        trouble: None,
        proven_at: None,
        restored_at: None,
    })
}

async fn refuse_if_leaving(tx: &mut Tx, instance: &Instance) -> Result<(), StepError> {
    match holds::store::lock(tx, instance.id).await? {
        Some(InstanceState::Active | InstanceState::Suspended) => Ok(()),
        Some(state) => Err(StepError::permanent(anyhow!("{} is {state}: it can't be backed up", instance.subdomain))),
        None => Err(StepError::permanent(anyhow!("there is no instance {}", instance.id))),
    }
}

/// Gives up what was begun for a purpose.
pub(super) async fn give_up(core: &Core, instance: InstanceId, purpose: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let found = store::of_purpose(&mut tx, instance, purpose).await?;
    drop(tx);
    match found.filter(|found| found.state == BackupState::Taking) {
        Some(backup) => abandon(core, &backup).await,
        None => Ok(()),
    }
}

/// Gives a backup up that never became whole. What there may be of it is removed.
pub(super) async fn abandon(core: &Core, backup: &Backup) -> Result<(), StepError> {
    let here = core.drivers.storage.as_ref().filter(|storage| storage.place(&backup.object) == backup.place);
    if let Some(storage) = here {
        storage.delete(&backup.object).await.map_err(step_error)?;
    }
    let mut tx = core.db.begin().await?;
    store::happen(&mut tx, backup.id, BackupEvent::GiveUp, core.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Stores what it is. A deletion that came meanwhile found nothing to remove, so that it is removed here.
async fn finish(
    core: &Core,
    backup: &Backup,
    held: impl FnOnce(Timestamp) -> Held,
    target: &Target,
) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let state = holds::store::lock(&mut tx, backup.instance).await?;
    if !matches!(state, Some(InstanceState::Active | InstanceState::Suspended)) {
        drop(tx);
        target.storage.delete(&target.name).await.map_err(step_error)?;
        return Err(StepError::permanent(anyhow!("the instance was removed while it was backed up")));
    }
    let now = core.clock.now();
    let earlier = store::scheduled_since(&mut tx, backup.instance, now - LOOK_BACK).await?;
    let expires_at = core.settings.backups.retention.until(backup.reason, backup.begun_at, &earlier);
    store::keep(&mut tx, backup.id, &held(expires_at)).await?;
    Ok(tx.commit().await?)
}
