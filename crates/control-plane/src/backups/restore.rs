//! A backup is put back because somebody asked for it. What the instance keeps until then is backed up first: that is the
//! way back, for whoever changes their mind, and by itself when the instance does not answer afterwards.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{BackupId, BackupReason, InstanceId, WorkflowId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::back_up::{can_be, in_use, refuse_while_at_work};
use super::put_back::{prove_readable, whole};
use super::resting::{is_to_run, rest, wake};
use super::{put_back, store, take};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::{self, Instance, holds, probe};
use crate::members;
use crate::releases;
use crate::workflows::{self, Plan};
use crate::{audit, mail};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "restore.v1";

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 7] = [
    ("read it through", "Reading the backup through, to be sure that it is whole"),
    ("rest", "Letting the application rest"),
    ("keep the present state", "Backing up what is there now"),
    ("put back", "Putting the backup back"),
    ("run again", "Starting the application"),
    ("wait until it answers", "Waiting until it answers"),
    ("record", "Writing it down"),
];

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(6);
/// What does not answer so long after it was started does not suit what was put back.
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// See the module.
pub(crate) struct Restore(pub Arc<Core>);

#[derive(Debug, Serialize, Deserialize)]
struct Input {
    instance: InstanceId,
    backup: BackupId,
    by: String,
}

/// Asks for a backup to be put back, confirmed by the instance's subdomain. Asking again for the same gives what is under
/// way.
pub(crate) async fn request(
    app: &App,
    instance: &Instance,
    backup: BackupId,
    confirm: &str,
    by: &str,
) -> Result<WorkflowId, AppError> {
    can_be(app, instance)?;
    let found = store::find(&app.db, instance.id, backup).await?.ok_or(AppError::NotFound)?;
    if found.state != domain::BackupState::Kept {
        let what = format!("This backup is {}", found.state);
        return Err(refused(409, &what, "Only what is kept can be put back; choose another one."));
    }
    if confirm.trim() != instance.subdomain.as_str() {
        let what = format!("Type {} to confirm that what it keeps now shall be replaced.", instance.subdomain);
        return Err(refused(422, "The confirmation does not match", &what));
    }
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?;
    in_use(instance, state)?;
    let subject = instance.id.to_string();
    if let Some((id, _)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        let under_way: Option<Input> =
            workflow::input(&mut tx, &id).await?.and_then(|text| serde_json::from_str(&text).ok());
        if under_way.is_some_and(|input| input.backup == backup) {
            return WorkflowId::parse(&id).map_err(AppError::internal);
        }
    }
    refuse_while_at_work(&mut tx, instance).await?;
    audit::record(&mut tx, app, by, "instance.restore_requested", &subject, &backup.to_string()).await?;
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject };
    let input = Input { instance: instance.id, backup, by: by.to_owned() };
    let id = workflows::begin(&mut tx, app, &plan, &input).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

#[async_trait]
impl Workflow for Restore {
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
        let instance = &instance_of(core, &input).await?;
        let backup = whole(core, instance, input.backup).await;
        run.step("read it through", || async { prove_readable(core, &backup?).await }).await?;
        run.step("rest", || rest_as_it_is(core, instance)).await?;
        let purpose = purpose(run.id());
        let before =
            run.step("keep the present state", || take(core, instance, BackupReason::BeforeRestore, &purpose)).await?;
        run.step("put back", || put_back(core, instance, input.backup)).await?;
        let since: Timestamp = run
            .step("run again", || async {
                wake(core, instance.id).await?;
                Ok(core.clock.now())
            })
            .await?;
        run.step("wait until it answers", || wait_until_it_answers(core, instance, since)).await?;
        run.step("record", || record(core, instance, &input, before)).await
    }

    /// Whatever it ran into: the instance keeps what it kept before, and runs.
    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let input: Input = run.input()?;
        let instance = &instance_of(core, &input).await?;
        run.undo("put back", || async {
            let Some(before) = store::kept_for(&core.db, instance.id, &purpose(run.id())).await? else { return Ok(()) };
            rest_as_it_is(core, instance).await?;
            put_back(core, instance, before.id).await
        })
        .await?;
        run.undo("rest", || wake(core, instance.id)).await?;
        let reason = run.failure().await?;
        run.step("tell customer and operator", || tell(core, instance, &reason, run.id())).await
    }
}

async fn instance_of(core: &Core, input: &Input) -> Result<Instance, Stop> {
    let found = instances::store::find(&core.db, input.instance).await?;
    found.ok_or_else(|| Stop::Failed(format!("there is no instance {} in the store", input.instance)))
}

fn purpose(workflow: &str) -> String {
    format!("restore {workflow}")
}

async fn rest_as_it_is(core: &Core, instance: &Instance) -> Result<(), StepError> {
    rest(core, instance, &releases::to_run(core, instance.id).await?).await
}

/// Its guard was away meanwhile and may have missed a list.
async fn wait_until_it_answers(core: &Core, instance: &Instance, since: Timestamp) -> Result<(), StepError> {
    let Some(instance) = &is_to_run(core, instance.id).await? else { return Ok(()) };
    match probe::wait_behind_the_door(core, &instance.place()).await {
        Ok(()) => members::publish::tell_guard(core, instance).await,
        Err(StepError::Temporary(error)) if core.clock.now() > since + ANSWERS_WITHIN => {
            Err(StepError::permanent(error.context("it does not answer with what was put back")))
        }
        Err(error) => Err(error),
    }
}

async fn record(core: &Core, instance: &Instance, input: &Input, before: BackupId) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let detail = format!("{}; what was there before is {before}", input.backup);
    audit::record(&mut tx, core, &input.by, "instance.restored", &instance.id.to_string(), &detail).await?;
    mail::restored(&mut tx, core, instance, &before).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn tell(core: &Core, instance: &Instance, reason: &str, workflow: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    audit::record(&mut tx, core, "backups", "instance.restore_failed", &instance.id.to_string(), reason).await?;
    mail::restore_failed(&mut tx, core, instance, reason, workflow).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
