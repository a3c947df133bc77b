//! A backup of the store each day, where those of instances are kept too.

use jiff::SignedDuration;
use providers::storage::{ObjectName, Storage};

use super::{kept, name_of, store, take};
use crate::alerts::{self, Kind};
use crate::app::Core;

/// Who has not finished in this time has died over it.
const DEAD_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// What is alerted of.
const KEY: &str = "store not backed up";

/// Takes the one of this turn, unless it was taken, and removes those that are over.
///
/// # Errors
/// When the store can't be used.
pub async fn take_if_due(core: &Core) -> anyhow::Result<()> {
    let every = i64::from(core.settings.backups.store_every_hours) * 3600;
    let Some(storage) = core.drivers.storage.as_ref().filter(|_| every > 0) else { return Ok(()) };
    let now = core.clock.now();
    let turn = now.as_second().div_euclid(every);
    let name = name_of(&core.sealer.id(), now);
    if !store::claim(&core.db, turn, &name, (now, DEAD_AFTER)).await? {
        return Ok(());
    }
    let outcome = put(core, storage.as_ref(), &name).await;
    let mut tx = core.db.begin().await?;
    match &outcome {
        Ok(()) => {
            store::taken(&mut tx, turn, &name, core.clock.now()).await?;
            alerts::resolve(&mut tx, core, KEY).await?;
        }
        Err(error) => {
            let what = "The store was not backed up";
            alerts::raise(&mut tx, core, Kind::BackupFailed, KEY, what, &format!("{error:#}"), "/admin").await?;
        }
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    if outcome.is_ok()
        && let Err(error) = prune(core, storage.as_ref()).await
    {
        tracing::warn!("Old backups of the store could not be removed; it is tried again with the next one: {error}");
    }
    Ok(())
}

async fn put(core: &Core, storage: &dyn Storage, name: &str) -> anyhow::Result<()> {
    let taken = take(&core.db, &core.sealer, core.clock.now()).await?;
    storage.put(&ObjectName::parse(name)?, taken.content).await?;
    taken.tables.await??;
    Ok(())
}

/// The newest ones stay.
async fn prune(core: &Core, storage: &dyn Storage) -> anyhow::Result<()> {
    let stay = usize::try_from(core.settings.backups.store_kept.max(1))?;
    for old in kept(storage, &core.sealer).await?.into_iter().skip(stay) {
        storage.delete(&ObjectName::parse(&old.name)?).await?;
    }
    Ok(())
}
