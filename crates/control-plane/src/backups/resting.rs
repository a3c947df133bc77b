//! An instance's application rests for a moment, so that what is backed up is whole, or replaced under nobody.
//!
//! That is not a suspension: nobody wants the instance closed, nobody is told, and whoever comes by in that moment waits.

use domain::{InstanceId, InstanceState};
use workflow::StepError;

use crate::app::Core;
use crate::instances::{self, Instance};
use crate::releases::{self, Release};
use crate::workflows::step_error;

/// Does something while the application rests. Whatever comes of it, the application runs again afterwards, if it is to
/// run: a customer's work does not wait for our next try.
pub(crate) async fn while_it_rests<T>(
    core: &Core,
    instance: &Instance,
    work: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    rest(core, instance, &releases::to_run(core, instance.id).await?).await?;
    let outcome = work.await;
    wake(core, instance.id).await?;
    outcome
}

/// Stops it, so that its data is whole and stays as it is. `release` is what its data can be reached with, should nothing
/// run.
pub(crate) async fn rest(core: &Core, instance: &Instance, release: &Release) -> Result<(), StepError> {
    core.drivers.compute.rest(&instance.project, &release.made.artifact).await.map_err(step_error)
}

/// Lets it run, unless it is closed by now.
pub(crate) async fn wake(core: &Core, id: InstanceId) -> Result<(), StepError> {
    let Some(instance) = is_to_run(core, id).await? else { return Ok(()) };
    core.drivers.compute.wake(&instance.project).await.map_err(step_error)?;
    // Whoever closed it meanwhile may have put it to rest before it was woken.
    if let Some(found) =
        instances::store::find(&core.db, id).await?.filter(|found| found.state != InstanceState::Active)
    {
        core.drivers.compute.suspend(&found.project).await.map_err(step_error)?;
    }
    Ok(())
}

/// The instance, if its members are to reach it now.
pub(super) async fn is_to_run(core: &Core, id: InstanceId) -> Result<Option<Instance>, StepError> {
    let found = instances::store::find(&core.db, id).await?;
    Ok(found.filter(|instance| instance.state == InstanceState::Active))
}
