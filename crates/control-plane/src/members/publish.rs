use std::sync::Arc;

use access::protocol::MEMBERS;
use access::pushed;
use async_trait::async_trait;
use domain::{InstanceId, WorkflowId};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use crate::app::Core;
use crate::instances::{self, Instance};
use crate::workflows::{self, Plan, step_error};

const KIND: &str = "publish-members.v1";

/// Tells edge and guard who may enter, after every change of the list.
///
/// Each run tells the list as it stands then, so runs may overtake each other without harm: the
/// guard keeps the list with the highest serial number.
pub(crate) struct PublishMembers(pub Arc<Core>);

/// Starts the publication in the transaction that changes the list.
pub(crate) async fn start(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    let plan = Plan { kind: KIND, time_limit: SignedDuration::from_hours(24), subject: &subject };
    workflows::begin(tx, core, &plan, &instance).await
}

#[async_trait]
impl Workflow for PublishMembers {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        SignedDuration::from_hours(24)
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let id: InstanceId = run.input()?;
        let Some(instance) = instances::store::find(&self.0.db, id).await? else { return Ok(()) };
        if instance.state.is_over() {
            return Ok(());
        }
        run.step("tell the edge", || tell_edge(&self.0, &instance)).await?;
        run.step("tell the guard", || tell_guard(&self.0, &instance)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Lets exactly the present members as far as the guard, at its hostname and at the one it moves to.
pub(crate) async fn tell_edge(core: &Core, instance: &Instance) -> Result<(), StepError> {
    let now = async || Ok::<_, StepError>(instances::store::find(&core.db, instance.id).await?);
    while let Some(told) = now().await? {
        let emails = super::who_comes_in(core, instance.id).await.map_err(StepError::temporary)?;
        for name in [Some(&told.subdomain), told.next_subdomain.as_ref()].into_iter().flatten() {
            core.drivers.edge.admit(&core.hostname(name), instance.id, &emails).await.map_err(step_error)?;
        }
        // The edge knows no serial numbers, so a list that was overtaken while it was told is told anew.
        if now().await?.is_none_or(|now| now.members_serial == told.members_serial) {
            return Ok(());
        }
    }
    Ok(())
}

/// Gives the guard the present list. A guard that is not there gets it when it starts.
pub(crate) async fn tell_guard(core: &Core, instance: &Instance) -> Result<(), StepError> {
    let hostname = core.hostname(&instance.subdomain);
    let Some(door) = core.drivers.compute.door(&instance.project, &hostname).await.map_err(step_error)? else {
        return Ok(());
    };
    // One that sleeps lets nobody in; it asks for the list when it wakes.
    if door.asleep {
        return Ok(());
    }
    let list = super::signed_list(core, instance.id).await.map_err(StepError::temporary)?;
    let proof = pushed::proof(core.instance_token(instance.id).expose_secret());
    let push =
        door.http.put(format!("{}{MEMBERS}", door.url)).header("host", &door.host).bearer_auth(proof).json(&list);
    let answer = push.send().await;
    let status = answer.map_err(StepError::temporary)?.status();
    // 409: the guard has a newer list already.
    if status.is_success() || status == reqwest::StatusCode::CONFLICT {
        return Ok(());
    }
    let error = anyhow::anyhow!("the guard of {} answered {status} to a new member list", instance.project);
    // 429: it is reading another one.
    let passes = status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS;
    Err(if passes { StepError::temporary(error) } else { StepError::permanent(error) })
}
