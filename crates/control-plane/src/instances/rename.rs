//! Moves an instance to another subdomain. It stays where it is until the new address answers; then the
//! new one counts, and the old one is taken away.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{InstanceId, InstanceState, Subdomain, WorkflowId};
use jiff::SignedDuration;
use providers::compute::Origin;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::{Instance, access, moves, names, place, probe, retire_address, suspension};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::workflows::{self, Plan, step_error};
use crate::{audit, mail, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "rename.v1";

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 9] = [
    ("register hostname", "Announcing the new address to the computers that run it"),
    ("publish address", "Putting the new address on the map"),
    ("admit members", "Letting its members in there"),
    ("wait for address", "Waiting until the new address is connected"),
    ("configure", "Telling the application its new address"),
    ("deploy", "Starting the application again"),
    ("wait until healthy", "Waiting until it answers at the new address"),
    ("refuse strangers", "Checking that strangers stay outside"),
    ("switch", "Making the new address the one that counts"),
];

/// An instance keeps every name that it had. So many it may have, beside the present one.
const MOST_FORMER: usize = 5;

/// What a step says of an instance that was closed or given up while it moved.
const OVERTAKEN: &str = "it was suspended or deleted meanwhile";

/// See the module.
pub(crate) struct Rename(pub Arc<Core>);

/// From where to where.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Move {
    instance: InstanceId,
    from: Subdomain,
    to: Subdomain,
    /// Whether the instance had the name before, and keeps it whatever happens.
    had: bool,
}

/// Why a change of name failed, in words for the customer.
pub(crate) fn what_failed(recorded: &str) -> String {
    if recorded.contains(OVERTAKEN) {
        return "Your workspace was suspended in the meantime.".to_owned();
    }
    let step = recorded.split_once(": ").map(|(step, _)| step);
    match STEPS.iter().find(|(name, _)| Some(*name) == step) {
        Some((_, label)) => format!("This step did not succeed: {}.", label.to_lowercase()),
        None => "It was stopped before it was done.".to_owned(),
    }
}

