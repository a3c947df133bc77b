//! A backup that is taken by itself: as planned, or because somebody asked for it.

use std::sync::Arc;

use ::store::Tx;
use async_trait::async_trait;
use domain::{BackupId, BackupReason, InstanceId, InstanceState, WorkflowId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::resting::{wake, while_it_rests};
use super::take::{give_up, take};
use super::{AT_WORK, place_answers, possible, store};
use crate::alerts::{self, Kind};
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::instances::{self, Instance, holds};
use crate::workflows::{self, Plan};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "back-up.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(6);
/// So many may be asked for within a day: each takes up room for months.
const MOST_A_DAY: i64 = 10;
/// Who takes those that are planned, in the audit log.
const SCHEDULE: &str = "backups";
/// Who takes those that copies begin with.
const COPIES: &str = "copies";

/// See the module.
pub(crate) struct BackUp(pub Arc<Core>);

#[derive(Debug, Serialize, Deserialize)]
struct Input {
    instance: InstanceId,
    reason: BackupReason,
    by: String,
}

/// Asks for a backup now. While one is being taken, asking again gives that.
pub(crate) async fn request(app: &App, instance: &Instance, by: &str) -> Result<WorkflowId, AppError> {
    can_be(app, instance)?;
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?;
    in_use(instance, state)?;
    let subject = instance.id.to_string();
    if let Some((id, _)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    refuse_while_at_work(&mut tx, instance).await?;
    let since = app.clock.now() - SignedDuration::from_hours(24);
    if store::requested_since(&mut tx, instance.id, since).await? >= MOST_A_DAY {
        let what = format!("{} was backed up {MOST_A_DAY} times within a day on request", instance.subdomain);
        return Err(refused(409, &what, "Wait some hours, or use one of those."));
    }
    audit::record(&mut tx, app, by, "instance.backup_requested", &subject, "").await?;
    let id = begin(&mut tx, app, instance.id, BackupReason::Requested, by).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// What became of a backup that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// This workflow takes it.
    Here(WorkflowId),
    /// Something else works on the instance, and ends first.
    Later,
    /// There is nothing to be backed up any more.
    Never,
}

/// Begins one for a copy that is made of an instance.
pub(crate) async fn begin_for_copy(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
) -> Result<Begun, ::store::sqlx::Error> {
    let state = holds::store::lock(tx, instance).await?;
    if !matches!(state, Some(InstanceState::Active | InstanceState::Suspended)) {
        return Ok(Begun::Never);
    }
    if super::at_work(tx, instance).await?.is_some() {
        return Ok(Begun::Later);
    }
    Ok(Begun::Here(begin(tx, core, instance, BackupReason::Requested, COPIES).await?))
}

/// The backup that one of these workflows took.
pub(crate) async fn taken_by(
    core: &Core,
    instance: InstanceId,
    workflow: &str,
) -> Result<Option<BackupId>, ::store::sqlx::Error> {
    Ok(store::kept_for(&core.db, instance, &purpose(workflow)).await?.map(|backup| backup.id))
}

/// Begins one that is due. Nothing where something else works on the instance.
pub(super) async fn begin_scheduled(core: &Core, instance: InstanceId) -> Result<bool, ::store::sqlx::Error> {
    let mut tx = core.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance).await?;
    if !matches!(state, Some(InstanceState::Active | InstanceState::Suspended))
        || super::at_work(&mut tx, instance).await?.is_some()
    {
        return Ok(false);
    }
    begin(&mut tx, core, instance, BackupReason::Scheduled, SCHEDULE).await?;
    tx.commit().await?;
    Ok(true)
}

async fn begin(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    reason: BackupReason,
    by: &str,
) -> Result<WorkflowId, ::store::sqlx::Error> {
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &instance.to_string() };
    workflows::begin(tx, core, &plan, &Input { instance, reason, by: by.to_owned() }).await
}

/// Refuses where there are no backups at all.
pub(crate) fn can_be(app: &App, instance: &Instance) -> Result<(), AppError> {
    possible(app).map_err(|why| refused(409, &format!("{} can't be backed up here", instance.subdomain), why))
}

/// Refuses what is made or removed at this moment.
pub(super) fn in_use(instance: &Instance, state: Option<InstanceState>) -> Result<(), AppError> {
    match state.unwrap_or(InstanceState::Deleted) {
        InstanceState::Active | InstanceState::Suspended => Ok(()),
        state => {
            let what = format!("{} is {state}", instance.subdomain);
            Err(refused(409, &what, "Backups are taken and put back while it is in use or suspended."))
        }
    }
}

/// Refuses while something else changes what the instance keeps or runs.
pub(super) async fn refuse_while_at_work(tx: &mut Tx, instance: &Instance) -> Result<(), AppError> {
    let Some(kind) = super::at_work(tx, instance.id).await? else { return Ok(()) };
    let doing = AT_WORK.iter().find(|(name, _)| *name == kind).map_or("worked on", |(_, doing)| doing);
    let what = format!("{} is being {doing} at this moment", instance.subdomain);
    Err(refused(409, &what, "Try again when that is done; it takes minutes at most."))
}

#[async_trait]
impl Workflow for BackUp {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let backup: Option<BackupId> = run.step("back up", || back_up(core, &input, run.id())).await?;
        let Some(backup) = backup else { return Ok(()) };
        run.step("record", || async {
            let mut tx = core.db.begin().await?;
            let (by, subject) = (&input.by, input.instance.to_string());
            audit::record(&mut tx, core, by, "instance.backed_up", &subject, &backup.to_string()).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        run.undo("back up", || async {
            wake(core, input.instance).await?;
            give_up(core, input.instance, &purpose(run.id())).await
        })
        .await?;
        let reason = run.failure().await?;
        run.step("tell the operator", || tell(core, &input, &reason, run.id())).await
    }
}

/// Rests, takes it, runs again: in one step, so that the application runs while the next try is waited for. None for an
/// instance that is on its way out.
async fn back_up(core: &Core, input: &Input, workflow: &str) -> Result<Option<BackupId>, StepError> {
    let found = instances::store::find(&core.db, input.instance).await?;
    let is_in_use = |state| matches!(state, InstanceState::Active | InstanceState::Suspended);
    let Some(instance) = found.filter(|found| is_in_use(found.state)) else { return Ok(None) };
    // Nobody is made to wait for a backup that could not be kept anyway.
    place_answers(core).await?;
    let purpose = purpose(workflow);
    while_it_rests(core, &instance, take(core, &instance, input.reason, &purpose)).await.map(Some)
}

fn purpose(workflow: &str) -> String {
    format!("back-up {workflow}")
}

async fn tell(core: &Core, input: &Input, reason: &str, workflow: &str) -> Result<(), StepError> {
    let Some(instance) = instances::store::find(&core.db, input.instance).await? else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    let what = format!("{} was not backed up", core.hostname(&instance.subdomain));
    let key = format!("not backed up {workflow}");
    alerts::raise(&mut tx, core, Kind::BackupFailed, &key, &what, reason, &format!("/admin/workflows/{workflow}"))
        .await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
