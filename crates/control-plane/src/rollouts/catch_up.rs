//! Those that a rollout could not reach are brought along: resumed since, unpinned since, or made while it went on. One by
//! one, stopping at the first failure, as a rollout of its own that leaves a report.

use fleet::{Stage, Strategy};

use super::{Occasion, Reach, store, units};
use crate::app::Core;
use crate::error::AppError;
use crate::releases::{self, Release};

/// Begins to bring those along that run something older than what is current for them. One that failed with that release,
/// or was left out, is not tried again by itself.
pub(super) async fn begin_if_needed(core: &Core) -> Result<(), AppError> {
    for stage in Stage::ALL {
        let Some(current) = releases::store::current(core.db.read(), stage).await? else { continue };
        if current.withdrawn.is_some() {
            continue;
        }
        let behind = units::store::behind(&core.db, stage, current.id, core.clock.now()).await?;
        if !behind.is_empty() {
            return begin(core, &Release { stage, ..current }, behind).await;
        }
    }
    Ok(())
}

async fn begin(core: &Core, release: &Release, behind: Vec<domain::InstanceId>) -> Result<(), AppError> {
    let by = Occasion::CatchUp;
    // Watched for as long as the others were.
    let soak_minutes = store::last_of(&core.db, release.id).await?.map_or(0, |former| former.strategy.soak_minutes);
    let without_backup = crate::backups::possible(core).is_err();
    let strategy = Strategy { soak_minutes, without_backup, ..Strategy::default() };
    match super::begin(core, release, &strategy, &Reach::Only(behind), (by, by.as_str())).await {
        Ok(_) => Ok(()),
        // Somebody began one at the same moment.
        Err(AppError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
