//! Gives an instance the shared Access application back, in the order of `own.rs` the other way round: the
//! guard takes assertions of both before the own application goes.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{InstanceId, InstanceState, WorkflowId};
use jiff::SignedDuration;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::own::{self, edge, look, record};
use super::{able, may_change};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::{self, Instance, place, probe};
use crate::workflows::{self, Plan, step_error};
use crate::{audit, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "shared-access.v1";

/// How often a suspended instance is looked at.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// See the module.
pub(crate) struct SharedAccess(pub Arc<Core>);

/// Asks for the shared application. While that is under way, asking again gives the workflow that does it.
pub(crate) async fn request(app: &App, instance: &Instance, by: &str) -> Result<WorkflowId, AppError> {
    let edge = able(app)?;
    let (id, subject) = (instance.id, instance.id.to_string());
    let mut tx = app.db.begin().await?;
    // Also locks the instance's row: of two requests one sees the other.
    members::store::next_serial(&mut tx, id).await?;
    if let Some((under_way, state)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&under_way).await?;
        }
        return WorkflowId::parse(&under_way).map_err(AppError::internal);
    }
    may_change(&mut tx, instance, (own::KIND, "it is just getting its own")).await?;
    let Some(standing) = edge.standing(id).await? else {
        let title = format!("{} has no Access application of its own", instance.subdomain);
        return Err(refused(409, &title, "There is nothing to take back: the shared one stands before it."));
    };
    let detail = &standing.identity_provider;
    audit::record(&mut tx, app, by, "instance.shared_access_requested", &subject, detail).await?;
    let plan = Plan { kind: KIND, time_limit: app.drivers.compute.patience(), subject: &subject };
    let workflow = workflows::begin(&mut tx, app, &plan, &id).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(workflow)
}

#[async_trait]
impl Workflow for SharedAccess {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        self.0.drivers.compute.patience()
    }

    /// Wherever it halts, members get in: it has only to be taken up again.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let (id, edge): (InstanceId, _) = (run.input()?, edge(core)?);
        let configure = async || match active(core, id).await? {
            Some(instance) => place::configure(core, &instance.place()).await,
            None => Ok(()),
        };
        let deploy = async || match active(core, id).await? {
            Some(instance) => place::deploy(core, &instance.place()).await,
            None => Ok(()),
        };
        run.step("take both", || async {
            let is_there = edge.standing(id).await.map_err(step_error)?.is_some();
            if active(core, id).await?.is_none() || !is_there {
                return Ok(());
            }
            edge.rely_on_it(id, false).await.map_err(step_error)
        })
        .await?;
        run.step("configure for both", &configure).await?;
        run.step("deploy for both", &deploy).await?;
        run.step("wait until it takes both", || async {
            match active(core, id).await? {
                Some(instance) => probe::wait_until_healthy(core, &instance.place()).await,
                None => Ok(()),
            }
        })
        .await?;
        run.step("remove application", || async {
            active(core, id).await?;
            edge.take_away_own(id).await.map_err(step_error)
        })
        .await?;
        run.step("configure", &configure).await?;
        run.step("deploy", &deploy).await?;
        run.step("look through its hostname", || async {
            match active(core, id).await? {
                Some(instance) => look(core, &instance.place()).await,
                None => Ok(()),
            }
        })
        .await?;
        run.step("record", || record(core, id, "instance.shared_access_given", "")).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// The instance, unless it is going, with all that stands before it. A suspended one runs nothing, so what
/// its guard takes is told when it does again.
async fn active(core: &Core, id: InstanceId) -> Result<Option<Instance>, StepError> {
    match instances::store::find(&core.db, id).await? {
        Some(instance) if instance.state == InstanceState::Active => Ok(Some(instance)),
        Some(instance) if instance.state == InstanceState::Suspended => {
            let why = "It is suspended; this goes on when it is resumed.".to_owned();
            Err(StepError::NotYet { why, after: LOOK_AGAIN })
        }
        _ => Ok(None),
    }
}
