//! One instance is taken back to its former release, with the whole rollout. What its customer did since stays, unless
//! the former release can't live with it.

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{BackupId, InstanceId, RolloutId, WorkflowId};
use fleet::UnitEvent;
use jiff::{SignedDuration, Timestamp};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::units::{self, Unit};
use super::update::{AtRest, Input, others_first, settle};
use super::{deployment, letters, roll_out, store};
use crate::app::Core;
use crate::backups::{self, resting};
use crate::instances::Instance;
use crate::releases::{self, Release};
use crate::workflows::{self, Plan};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "go-back.v1";

/// See the module.
pub(crate) struct GoBack(pub Arc<Core>);

pub(super) async fn start(
    tx: &mut Tx,
    core: &Core,
    rollout: RolloutId,
    instance: InstanceId,
) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    let plan = Plan { kind: KIND, time_limit: core.drivers.compute.patience(), subject: &subject };
    workflows::begin(tx, core, &plan, &Input { rollout, instance }).await
}

#[async_trait]
impl Workflow for GoBack {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        self.0.drivers.compute.patience()
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Input { rollout, instance: id } = run.input()?;
        let missing = |what: &str| Stop::Failed(format!("{what} of this way back is not in the store"));
        let rollout = store::find(&core.db, rollout).await?.ok_or_else(|| missing("the rollout"))?;
        let mut tx = core.db.begin().await?;
        let unit = &units::store::unit(&mut tx, rollout.id, id).await?.ok_or_else(|| missing("the unit"))?;
        drop(tx);
        let from = unit.from.ok_or_else(|| Stop::Failed("nothing is recorded of what it ran before".to_owned()))?;
        let former = &releases::store::find(&core.db, from).await?.ok_or_else(|| missing("the former release"))?;
        let instance = &match deployment::standing(core, id).await? {
            Ok(instance) => instance,
            Err(why) => {
                let why = format!("{why}; it was to be taken back");
                return run.step("excuse", || settle(core, unit, UnitEvent::Excuse, Some(&why))).await;
            }
        };
        run.step("take hold", || async { others_first(core, unit, AtRest::IsChanged).await.map(drop) }).await?;
        if !rollout.strategy.without_backup {
            run.step("look where backups go", || backups::place_answers(core)).await?;
            run.step("back up", || back_up(core, instance, former, run.id())).await?;
        }
        let deployed: Timestamp = run.step("deploy former", || deployment::run(core, instance, former)).await?;
        let limit = core.drivers.compute.tempo().patience;
        let lives = run.step("come up", || came_up(core, id, former, deployed, limit)).await?;
        if !lives {
            self.with_former_data(run, unit, instance, former).await?;
        }
        run.step("record", || record(core, unit, instance, former, lives)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

impl GoBack {
    /// The former release can't live with what was written since: it gets the data that it had.
    async fn with_former_data(
        &self,
        run: &Run,
        unit: &Unit,
        instance: &Instance,
        former: &Release,
    ) -> Result<(), Stop> {
        let core = &*self.0;
        let backup = unit.backup.ok_or_else(|| {
            Stop::Failed("it does not come up with what was written since, and there is no backup of before".to_owned())
        })?;
        run.step("rest again", || resting::rest(core, instance, former)).await?;
        run.step("put data back", || backups::put_back(core, instance, backup)).await?;
        let deployed: Timestamp = run.step("deploy again", || deployment::run(core, instance, former)).await?;
        let limit = core.drivers.compute.tempo().patience;
        run.step("come up again", || deployment::come_up(core, instance.id, former, deployed, limit)).await
    }
}

/// It rests from then on. If no backup can be made it goes on as it is, until a person has this tried again.
async fn back_up(core: &Core, instance: &Instance, former: &Release, workflow: &str) -> Result<BackupId, StepError> {
    resting::rest(core, instance, former).await?;
    let purpose = format!("go back {workflow}");
    match backups::take(core, instance, backups::Reason::BeforeGoingBack, &purpose).await {
        Ok(backup) => Ok(backup),
        Err(error) => {
            resting::wake(core, instance.id).await?;
            Err(StepError::permanent(anyhow::anyhow!("no backup could be made: {error}")))
        }
    }
}

/// False when it does not, and will not.
async fn came_up(
    core: &Core,
    id: InstanceId,
    former: &Release,
    since: Timestamp,
    limit: SignedDuration,
) -> Result<bool, StepError> {
    match deployment::come_up(core, id, former, since, limit).await {
        Ok(()) => Ok(true),
        Err(StepError::Permanent(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

async fn record(
    core: &Core,
    unit: &Unit,
    instance: &Instance,
    former: &Release,
    kept_data: bool,
) -> Result<(), StepError> {
    deployment::leave(core, instance.id).await?;
    let mut tx = core.db.begin().await?;
    let now = core.clock.now();
    let why = if kept_data { "with its data as it was" } else { "with the data of before the update" };
    if let Some(fresh) = units::store::unit(&mut tx, unit.rollout, unit.instance).await?
        && fresh.state != fleet::UnitState::WentBack
    {
        units::settle(&mut tx, &fresh, UnitEvent::Back, Some(why), now).await.map_err(StepError::permanent)?;
        letters::taken_back(&mut tx, core, instance, unit, former, kept_data).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    if let Err(error) = roll_out::advance(core, unit.rollout).await {
        tracing::warn!("The rollout {} goes on later: {error}", unit.rollout);
    }
    Ok(())
}
