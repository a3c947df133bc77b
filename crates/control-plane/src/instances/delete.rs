//! Takes an instance down and keeps a record of what was removed.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Event, InstanceId, InstanceState, WorkflowId};
use jiff::SignedDuration;
use providers::Removed;
use providers::edge::Entry;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::Instance;
use super::deletion::{self, Waiting};
use super::provision::{self, transition_error};
use super::store::TransitionError;
use super::{access, moves, names, rename};
use crate::analytics::leavings::{self, Farewell, Way};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::pool::claim;
use crate::rollouts::update;
use crate::signup::checkout;
use crate::workflows::{self, Plan, step_error};
use crate::{audit, backups, mail, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "delete.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 6] = [
    ("refuse entry", "Closing the door"),
    ("remove compute", "Stopping the application and erasing its data"),
    ("remove address", "Taking the address off the map"),
    ("end subscription", "Ending the subscription"),
    ("forget members", "Forgetting who could enter"),
    ("record", "Writing down what was removed"),
];

/// See the module.
pub(crate) struct Delete(pub Arc<Core>);

/// When a deletion begins that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// After the time in which it can be taken back.
    InDueTime,
    /// Now: nobody can take it back.
    AtOnce,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requested {
    /// It can be taken back for a while.
    Waits(Waiting),
    /// This workflow removes everything.
    Begun(WorkflowId),
}

/// Asks for the deletion of an instance, confirmed by its subdomain. Asking again gives the deletion that waits or is
/// under way. What has no data yet does not wait.
pub(crate) async fn request(
    app: &App,
    instance: &Instance,
    confirm: &str,
    start: Start,
    farewell: &Farewell,
    by: &str,
) -> Result<Requested, AppError> {
    // Its present name, or the one that it moves to: whoever just ordered it knows it by that.
    if ![instance.subdomain.as_str(), instance.chosen().as_str()].contains(&confirm.trim()) {
        let what = format!("Type {} to confirm that it and all its data shall be removed.", instance.subdomain);
        return Err(refused(422, "The confirmation does not match", &what));
    }
    let subject = instance.id.to_string();
    let mut tx = app.db.begin().await?;
    // Closing the list also locks the instance's row, so that of two requests one sees the other.
    members::store::next_serial(&mut tx, instance.id).await?;
    if let Some((id, state)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map(Requested::Begun).map_err(AppError::internal);
    }
    let state = super::store::state(&mut tx, instance.id).await?;
    let is_in_use = matches!(state, Some(InstanceState::Active | InstanceState::Suspended));
    if is_in_use
        && start == Start::InDueTime
        && let Some(waiting) = deletion::ask(&mut tx, app, instance, farewell, by).await?
    {
        tx.commit().await?;
        app.engine.wake();
        app.mail_waiting.notify_one();
        return Ok(Requested::Waits(waiting));
    }
    if matches!(instance.state, InstanceState::Requested | InstanceState::Provisioning) {
        for kind in [provision::KIND, claim::KIND, checkout::KIND] {
            if workflow::under_way(&mut tx, kind, &subject).await?.is_some() {
                let next = "Wait until it is ready, or abandon its provisioning in the console.";
                return Err(refused(409, &format!("{} is still being made", instance.subdomain), next));
            }
        }
        // Its provisioning was abandoned half undone: what is left of it is removed like the whole.
        super::store::transition(&mut tx, instance.id, Event::GiveUp, app.clock.now()).await?;
    }
    if is_in_use {
        leavings::note(&mut tx, app, instance.id, Way::Deletion, farewell, by).await?;
    }
    let id = begin(&mut tx, app, instance.id, confirm.trim(), by).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(Requested::Begun(id))
}

/// Begins a deletion in the transaction that decides it. Wake the engine after the commit.
pub(crate) async fn begin(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    detail: &str,
    by: &str,
) -> Result<WorkflowId, TransitionError> {
    let (subject, now) = (instance.to_string(), core.clock.now());
    super::store::transition(tx, instance, Event::Delete, now).await?;
    super::store::note_deletion_request(tx, instance, by).await?;
    audit::record(tx, core, by, "instance.deletion_requested", &subject, detail).await?;
    // What else works on it sees at once that it is in vain.
    workflow::nudge(tx, &subject, now).await?;
    Ok(start(tx, core, instance).await?)
}

