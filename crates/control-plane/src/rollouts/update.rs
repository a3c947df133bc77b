//! One instance is brought to a release, or is back at its former release and data.

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{BackupId, InstanceId, InstanceState, RolloutId, WorkflowId};
use fleet::{UnitEvent, UnitState};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::units::{self, Unit};
use super::{Rollout, deployment, letters, roll_out, store};
use crate::app::Core;
use crate::backups::{self, resting};
use crate::instances::{Instance, holds};
use crate::releases::{self, Release};
use crate::workflows::{self, Plan};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "update.v1";

/// What else works on an instance waits so long before it looks again.
const OTHERS_FIRST: SignedDuration = SignedDuration::from_secs(2);

/// See the module.
pub(crate) struct Update(pub Arc<Core>);

/// Which instance, as part of which rollout.
#[derive(Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) rollout: RolloutId,
    pub(super) instance: InstanceId,
}

/// Starts in the transaction in which the turn of an instance comes.
pub(super) async fn start(
    tx: &mut Tx,
    core: &Core,
    rollout: &Rollout,
    instance: InstanceId,
) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    let time_limit = core.drivers.compute.patience().saturating_add(rollout.strategy.soak());
    let plan = Plan { kind: KIND, time_limit, subject: &subject };
    workflows::begin(tx, core, &plan, &Input { rollout: rollout.id, instance }).await
}

/// What an update works with.
struct Work {
    rollout: Rollout,
    unit: Unit,
    instance: Instance,
    to: Release,
    /// None where nothing is recorded of what it runs.
    from: Option<Release>,
}

#[async_trait]
impl Workflow for Update {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        self.0.drivers.compute.patience()
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Some(work) = &work(core, run, "nothing of it was changed").await? else { return Ok(()) };
        let (id, soak) = (work.instance.id, work.rollout.strategy.soak());
        let is_free = run.step("wait for others", || others_first(core, &work.unit, AtRest::IsLeftAlone)).await?;
        if !is_free {
            let why = "it was suspended before its turn came; it is updated once it is resumed";
            return run.step("excuse", || settle(core, &work.unit, UnitEvent::Excuse, Some(why))).await;
        }
        if !work.rollout.strategy.without_backup {
            // While no backup can be kept, nobody has to rest.
            run.step("look where backups go", || backups::place_answers(core)).await?;
            run.step("back up", || back_up(core, work, run.id())).await?;
        }
        let deployed: Timestamp = run.step("deploy", || deployment::run(core, &work.instance, &work.to)).await?;
        let limit = core.drivers.compute.tempo().patience;
        run.step("come up", || deployment::come_up(core, id, &work.to, deployed, limit)).await?;
        let until: Timestamp = run
            .step("begin to watch", || async {
                settle(core, &work.unit, UnitEvent::Soak, None).await?;
                Ok(core.clock.now() + soak)
            })
            .await?;
        run.step("watch", || deployment::watch(core, &work.unit, &work.to, until)).await?;
        run.step("record", || succeed(core, work)).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Some(work) = &work(core, run, "it was being updated").await? else { return Ok(()) };
        let id = work.instance.id;
        // Whatever was written since is kept, before what was there before takes its place.
        if run.has_begun("deploy") {
            let former = work.from.as_ref().unwrap_or(&work.to);
            // Without a backup nothing is put back, so that nobody has to rest.
            if !work.rollout.strategy.without_backup {
                run.step("rest again", || resting::rest(core, &work.instance, former)).await?;
                if run.has_begun("watch") {
                    run.step("keep what was written since", || keep(core, &work.instance, run.id())).await?;
                }
            }
            if let Some(backup) = run.recorded::<BackupId>("back up")? {
                run.step("put data back", || backups::put_back(core, &work.instance, backup)).await?;
            }
            let back: Timestamp = run.step("deploy former", || deployment::run(core, &work.instance, former)).await?;
            let limit = core.drivers.compute.tempo().patience;
            run.step("come up again", || deployment::come_up(core, id, former, back, limit)).await?;
        } else if run.has_begun("back up") {
            run.step("go on", || resting::wake(core, id)).await?;
        }
        let reason = run.failure().await?;
        run.step("record", || return_to_former(core, work, &reason)).await
    }
}

/// What is needed to go on. None when there is nothing left to update: that is recorded then.
async fn work(core: &Core, run: &Run, as_it_was: &str) -> Result<Option<Work>, Stop> {
    let Input { rollout, instance } = run.input()?;
    let missing = |what: &str| Stop::Failed(format!("{what} of this update is not in the store"));
    let rollout = store::find(&core.db, rollout).await?.ok_or_else(|| missing("the rollout"))?;
    let mut tx = core.db.begin().await?;
    let unit = units::store::unit(&mut tx, rollout.id, instance).await?.ok_or_else(|| missing("the unit"))?;
    drop(tx);
    let to = releases::store::find(&core.db, rollout.release).await?.ok_or_else(|| missing("the release"))?;
    let from = match unit.from {
        Some(from) => releases::store::find(&core.db, from).await?,
        None => None,
    };
    match deployment::standing(core, instance).await? {
        Ok(instance) => Ok(Some(Work { rollout, unit, instance, to, from })),
        Err(why) => {
            let why = format!("{why}; {as_it_was}");
            run.step("excuse", || settle(core, &unit, UnitEvent::Excuse, Some(&why))).await?;
            Ok(None)
        }
    }
}

