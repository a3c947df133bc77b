//! Where an instance lives at the providers, and how that is made and taken away: for a customer who
//! ordered it, or ahead of anybody.

use domain::{InstanceId, ProjectName, Subdomain};
use providers::compute::{GuardSettings, Origin};
use workflow::{Run, StepError, Stop};

use super::probe;
use crate::app::Core;
use crate::releases;
use crate::rollouts::update;
use crate::workflows::step_error;

/// What providers know an instance by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub id: InstanceId,
    pub subdomain: Subdomain,
    pub project: ProjectName,
}

/// How a place is before it is first deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The application begins empty.
    Empty,
    /// It begins with what was put in, and rests until it is woken.
    AtRest,
}

/// Makes all of it, until it answers at its hostname and refuses strangers. `fill` puts in what the application finds when
/// it first starts; `cover` lets people in as soon as the edge knows the hostname.
pub(crate) async fn make(
    run: &Run,
    core: &Core,
    place: &Place,
    fill: impl Future<Output = Result<Filled, Stop>>,
    cover: impl Future<Output = Result<(), Stop>>,
) -> Result<(), Stop> {
    let (compute, edge) = (&core.drivers.compute, &core.drivers.edge);
    let (project, hostname) = (&place.project, &core.hostname(&place.subdomain));
    run.step("create project", || async { compute.create_project(project, place.id).await.map_err(step_error) })
        .await?;
    // Hostnames can take minutes to be verified, so they are seen to beside the deploy.
    let deployed = async {
        run.step("configure", || configure(core, place)).await?;
        let filled = fill.await?;
        run.step("deploy", || async {
            deploy(core, place).await?;
            match filled {
                Filled::Empty => Ok(()),
                Filled::AtRest => compute.wake(project).await.map_err(step_error),
            }
        })
        .await
    };
    let addressed = async {
        let origin: Origin = run
            .step("register hostname", || async {
                compute.register_hostname(project, hostname).await.map_err(step_error)
            })
            .await?;
        run.step("publish address", || async { edge.publish(hostname, place.id, &origin).await.map_err(step_error) })
            .await?;
        cover.await
    };
    workflow::both(deployed, addressed).await?;
    run.step("wait until healthy", || async {
        compute.hostname_ready(project, hostname).await.map_err(step_error)?;
        probe::wait_until_healthy(core, place).await?;
        probe::note_observation(core, place).await
    })
    .await?;
    run.step("refuse strangers", || probe::refuses_strangers(core, place)).await
}

/// Takes back what [`make`] made in this run.
pub(crate) async fn unmake(run: &Run, core: &Core, place: &Place) -> Result<(), Stop> {
    let hostname = &core.hostname(&place.subdomain);
    run.undo("publish address", || async { core.drivers.edge.remove(hostname, place.id).await.map_err(step_error) })
        .await?;
    run.undo("create project", || async {
        core.drivers.compute.delete_project(&place.project, place.id).await.map_err(step_error)
    })
    .await?;
    Ok(())
}

/// Tells the guard of an instance at this place what it has to know.
pub(crate) async fn configure(core: &Core, place: &Place) -> Result<(), StepError> {
    update::not_while_updating(core, place.id).await?;
    let settings = settings(core, place).await?;
    core.drivers.compute.configure(&place.project, &settings).await.map_err(step_error)
}

/// What that is.
pub(crate) async fn settings(core: &Core, place: &Place) -> Result<GuardSettings, StepError> {
    let main_key = core.members_key.public().map_err(StepError::permanent)?;
    Ok(GuardSettings {
        instance: place.id,
        public_url: core.instance_url(&place.subdomain),
        issuer: core.drivers.edge.issuer(),
        audiences: core.drivers.edge.audiences(place.id).await.map_err(step_error)?,
        main_url: core.settings.public_url.clone(),
        main_key: main_key.to_string(),
        instance_token: core.instance_token(place.id),
        closed_off: false,
    })
}

/// Runs what is configured, in the release that the instance is at.
pub(crate) async fn deploy(core: &Core, place: &Place) -> Result<(), StepError> {
    let release = releases::to_run(core, place.id).await?;
    core.drivers.compute.deploy(&place.project, &release.made.artifact).await.map_err(step_error)
}
