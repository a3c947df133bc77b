//! Closes an instance without losing anything of it, and opens it again.

pub(crate) mod store;

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{Event, InstanceId, InstanceState, WorkflowId};
use jiff::SignedDuration;
use providers::edge::Entry;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::{Instance, probe};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::members;
use crate::workflows::{self, Plan, step_error};
use crate::{audit, mail};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const SUSPEND: &str = "suspend.v1";
pub(super) const RESUME: &str = "resume.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_REASON: usize = 300;

/// Keeps everybody out, and the application from running. Its data stays.
pub(crate) struct Suspend(pub Arc<Core>);

/// Lets the application run, and its members in again.
pub(crate) struct Resume(pub Arc<Core>);

/// Asks for an instance to be closed. The customer is told the reason, once. While it is being
/// closed, asking again gives the workflow that does it.
pub(crate) async fn suspend(app: &App, instance: &Instance, reason: &str, by: &str) -> Result<WorkflowId, AppError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let what = format!("Say why in one sentence of at most {LONGEST_REASON} characters: its customer reads it.");
        return Err(refused(422, "There is no reason for it", &what));
    }
    request(app, instance, Event::Suspend, reason, by).await
}

/// Asks for an instance to be opened again.
pub(crate) async fn resume(app: &App, instance: &Instance, by: &str) -> Result<WorkflowId, AppError> {
    request(app, instance, Event::Resume, "", by).await
}

async fn request(app: &App, instance: &Instance, event: Event, reason: &str, by: &str) -> Result<WorkflowId, AppError> {
    let (kind, action) = match event {
        Event::Suspend => (SUSPEND, "instance.suspended"),
        _ => (RESUME, "instance.resumed"),
    };
    let subject = instance.id.to_string();
    let mut tx = app.db.begin().await?;
    // Also locks the instance's row: of two requests one sees the other.
    members::store::next_serial(&mut tx, instance.id).await?;
    if let Some((id, state)) = workflow::under_way(&mut tx, kind, &subject).await?
        && workflow_is_wanted(&mut tx, instance.id, event).await?
    {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    if event == Event::Resume && super::store::state(&mut tx, instance.id).await? == Some(InstanceState::Active) {
        let what = format!("{} is not suspended", instance.subdomain);
        return Err(refused(409, &what, "There is nothing to resume: its members can enter."));
    }
    super::store::transition(&mut tx, instance.id, event, app.clock.now()).await?;
    store::note_reason(&mut tx, instance.id, (event == Event::Suspend).then_some(reason)).await?;
    audit::record(&mut tx, app, by, action, &subject, reason).await?;
    let id = start(&mut tx, app, kind, instance.id, reason).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// Whether what is under way still leads to where the event leads.
async fn workflow_is_wanted(tx: &mut Tx, id: InstanceId, event: Event) -> Result<bool, Error> {
    let state = super::store::state(tx, id).await?;
    Ok(state.is_some_and(|state| state.after(event) == Ok(state)))
}

async fn start(
    tx: &mut Tx,
    core: &Core,
    kind: &'static str,
    instance: InstanceId,
    reason: &str,
) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    let plan = Plan { kind, time_limit: TIME_LIMIT, subject: &subject };
    workflows::begin(tx, core, &plan, &(instance, reason)).await
}

#[async_trait]
impl Workflow for Suspend {
    fn kind(&self) -> &'static str {
        SUSPEND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let (id, reason): (InstanceId, String) = run.input()?;
        let Some(instance) = &as_wanted(core, id, InstanceState::Suspended).await? else {
            return run.step("give way", || give_way(core, id, InstanceState::Suspended)).await;
        };
        let (compute, edge) = (&core.drivers.compute, &core.drivers.edge);
        let hostname = &core.hostname(&instance.subdomain);
        run.step("refuse entry", || async { edge.set_entry(hostname, id, Entry::Suspended).await.map_err(step_error) })
            .await?;
        run.step("rest", || async { compute.suspend(&instance.project).await.map_err(step_error) }).await?;
        // Where the guard goes on, it is who explains; elsewhere the edge is.
        run.step("tell the guard", || members::publish::tell_guard(core, instance)).await?;
        run.step("tell the customer", || async {
            let mut tx = core.db.begin().await?;
            if is_overtaken(&mut tx, core, id, InstanceState::Suspended).await? {
                return Ok(tx.commit().await?);
            }
            let reason = instance.suspended_because.as_ref().unwrap_or(&reason);
            mail::suspended(&mut tx, core, instance, reason).await?;
            tx.commit().await?;
            core.mail_waiting.notify_one();
            Ok(())
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

#[async_trait]
impl Workflow for Resume {
    fn kind(&self) -> &'static str {
        RESUME
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let (id, _): (InstanceId, String) = run.input()?;
        let Some(instance) = &as_wanted(core, id, InstanceState::Active).await? else {
            return run.step("give way", || give_way(core, id, InstanceState::Active)).await;
        };
        let (compute, edge) = (&core.drivers.compute, &core.drivers.edge);
        let hostname = &core.hostname(&instance.subdomain);
        run.step("run", || async { compute.resume(&instance.project).await.map_err(step_error) }).await?;
        run.step("tell the guard", || members::publish::tell_guard(core, instance)).await?;
        run.step("wait until it answers", || async { probe::wait_behind_the_door(core, &instance.place()).await })
            .await?;
        run.step("allow entry", || async { edge.set_entry(hostname, id, Entry::Open).await.map_err(step_error) })
            .await?;
        run.step("tell the customer", || async {
            let mut tx = core.db.begin().await?;
            if is_overtaken(&mut tx, core, id, InstanceState::Active).await? {
                return Ok(tx.commit().await?);
            }
            mail::resumed(&mut tx, core, instance).await?;
            tx.commit().await?;
            core.mail_waiting.notify_one();
            Ok(())
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// The instance, if it still is where this workflow leads.
async fn as_wanted(core: &Core, id: InstanceId, wanted: InstanceState) -> Result<Option<Instance>, Stop> {
    let found = super::store::find(&core.db, id).await?;
    Ok(found.filter(|instance| instance.state == wanted))
}

/// Ends a workflow that leads where nobody wants to go any more. What it did before it was
/// interrupted is put right.
async fn give_way(core: &Core, id: InstanceId, wanted: InstanceState) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    is_overtaken(&mut tx, core, id, wanted).await?;
    Ok(tx.commit().await?)
}

/// Whether somebody wanted the opposite meanwhile. Both workflows then ran at once, and this one's
/// last effect may have come after the other's: so what is wanted now is done once more.
async fn is_overtaken(tx: &mut Tx, core: &Core, id: InstanceId, wanted: InstanceState) -> Result<bool, StepError> {
    members::store::next_serial(tx, id).await?;
    let state = super::store::state(tx, id).await?;
    if state == Some(wanted) {
        return Ok(false);
    }
    let kind = match state {
        Some(InstanceState::Suspended) => SUSPEND,
        Some(InstanceState::Active) => RESUME,
        // It is being removed, and all of this with it.
        _ => return Ok(true),
    };
    start(tx, core, kind, id, "It was suspended and resumed at the same time.").await?;
    Ok(true)
}
