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

use super::holds::{self, Held, Hold, Released};
use super::store::TransitionError;
use super::{Instance, moves, probe};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::mail;
use crate::members;
use crate::rollouts::update;
use crate::workflows::{self, Plan, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const SUSPEND: &str = "suspend.v1";
pub(super) const RESUME: &str = "resume.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_REASON: usize = 300;

/// Keeps everybody out, and the application from running. Its data stays.
pub(crate) struct Suspend(pub Arc<Core>);

/// Lets the application run, and its members in again.
pub(crate) struct Resume(pub Arc<Core>);

/// Asks for an instance to be closed for the operator's reason, which the customer is told once. While it is being
/// closed, asking again gives the workflow that does it.
pub(crate) async fn suspend(app: &App, instance: &Instance, reason: &str, by: &str) -> Result<WorkflowId, AppError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let what = format!("Say why in one sentence of at most {LONGEST_REASON} characters: its customer reads it.");
        return Err(refused(422, "There is no reason for it", &what));
    }
    let mut tx = app.db.begin().await?;
    holds::store::lock(&mut tx, instance.id).await?;
    let holds = holds::store::of(&mut tx, instance.id).await?;
    if holds.iter().any(|standing| standing.hold == Hold::Operator)
        && let Some(found) = workflow::under_way(&mut tx, SUSPEND, &instance.id.to_string()).await?
    {
        drop(tx);
        return go_on(app, found).await;
    }
    let id = match holds::hold(&mut tx, app, instance.id, Hold::Operator, reason, by).await? {
        Held::Closes(id) => id,
        // Closed for another reason, it stays as it is; the customer is told of this one.
        Held::IsClosed => start(&mut tx, app, SUSPEND, instance.id, reason).await?,
    };
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// Lifts the operator's suspension, and opens the instance unless something else keeps it closed.
pub(crate) async fn resume(app: &App, instance: &Instance, by: &str) -> Result<WorkflowId, AppError> {
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?;
    if state == Some(InstanceState::Active) {
        if let Some(found) = workflow::under_way(&mut tx, RESUME, &instance.id.to_string()).await? {
            drop(tx);
            return go_on(app, found).await;
        }
        let what = format!("{} is not suspended", instance.subdomain);
        return Err(refused(409, &what, "There is nothing to resume: its members can enter."));
    }
    match holds::release(&mut tx, app, instance.id, Hold::Operator, by).await? {
        Released::Opens(id) => {
            tx.commit().await?;
            app.engine.wake();
            Ok(id)
        }
        Released::StaysClosed(left) => {
            tx.commit().await?;
            let what = format!("{} stays closed, though not by you: {}", instance.subdomain, holds::in_words(&left));
            Err(refused(409, &what, "It opens by itself once that is settled."))
        }
        Released::IsNotSuspended => {
            let state = state.ok_or(TransitionError::NotFound(instance.id))?;
            state.after(Event::Resume).map_err(TransitionError::from)?;
            Err(AppError::internal(TransitionError::Raced))
        }
    }
}

/// A workflow that is under way already; one that is stuck is tried again.
async fn go_on(app: &App, (id, state): (String, WorkflowState)) -> Result<WorkflowId, AppError> {
    if state == WorkflowState::Stuck {
        app.engine.retry(&id).await?;
    }
    WorkflowId::parse(&id).map_err(AppError::internal)
}

pub(super) async fn start(
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
        let (id, _): (InstanceId, String) = run.input()?;
        let Some(instance) = &as_wanted(core, id, InstanceState::Suspended).await? else {
            return run.step("give way", || give_way(core, id, InstanceState::Suspended)).await;
        };
        let (compute, edge) = (&core.drivers.compute, &core.drivers.edge);
        let hostname = &core.hostname(&instance.subdomain);
        run.step("refuse entry", || async {
            let mut tx = core.db.begin().await?;
            let entry = holds::entry(&mut tx, id).await?;
            drop(tx);
            edge.set_entry(hostname, id, entry).await.map_err(step_error)
        })
        .await?;
        run.step("rest", || async {
            update::not_while_updating(core, id).await?;
            compute.suspend(&moves::where_it_lives(core, instance).await?).await.map_err(step_error)
        })
        .await?;
        // Where the guard goes on, it is who explains; elsewhere the edge is.
        run.step("tell the guard", || members::publish::tell_guard(core, instance)).await?;
        run.step("tell the customer", || async {
            let mut tx = core.db.begin().await?;
            if is_overtaken(&mut tx, core, id, InstanceState::Suspended).await? {
                return Ok(tx.commit().await?);
            }
            let holds = holds::store::of(&mut tx, id).await?;
            if let Some(operator) = holds.iter().find(|standing| standing.hold == Hold::Operator) {
                mail::suspended(&mut tx, core, instance, operator).await?;
            }
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
        run.step("run", || async {
            update::not_while_updating(core, id).await?;
            compute.resume(&moves::where_it_lives(core, instance).await?).await.map_err(step_error)
        })
        .await?;
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
