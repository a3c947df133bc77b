//! Takes an address away that an instance moved from. The name stays the instance's, so that no link to
//! it ever leads to somebody else.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{InstanceId, Subdomain, WorkflowId};
use jiff::SignedDuration;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::Instance;
use crate::app::Core;
use crate::workflows::{self, Plan, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const KIND: &str = "retire-address.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// See the module.
pub(crate) struct RetireAddress(pub Arc<Core>);

/// Starts it in the transaction that moves the instance.
pub(super) async fn start(tx: &mut Tx, core: &Core, id: InstanceId, left: &Subdomain) -> Result<WorkflowId, Error> {
    let subject = id.to_string();
    workflows::begin(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject }, &(id, left)).await
}

#[async_trait]
impl Workflow for RetireAddress {
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
        let (id, left): (InstanceId, Subdomain) = run.input()?;
        let hostname = &core.hostname(&left);
        // The map first: what leads to a hostname that nobody serves could be taken over.
        run.step("remove address", || async {
            if retired(core, id, &left).await?.is_some() {
                core.drivers.edge.remove(hostname, id).await.map_err(step_error)?;
            }
            Ok(())
        })
        .await?;
        run.step("release hostname", || async {
            if let Some(instance) = retired(core, id, &left).await? {
                core.drivers.compute.release_hostname(&instance.project, hostname).await.map_err(step_error)?;
            }
            Ok(())
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// The instance, unless it is gone with all its addresses, or lives at this one again.
async fn retired(core: &Core, id: InstanceId, left: &Subdomain) -> Result<Option<Instance>, StepError> {
    let found = super::store::find(&core.db, id).await?;
    Ok(found.filter(|instance| {
        !instance.state.is_over() && instance.subdomain != *left && instance.next_subdomain.as_ref() != Some(left)
    }))
}
