use std::sync::Arc;

use async_trait::async_trait;
use domain::{InstanceState, ProjectName, WorkflowId};
use jiff::{SignedDuration, Timestamp};
use providers::Removed;
use providers::compute::Origin;
use providers::edge::Entry;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::remedy::Remedy;
use super::safety::{may_make, may_remove};
use super::{Class, Finding, known, store, sweep};
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::instances::{self, Instance, holds, place, probe, provision};
use crate::pool;
use crate::workflows::{self, Plan, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "repair.v1";

/// So long a provider may go on showing what is gone, or not show what is there.
const LISTS_LAG: SignedDuration = SignedDuration::from_mins(5);
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// Puts one finding right, and looks whether it is.
pub(crate) struct Repair(pub Arc<Core>);

/// Asks for the repair of a finding. While one is under way, asking again gives that.
pub(crate) async fn request(app: &App, id: &str, by: &str) -> Result<WorkflowId, AppError> {
    let mut tx = app.db.begin().await?;
    let finding = store::locked(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    if let Some((id, state)) = workflow::under_way(&mut tx, KIND, id).await? {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    if finding.gone_at.is_some() {
        return Err(refused(409, "This is settled", "The last look did not show it any more; nothing is left to do."));
    }
    if finding.difference.remedy == Remedy::ByHand {
        return Err(refused(409, "This can't be repaired from here", Remedy::ByHand.advice()));
    }
    audit::record(&mut tx, app, by, "finding.repair_requested", id, &finding.difference.words).await?;
    let plan = Plan { kind: KIND, time_limit: time_limit(app), subject: id };
    let workflow = workflows::begin(&mut tx, app, &plan, &id).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(workflow)
}

fn time_limit(core: &Core) -> SignedDuration {
    core.drivers.compute.patience() + SignedDuration::from_hours(1)
}

#[async_trait]
impl Workflow for Repair {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        time_limit(&self.0)
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let id: String = run.input()?;
        let found = store::find(&core.db, &id).await?;
        let finding = &found.ok_or_else(|| Stop::Failed(format!("there is no finding {id} in the store")))?;
        match finding.difference.remedy {
            remedy if remedy.removes() => run.step("remove", || remove(core, finding)).await?,
            Remedy::MakeAgain => {
                run.step("forget what is gone", || forget_gone(core, finding)).await?;
                run.step("create project", || create_project(core, finding)).await?;
                run.step("configure", || configure(core, finding)).await?;
                run.step("deploy", || deploy(core, finding)).await?;
                publish(core, run, finding).await?;
            }
            Remedy::PublishAgain => {
                run.step("forget what is gone", || forget_gone(core, finding)).await?;
                publish(core, run, finding).await?;
            }
            Remedy::ConfigureAgain => {
                run.step("configure", || configure(core, finding)).await?;
                run.step("deploy", || deploy(core, finding)).await?;
            }
            Remedy::Discard => run.step("discard", || discard(core, finding)).await?,
            _ => run.step("subscribe", || subscribe(core, finding)).await?,
        }
        let since: Timestamp = run.step("note the time", || async { Ok(core.clock.now()) }).await?;
        let is_gone = run.step("look again", || look_again(core, finding, since)).await?;
        run.step("record", || record(core, finding, is_gone)).await
    }

    /// Nothing is taken back: what was done brought things nearer to what they should be.
    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let id: String = run.input()?;
        let reason = run.failure().await?;
        run.step("say why not", || async {
            let mut tx = core.db.begin().await?;
            store::repaired(&mut tx, &id, None, Some(&reason)).await?;
            Ok(tx.commit().await?)
        })
        .await
    }
}

/// What is registered, published and let in anew, until it answers.
async fn publish(core: &Core, run: &Run, finding: &Finding) -> Result<(), Stop> {
    let origin: Origin = run
        .step("register hostname", || async {
            let instance = living(core, finding).await?;
            let hostname = core.hostname(&instance.subdomain);
            core.drivers.compute.register_hostname(&instance.project, &hostname).await.map_err(step_error)
        })
        .await?;
    run.step("publish address", || async {
        let instance = living(core, finding).await?;
        let hostname = core.hostname(&instance.subdomain);
        core.drivers.edge.publish(&hostname, instance.id, &origin).await.map_err(step_error)
    })
    .await?;
    run.step("cover with access control", || async { provision::cover(core, &living(core, finding).await?).await })
        .await?;
    run.step("open or close as wanted", || as_wanted(core, finding)).await?;
    run.step("wait until healthy", || async {
        let instance = living(core, finding).await?;
        if instance.state == InstanceState::Suspended {
            return Ok(());
        }
        let hostname = core.hostname(&instance.subdomain);
        core.drivers.compute.hostname_ready(&instance.project, &hostname).await.map_err(step_error)?;
        probe::wait_until_healthy(core, &instance.place()).await?;
        probe::note_observation(core, &instance.place()).await
    })
    .await
}

/// The instance as it is at this moment, if something of it may be made.
async fn living(core: &Core, finding: &Finding) -> Result<Instance, StepError> {
    let refuse = |why: String| StepError::permanent(anyhow::anyhow!(why));
    let all = known(core).await?;
    let owner = all.iter().find(|known| Some(known.id) == finding.difference.instance);
    let id = may_make(owner).map_err(refuse)?.id;
    let found = instances::store::find(&core.db, id).await?;
    found.ok_or_else(|| refuse("its instance is not in the store any more".to_owned()))
}

async fn forget_gone(core: &Core, finding: &Finding) -> Result<(), StepError> {
    let instance = living(core, finding).await?;
    core.drivers.compute.forget_gone(&instance.project, instance.id).await.map_err(step_error)
}

async fn create_project(core: &Core, finding: &Finding) -> Result<(), StepError> {
    let instance = living(core, finding).await?;
    core.drivers.compute.create_project(&instance.project, instance.id).await.map_err(step_error)
}

async fn configure(core: &Core, finding: &Finding) -> Result<(), StepError> {
    place::configure(core, &living(core, finding).await?.place()).await
}

async fn deploy(core: &Core, finding: &Finding) -> Result<(), StepError> {
    place::deploy(core, &living(core, finding).await?.place()).await
}

async fn subscribe(core: &Core, finding: &Finding) -> Result<(), StepError> {
    let instance = living(core, finding).await?;
    core.drivers.payments.subscribe(instance.customer, instance.id).await.map_err(step_error)
}

/// Begins to take down what is nobody's, unless somebody has it by now.
async fn discard(core: &Core, finding: &Finding) -> Result<(), StepError> {
    let Some(id) = finding.difference.instance else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    pool::discard::start_if_unclaimed(&mut tx, core, id, &finding.difference.words).await?;
    Ok(tx.commit().await?)
}

/// What is made again begins open and running; a suspended instance is to be neither.
async fn as_wanted(core: &Core, finding: &Finding) -> Result<(), StepError> {
    let instance = living(core, finding).await?;
    let hostname = core.hostname(&instance.subdomain);
    let (compute, edge) = (&core.drivers.compute, &core.drivers.edge);
    if instance.state == InstanceState::Suspended {
        compute.suspend(&instance.project).await.map_err(step_error)?;
        let mut tx = core.db.begin().await?;
        let entry = holds::entry(&mut tx, instance.id).await?;
        drop(tx);
        return edge.set_entry(&hostname, instance.id, entry).await.map_err(step_error);
    }
    edge.set_entry(&hostname, instance.id, Entry::Open).await.map_err(step_error)
}

/// Removes what nobody wants, if that is still so.
async fn remove(core: &Core, finding: &Finding) -> Result<(), StepError> {
    let found = &finding.difference;
    let refuse = |why: String| StepError::permanent(anyhow::anyhow!(why));
    let Some(id) = found.instance else { return Err(refuse("it bears no mark that can be read".to_owned())) };
    let all = known(core).await?;
    let owner = all.iter().find(|known| known.id == id);
    may_remove(found.remedy, &found.target, owner).map_err(refuse)?;
    let project = |name: &str| ProjectName::parse(name).map_err(StepError::permanent);
    let drivers = &core.drivers;
    let removed = match found.remedy {
        Remedy::RemoveProject => drivers.compute.delete_project(&project(&found.target)?, id).await,
        Remedy::ReleaseHostname => {
            let Some(owner) = owner else { return Err(refuse("its instance is not in the store".to_owned())) };
            drivers.compute.release_hostname(&project(&owner.project)?, &found.target).await
        }
        Remedy::RemoveHostname => drivers.edge.remove(&found.target, id).await,
        _ => drivers.payments.cancel(id).await,
    };
    keep(core, finding, &removed.map_err(step_error)?, owner.is_some()).await
}

/// Writes down what was removed: in the audit log, and where its instance is known in its record too.
async fn keep(core: &Core, finding: &Finding, removed: &[Removed], is_known: bool) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let names: Vec<String> = removed.iter().map(|entry| format!("{} {}", entry.kind, entry.name)).collect();
    let detail = if names.is_empty() { "nothing was there any more".to_owned() } else { names.join(", ") };
    audit::record(&mut tx, core, "repair", "finding.removed", &finding.id, &detail).await?;
    if let Some(id) = finding.difference.instance.filter(|_| is_known) {
        instances::store::record_removed(&mut tx, id, removed, core.clock.now()).await?;
    }
    Ok(tx.commit().await?)
}

