//! Keeps the subscription at the payment provider where the service is: ended with it, and begun again with it.

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{InstanceId, InstanceState, WorkflowId};
use jiff::SignedDuration;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::reconcile::has_ended;
use super::store;
use crate::app::Core;
use crate::instances;
use crate::workflows::{self, Plan, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
const KIND: &str = "subscription.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// See the module.
pub(crate) struct Subscription(pub Arc<Core>);

/// Begun with each change of where it belongs.
pub(super) async fn start(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    workflows::begin(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject }, &instance).await
}

/// Where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Running,
    Ended,
    /// The deletion sees to it.
    NothingOfOurs,
}

#[async_trait]
impl Workflow for Subscription {
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
        run.step("follow the service", || follow(core, id)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Two of these may run at once, after a change and its opposite. Each looks again after what it did, so that whichever
/// acts last acts on what holds last.
async fn follow(core: &Core, id: InstanceId) -> Result<(), StepError> {
    loop {
        let (before, customer) = wanted(core, id).await?;
        match before {
            Wanted::Running => core.drivers.payments.subscribe_again(customer, id).await.map_err(step_error)?,
            Wanted::Ended => drop(core.drivers.payments.cancel(id).await.map_err(step_error)?),
            Wanted::NothingOfOurs => return Ok(()),
        }
        if wanted(core, id).await?.0 == before {
            return Ok(());
        }
    }
}

async fn wanted(core: &Core, id: InstanceId) -> Result<(Wanted, domain::CustomerId), StepError> {
    let missing = || StepError::permanent(anyhow::anyhow!("the instance {id} is not in the store"));
    let instance = instances::store::find(&core.db, id).await?.ok_or_else(missing)?;
    let mut connection = core.db.read().acquire().await?;
    let kept = store::find(&mut connection, id).await?;
    let wanted = match instance.state {
        InstanceState::Active | InstanceState::Suspended if has_ended(kept.as_ref()) => Wanted::Ended,
        InstanceState::Active | InstanceState::Suspended => Wanted::Running,
        _ => Wanted::NothingOfOurs,
    };
    Ok((wanted, instance.customer))
}