/// Asks for another subdomain. While the instance moves there, asking again gives the workflow that
/// does it.
pub(crate) async fn request(app: &App, instance: &Instance, to: &Subdomain, by: &str) -> Result<WorkflowId, AppError> {
    let (id, subject, now) = (instance.id, instance.id.to_string(), app.clock.now());
    let mut tx = app.db.begin().await?;
    // Also locks the instance's row: of two requests one sees the other.
    members::store::next_serial(&mut tx, id).await?;
    let called = names::store::called(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    if let Some((moving, state)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        drop(tx);
        return same(app, &called, to, &moving, state).await;
    }
    if called.subdomain == *to {
        let title = format!("It is called {to} already");
        return Err(refused(409, &title, "Choose another name, or leave it as it is."));
    }
    may_move(&mut tx, &called, &subject).await?;
    let former = names::store::former(&mut *tx, id).await?;
    let had = former.contains(to);
    if !had && former.len() >= MOST_FORMER {
        let title = format!("It had {MOST_FORMER} names before, and keeps them");
        return Err(refused(409, &title, &format!("Go back to one of these: {}.", listed(&former))));
    }
    if !names::store::reserve(&mut tx, id, to, now).await? {
        let title = format!("The name {to} is taken");
        return Err(refused(409, &title, "Choose another one. Names that look alike count as the same."));
    }
    names::store::move_to(&mut tx, id, to).await?;
    let detail = format!("from {} to {to}", called.subdomain);
    audit::record(&mut tx, app, by, "instance.rename_requested", &subject, &detail).await?;
    let workflow = begin(&mut tx, app, Move { instance: id, from: called.subdomain, to: to.clone(), had }).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(workflow)
}

/// Moves an instance that was made ahead to the name that its customer chose, which is its own already.
pub(crate) async fn to_the_chosen(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    chosen: &Subdomain,
) -> Result<WorkflowId, Error> {
    let (from, to) = (instance.subdomain.clone(), chosen.clone());
    begin(tx, core, Move { instance: instance.id, from, to, had: false }).await
}

async fn begin(tx: &mut Tx, core: &Core, asked: Move) -> Result<WorkflowId, Error> {
    let subject = asked.instance.to_string();
    let plan = Plan { kind: KIND, time_limit: core.drivers.compute.patience(), subject: &subject };
    workflows::begin(tx, core, &plan, &asked).await
}

async fn same(
    app: &App,
    called: &names::store::Called,
    to: &Subdomain,
    moving: &str,
    state: WorkflowState,
) -> Result<WorkflowId, AppError> {
    if called.next.as_ref() != Some(to) {
        let title = format!("{} is changing its name already", called.subdomain);
        return Err(refused(409, &title, &format!("Wait until workflow {moving} is over, then ask again.")));
    }
    if state == WorkflowState::Stuck {
        app.engine.retry(moving).await?;
    }
    WorkflowId::parse(moving).map_err(AppError::internal)
}

/// Two things at once must not work on one address.
async fn may_move(tx: &mut Tx, called: &names::store::Called, subject: &str) -> Result<(), AppError> {
    if called.state != InstanceState::Active {
        let next = format!("It is {}. Its name can be changed while it is active.", called.state);
        return Err(refused(409, &format!("{} can't change its name now", called.subdomain), &next));
    }
    for (kind, what) in [
        (retire_address::KIND, "its former address is still being taken away"),
        (suspension::SUSPEND, "it is just being suspended"),
        (suspension::RESUME, "it is just being resumed"),
        (moves::relocate::KIND, "it is moving to another home"),
        (moves::go_back::KIND, "it is moving back to where it was"),
        (access::own::KIND, "it is just getting its own Access application"),
        (access::shared_access::KIND, "it is just going back to the shared Access application"),
    ] {
        if let Some((other, _)) = workflow::under_way(tx, kind, subject).await? {
            let title = format!("{} can't change its name now: {what}", called.subdomain);
            return Err(refused(409, &title, &format!("Ask again when workflow {other} is over.")));
        }
    }
    Ok(())
}

fn listed(names: &[Subdomain]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether an instance moves at this moment, or takes back that it did.
pub(super) async fn is_moving(core: &Core, id: InstanceId) -> Result<bool, Error> {
    let all = workflow::of_subject(&core.db, &id.to_string()).await?;
    let moves = |state| matches!(state, WorkflowState::Running | WorkflowState::Undoing);
    Ok(all.iter().any(|record| record.kind == KIND && moves(record.state)))
}

#[async_trait]
impl Workflow for Rename {
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
        let asked: &Move = &run.input()?;
        let (compute, edge, id) = (&core.drivers.compute, &core.drivers.edge, asked.instance);
        let hostname = &core.hostname(&asked.to);
        let origin: Origin = run
            .step("register hostname", || async {
                let moved = moved(core, asked).await?;
                compute.register_hostname(&moved.project, hostname).await.map_err(step_error)
            })
            .await?;
        run.step("publish address", || async {
            moved(core, asked).await?;
            edge.publish(hostname, id, &origin).await.map_err(step_error)
        })
        .await?;
        run.step("admit members", || async { members::publish::tell_edge(core, &moved(core, asked).await?).await })
            .await?;
        run.step("wait for address", || async {
            let moved = moved(core, asked).await?;
            compute.hostname_ready(&moved.project, hostname).await.map_err(step_error)
        })
        .await?;
        run.step("configure", || async { place::configure(core, &moved(core, asked).await?.place()).await }).await?;
        run.step("deploy", || async { place::deploy(core, &moved(core, asked).await?.place()).await }).await?;
        run.step("wait until healthy", || async {
            let place = moved(core, asked).await?.place();
            probe::wait_until_healthy(core, &place).await?;
            probe::note_observation(core, &place).await
        })
        .await?;
        run.step("refuse strangers", || async {
            probe::refuses_strangers(core, &moved(core, asked).await?.place()).await
        })
        .await?;
        run.step("switch", || switch(core, asked, run.id())).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let asked: &Move = &run.input()?;
        let (compute, edge, id) = (&core.drivers.compute, &core.drivers.edge, asked.instance);
        let Some(instance) = &super::store::find(&core.db, id).await? else { return Ok(()) };
        if instance.subdomain == asked.to {
            // It had moved before it was stopped: the old address is on its way out.
            return Ok(());
        }
        let hostname = &core.hostname(&asked.to);
        run.step("set the name aside", || set_aside(core, asked)).await?;
        // One that is being deleted has no use for settings any more.
        if !is_going(instance) {
            let place = &instance.place();
            run.undo("configure", || place::configure(core, place)).await?;
            run.undo("deploy", || place::deploy(core, place)).await?;
        }
        run.undo("publish address", || async { edge.remove(hostname, id).await.map_err(step_error) }).await?;
        run.undo("register hostname", || async {
            compute.release_hostname(&instance.project, hostname).await.map_err(step_error)
        })
        .await?;
        let reason = run.failure().await?;
        run.step("give the name back", || give_back(core, instance, asked, &reason, run.id())).await
    }
}

/// The instance as it is to be, if it still is to move there.
async fn moved(core: &Core, asked: &Move) -> Result<Instance, StepError> {
    let found = super::store::find(&core.db, asked.instance).await?;
    let wanted =
        found.filter(|found| found.state == InstanceState::Active && found.next_subdomain.as_ref() == Some(&asked.to));
    wanted.map(|found| found.at(&asked.to)).ok_or_else(|| StepError::permanent(anyhow::anyhow!(OVERTAKEN)))
}

pub(super) fn is_going(instance: &Instance) -> bool {
    !matches!(instance.state, InstanceState::Active | InstanceState::Suspended)
}

async fn switch(core: &Core, asked: &Move, workflow: &str) -> Result<(), StepError> {
    let (id, now) = (asked.instance, core.clock.now());
    let mut tx = core.db.begin().await?;
    members::store::next_serial(&mut tx, id).await?;
    let called = names::store::called(&mut tx, id).await?;
    if called.as_ref().is_some_and(|called| called.subdomain == asked.to) {
        return Ok(());
    }
    let wanted =
        called.filter(|called| called.state == InstanceState::Active && called.next.as_ref() == Some(&asked.to));
    let Some(called) = wanted else { return Err(StepError::permanent(anyhow::anyhow!(OVERTAKEN))) };
    names::store::switch(&mut tx, id, &called, &asked.to, now).await?;
    let detail = format!("from {} to {}", asked.from, asked.to);
    audit::record(&mut tx, core, "rename", "instance.renamed", &id.to_string(), &detail).await?;
    retire_address::start(&mut tx, core, id, &asked.from).await?;
    if let Some(instance) = super::store::find(&core.db, id).await? {
        mail::renamed(&mut tx, core, &instance.at(&asked.to), &asked.from, workflow).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// From here on nobody is told to enter by the new name; it stays the instance's until all of it is gone.
async fn set_aside(core: &Core, asked: &Move) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    names::store::stay(&mut tx, asked.instance, &asked.to, core.clock.now()).await?;
    Ok(tx.commit().await?)
}

async fn give_back(
    core: &Core,
    instance: &Instance,
    asked: &Move,
    reason: &str,
    workflow: &str,
) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    if !asked.had {
        names::store::release(&mut tx, instance.id, &asked.to).await?;
    }
    let detail = format!("to {}: {reason}", asked.to);
    audit::record(&mut tx, core, "rename", "instance.rename_failed", &instance.id.to_string(), &detail).await?;
    if !is_going(instance) {
        mail::rename_failed(&mut tx, core, instance, &asked.to, reason, workflow).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