/// Whether a new look does not show it any more.
async fn look_again(core: &Core, finding: &Finding, since: Timestamp) -> Result<bool, StepError> {
    sweep::look_at(core, finding.difference.role).await?.map_err(step_error)?;
    if store::find(&core.db, &finding.id).await?.is_none_or(|found| found.gone_at.is_some()) {
        return Ok(true);
    }
    if core.clock.now() < since + LISTS_LAG {
        let why = match finding.difference.class {
            Class::Missing => format!("{} does not show it yet", finding.difference.provider),
            Class::Orphan | Class::Drifted => format!("{} still shows it", finding.difference.provider),
        };
        return Err(StepError::NotYet { why, after: LOOK_AGAIN });
    }
    Ok(false)
}

async fn record(core: &Core, finding: &Finding, is_gone: bool) -> Result<(), StepError> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    if is_gone {
        store::repaired(&mut tx, &finding.id, Some(now), None).await?;
        audit::record(&mut tx, core, "repair", "finding.repaired", &finding.id, &finding.difference.name).await?;
    } else {
        let provider = &finding.difference.provider;
        let why =
            format!("All was done, and {provider} still shows it as it was. Look at it in {provider}'s dashboard.");
        store::repaired(&mut tx, &finding.id, None, Some(&why)).await?;
    }
    Ok(tx.commit().await?)
}
