//! How far a rollout has come, as far as its next move depends on it: read from the ends of indexes, so that it takes no
//! longer where many wait or are done.

mod store;

use ::store::Tx;
use ::store::sqlx::Error;
use fleet::{Next, Progress, UnitState};
use jiff::Timestamp;

use super::Rollout;

/// What the rules make of how far it has come.
pub(super) async fn next(tx: &mut Tx, rollout: &Rollout, now: Timestamp) -> Result<Next, Error> {
    let numbers = store::numbers(tx, rollout.id).await?;
    let sum =
        |of: fn(UnitState) -> bool| numbers.iter().filter(|(state, _)| of(*state)).map(|(_, number)| number).sum();
    let (waves, next_opening) = store::waves(tx, rollout.id, now).await?;
    Ok(fleet::next(&Progress {
        state: rollout.state,
        strategy: &rollout.strategy,
        tolerated: rollout.tolerated,
        failed: sum(UnitState::has_failed),
        updating: sum(|state| state == UnitState::Updating),
        going_back: sum(|state| state == UnitState::GoingBack),
        waves: &waves,
        next_opening,
    }))
}
