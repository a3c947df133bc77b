//! One instance of a rollout, and how far it has come.

pub(crate) mod store;

use ::store::Tx;
use domain::{BackupId, InstanceId, ReleaseId, RolloutId};
use fleet::{Stage, UnitEvent, UnitState};
use jiff::Timestamp;

use crate::error::{AppError, refused};

/// One instance of a rollout.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub rollout: RolloutId,
    pub instance: InstanceId,
    pub stage: Stage,
    pub wave: u32,
    pub state: UnitState,
    pub opens_at: Option<Timestamp>,
    pub from: Option<ReleaseId>,
    pub workflow: Option<String>,
    /// What was made before it was updated.
    pub backup: Option<BackupId>,
    /// What happened, in a sentence.
    pub why: Option<String>,
    /// How many looks it has missed in a row while it is watched.
    pub misses: u32,
    pub begun_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
}

/// Lets something happen to a unit. What happened already changes nothing.
pub(super) async fn settle(
    tx: &mut Tx,
    unit: &Unit,
    event: UnitEvent,
    why: Option<&str>,
    now: Timestamp,
) -> Result<UnitState, AppError> {
    let to = unit.state.after(event).map_err(|error| {
        refused(409, &error.to_string(), "Look at the rollout as it stands now: `spinoff rollouts show`.")
    })?;
    if to != unit.state {
        store::set(tx, unit, to, why, now).await?;
    }
    Ok(to)
}