async fn start(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    workflows::begin(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject }, &instance).await
}

#[async_trait]
impl Workflow for Delete {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let id: InstanceId = run.input()?;
        let Some(instance) = &super::store::find(&core.db, id).await? else { return Ok(()) };
        if !matches!(instance.state, InstanceState::Deleting | InstanceState::Deleted) {
            return Ok(());
        }
        let hostname = &core.hostname(&instance.subdomain);
        run.step("refuse entry", || async {
            core.drivers.edge.set_entry(hostname, id, Entry::Deleting).await.map_err(step_error)
        })
        .await?;
        run.step("remove compute", || async {
            stay_put(core, id).await?;
            update::not_while_updating(core, id).await?;
            let mut removed = Vec::new();
            for project in moves::all_places(core, instance).await? {
                removed.extend(core.drivers.compute.delete_project(&project, id).await.map_err(step_error)?);
                removed.push(Removed::new("project", project.to_string()));
            }
            keep(core, id, &removed).await?;
            let removed = backups::destroy::destroy_all(core, id).await?;
            keep(core, id, &removed).await
        })
        .await?;
        run.step("remove address", || async {
            let mut removed = Vec::new();
            for each in names::hostnames(core, instance).await? {
                removed.extend(core.drivers.edge.remove(&each, id).await.map_err(step_error)?);
            }
            removed.push(Removed::new("hostname", hostname.clone()));
            keep(core, id, &removed).await
        })
        .await?;
        run.step("end subscription", || async {
            let removed = core.drivers.payments.cancel(id).await.map_err(step_error)?;
            keep(core, id, &removed).await
        })
        .await?;
        run.step("forget members", || forget_members(core, id)).await?;
        run.step("record", || record(core, instance)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Waits for whatever moves the instance to another address or changes what stands before it: that sees
/// that it is being deleted, and takes back what it made.
async fn stay_put(core: &Core, id: InstanceId) -> Result<(), StepError> {
    if rename::is_moving(core, id).await? {
        let why = "Its change of name is taken back first.".to_owned();
        return Err(StepError::NotYet { why, after: SignedDuration::from_secs(1) });
    }
    if backups::is_at_work(core, id).await? {
        let why = "The backup that is being taken or put back ends first.".to_owned();
        return Err(StepError::NotYet { why, after: SignedDuration::from_secs(1) });
    }
    if access::is_changing(core, id).await? {
        let why = "What was begun with its Access application ends first.".to_owned();
        return Err(StepError::NotYet { why, after: SignedDuration::from_secs(1) });
    }
    Ok(())
}

/// Adds to the record right after the effect, since a second run of the step finds nothing left to
/// remove. The project and the hostname are recorded by every run: they existed, and are gone.
async fn keep(core: &Core, id: InstanceId, removed: &[Removed]) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    super::store::record_removed(&mut tx, id, removed, core.clock.now()).await?;
    Ok(tx.commit().await?)
}

async fn forget_members(core: &Core, id: InstanceId) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let number = members::store::delete_all(&mut tx, id).await?;
    if number > 0 {
        let removed = [Removed::new("member list", format!("{number} addresses"))];
        super::store::record_removed(&mut tx, id, &removed, core.clock.now()).await?;
    }
    Ok(tx.commit().await?)
}

async fn record(core: &Core, instance: &Instance) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let now = core.clock.now();
    super::store::transition(&mut tx, instance.id, Event::Removed, now).await.map_err(transition_error)?;
    moves::store::end(&mut tx, instance.id, now).await?;
    audit::record(&mut tx, core, "deletion", "instance.deleted", &instance.id.to_string(), instance.subdomain.as_str())
        .await?;
    mail::deleted(&mut tx, core, instance).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
