//! Keeps as many instances ready as the operator wants.

use jiff::SignedDuration;
use store::is_unique_violation;
use store::sqlx::Error;

use super::{WarmState, discard, prepare, store as warm};
use crate::app::Core;
use crate::{instances, limits, releases};

/// How often the pool is looked after; each time at most one more is begun. Railway makes a project in
/// 30 seconds, so that the line in which customers stand is never longer by more than one.
const EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Begins one that is missing, and takes down those that are too many or run what is not sold any more. True
/// when a workflow was begun.
///
/// # Errors
/// When the store does not answer.
pub async fn keep(core: &Core) -> Result<bool, Error> {
    let size = usize::try_from(core.settings.pool_size).unwrap_or(usize::MAX);
    // Whoever ordered comes first.
    let somebody_waits = instances::store::number_being_made(&core.db).await? > 0;
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    if !warm::take_turn(&mut tx, now, now - EVERY).await? {
        return Ok(false);
    }
    let all = warm::unclaimed(&mut *tx).await?;
    let sold = releases::sold(&mut tx).await?;
    let (wanted, outdated): (Vec<_>, Vec<_>) =
        all.into_iter().filter(|one| one.state != WarmState::Discarding).partition(|one| one.release == sold);
    let is_ready = |state| state == WarmState::Ready;
    let mut began = false;
    for one in outdated.iter().filter(|one| is_ready(one.state)) {
        discard::start(&mut tx, core, one, "it runs a release that is not sold any more").await?;
        began = true;
    }
    // Those in the making are not stopped half-way; the youngest go first, the oldest are used first.
    for one in wanted.iter().skip(size).filter(|one| is_ready(one.state)) {
        discard::start(&mut tx, core, one, "the pool is to be smaller").await?;
        began = true;
    }
    if wanted.len() < size && !somebody_waits && limits::in_the_way(&mut tx).await?.is_none() {
        match prepare::start(&mut tx, core).await {
            Ok(started) => began |= started,
            // The name is somebody's. The next turn draws another.
            Err(error) if is_unique_violation(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    tx.commit().await?;
    Ok(began)
}