/// Lets what works on the instance end first: two at once would each undo what the other does. From then on what else
/// would change it waits for the unit; see [`not_while_updating`]. False when it rests by now, and that is a reason to leave
/// it alone.
pub(super) async fn others_first(core: &Core, unit: &Unit, at_rest: AtRest) -> Result<bool, StepError> {
    let mut tx = core.db.begin().await?;
    let state = holds::store::lock(&mut tx, unit.instance).await?;
    // Taken before a death: what came since waits for us, and must not be waited for.
    if units::store::has_hold(&mut tx, unit).await? {
        return Ok(true);
    }
    if let Some(kind) = units::store::others_at_work(&mut tx, unit.instance).await? {
        let why = format!("something else goes first: {}", workflows::kind_in_words(&kind));
        return Err(StepError::NotYet { why, after: OTHERS_FIRST });
    }
    if at_rest == AtRest::IsLeftAlone && state == Some(InstanceState::Suspended) {
        return Ok(false);
    }
    units::store::take_hold(&mut tx, unit).await?;
    tx.commit().await?;
    Ok(true)
}

/// What becomes of an instance that is closed when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtRest {
    /// Nothing, until it is open again.
    IsLeftAlone,
    /// The same as of all others.
    IsChanged,
}

/// For whatever would change an instance: waits until an update of it that has begun is over, one way or the other.
pub(crate) async fn not_while_updating(core: &Core, instance: InstanceId) -> Result<(), StepError> {
    if units::store::is_held(&core.db, instance).await? {
        let why = "an update of it is being finished".to_owned();
        return Err(StepError::NotYet { why, after: OTHERS_FIRST });
    }
    Ok(())
}

/// No backup, no update.
async fn back_up(core: &Core, work: &Work, workflow: &str) -> Result<BackupId, StepError> {
    let purpose = format!("update {workflow}");
    resting::rest(core, &work.instance, work.from.as_ref().unwrap_or(&work.to)).await?;
    // One that can't be made now ends the update: the application would have to rest until it can.
    let backup = match backups::take(core, &work.instance, backups::Reason::BeforeUpdate, &purpose).await {
        Err(StepError::Temporary(error)) => return Err(StepError::Permanent(error.context("no backup, no update"))),
        outcome => outcome?,
    };
    let mut tx = core.db.begin().await?;
    units::store::note_backup(&mut tx, &work.unit, backup).await?;
    tx.commit().await?;
    Ok(backup)
}

/// Best effort: what was written while it was watched. If it can't be kept, the way back is more important.
async fn keep(core: &Core, instance: &Instance, workflow: &str) -> Result<Option<BackupId>, StepError> {
    let purpose = format!("way back {workflow}");
    match backups::take(core, instance, backups::Reason::BeforeGoingBack, &purpose).await {
        Ok(kept) => Ok(Some(kept)),
        Err(StepError::NotYet { why, after }) => Err(StepError::NotYet { why, after }),
        Err(error) => {
            tracing::warn!(instance.id = %instance.id, "What was written since the update was not kept: {error}");
            Ok(None)
        }
    }
}

/// Lets something happen to a unit, and the rollout go on.
pub(super) async fn settle(core: &Core, unit: &Unit, event: UnitEvent, why: Option<&str>) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let now = core.clock.now();
    let fresh = units::store::unit(&mut tx, unit.rollout, unit.instance).await?.unwrap_or_else(|| unit.clone());
    units::settle(&mut tx, &fresh, event, why, now).await.map_err(StepError::permanent)?;
    tx.commit().await?;
    go_on(core, unit.rollout).await
}

/// The rollout decides what is next. If it can't just now, it does so by itself later.
async fn go_on(core: &Core, rollout: RolloutId) -> Result<(), StepError> {
    if let Err(error) = roll_out::advance(core, rollout).await {
        tracing::warn!("The rollout {rollout} goes on later: {error}");
    }
    Ok(())
}

async fn succeed(core: &Core, work: &Work) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let now = core.clock.now();
    let fresh =
        units::store::unit(&mut tx, work.rollout.id, work.instance.id).await?.unwrap_or_else(|| work.unit.clone());
    if fresh.state != UnitState::Updated {
        units::settle(&mut tx, &fresh, UnitEvent::Succeed, None, now).await.map_err(StepError::permanent)?;
        letters::updated(&mut tx, core, &work.unit, &work.instance, &work.to).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    go_on(core, work.rollout.id).await
}

async fn return_to_former(core: &Core, work: &Work, reason: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let now = core.clock.now();
    let fresh =
        units::store::unit(&mut tx, work.rollout.id, work.instance.id).await?.unwrap_or_else(|| work.unit.clone());
    if fresh.state != UnitState::RolledBack {
        units::settle(&mut tx, &fresh, UnitEvent::Return, Some(reason), now).await.map_err(StepError::permanent)?;
        let told = format!("{} went back to what it ran before: {reason}", work.instance.subdomain);
        store::log(&mut tx, work.rollout.id, "rollout", &told, now).await?;
        letters::went_back(&mut tx, core, &work.unit, &work.instance, work.from.as_ref()).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    go_on(core, work.rollout.id).await
}
