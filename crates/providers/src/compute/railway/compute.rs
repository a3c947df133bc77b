use std::time::Duration;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use jiff::{SignedDuration, Timestamp};

use super::generated::GENERATED;
use super::{NAME, Railway, no_project};
use crate::backup::{Kept, Source, Target};
use crate::compute::{Archive, Compute, Door, GuardSettings, Observation, Origin, Release, Tempo};
use crate::costs::{Metered, Spend};
use crate::inventory::{Ceiling, Check, Item, Line};
use crate::{ProviderError, Removed, Routing};

/// To set variables and image, to deploy, and to look at it until it runs, as it is without faults.
const CALLS_OF_AN_UPDATE: i32 = 12;

#[async_trait]
impl Compute for Railway {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn create_project(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        let _turn = self.turn(project).await;
        self.make_project(project, instance).await
    }

    async fn configure(&self, project: &ProjectName, settings: &GuardSettings) -> Result<(), ProviderError> {
        let _turn = self.turn(project).await;
        self.set_up(&self.expect_home(project).await?, settings).await
    }

    async fn deploy(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        let _turn = self.turn(project).await;
        self.run(&self.expect_home(project).await?, release).await
    }

    async fn register_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Origin, ProviderError> {
        let _turn = self.turn(project).await;
        self.add_hostname(&self.expect_home(project).await?, hostname).await
    }

    async fn hostname_ready(&self, project: &ProjectName, hostname: &str) -> Result<(), ProviderError> {
        self.see_hostname(&self.expect_home(project).await?, hostname).await
    }

    async fn release_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Vec<Removed>, ProviderError> {
        let _turn = self.turn(project).await;
        match self.home(project).await? {
            Some(home) => self.remove_hostname(&home, hostname).await,
            None => Ok(Vec::new()),
        }
    }

    async fn door(&self, project: &ProjectName, hostname: &str) -> Result<Option<Door>, ProviderError> {
        match self.home(project).await? {
            Some(home) => self.way_to(&home, hostname).await,
            None => Ok(None),
        }
    }

    /// Nothing to do: the guard refuses everybody by then, and a service that nobody uses sleeps.
    async fn suspend(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.expect_home(project).await.map(|_| ())
    }

    /// Nothing to do: the next visitor wakes it.
    async fn resume(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.expect_home(project).await.map(|_| ())
    }

    async fn observe(&self, project: &ProjectName) -> Result<Option<Observation>, ProviderError> {
        match self.home(project).await? {
            Some(home) => self.look_at(&home).await,
            None => Ok(None),
        }
    }

    async fn observe_all(&self, projects: &[ProjectName]) -> Result<Vec<(ProjectName, Observation)>, ProviderError> {
        self.look_at_all(projects).await
    }

    fn observe_every(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn puts_to_sleep(&self) -> bool {
        true
    }

    fn patience(&self) -> SignedDuration {
        // Verification of a hostname alone was seen to take a quarter of an hour. Time in line comes
        // on top, and is the workflow's to know.
        SignedDuration::from_mins(45)
    }

    fn tempo(&self) -> Tempo {
        Tempo {
            update: SignedDuration::from_secs(90),
            between: self.settings.rate.between() * CALLS_OF_AN_UPDATE,
            patience: SignedDuration::from_mins(15),
        }
    }

    async fn logs(&self, project: &ProjectName, lines: usize) -> Result<String, ProviderError> {
        let home = self.expect_home(project).await?;
        match self.instance(&home).await {
            Ok(instance) => match instance.latest_deployment {
                Some(latest) => self.lines_of(&latest.id, lines).await,
                None => Ok(String::new()),
            },
            Err(ProviderError::NotFound { .. }) => Err(no_project(project)),
            Err(error) => Err(error),
        }
    }

    /// Railway's API does not read volumes.
    fn exports(&self) -> Result<(), &'static str> {
        Err("A download of everything at once is not offered here yet. What you need can be opened and copied in the \
             workspace itself while it runs; for more, write to us.")
    }

    async fn export(&self, project: &ProjectName, _: InstanceId) -> Result<Archive, ProviderError> {
        let why = "Railway's API does not read volumes";
        Err(ProviderError::refused(format!("export {project}"), why, "copy what is needed in the workspace itself"))
    }

    /// What Railway keeps of a volume by itself never leaves it, and is gone with the volume.
    fn backs_up(&self) -> Result<(), &'static str> {
        Err(
            "Railway's API does not read volumes, so that nothing of them can be kept elsewhere. Set a schedule of backups \
             for the volumes at railway.com.",
        )
    }

    async fn back_up(&self, project: &ProjectName, _: InstanceId, _: &Target) -> Result<Kept, ProviderError> {
        let why = "Railway's API does not read volumes";
        Err(ProviderError::refused(format!("back up {project}"), why, "set a schedule of backups at railway.com"))
    }

    async fn restore(&self, project: &ProjectName, _: InstanceId, _: &Source) -> Result<(), ProviderError> {
        let why = "Railway's API does not write volumes";
        Err(ProviderError::refused(format!("restore {project}"), why, "restore the volume at railway.com"))
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        self.items().await
    }

    fn kinds(&self) -> &'static [&'static str] {
        match self.settings.routing {
            Routing::Records => &["project", "domain"],
            Routing::Wildcard => &["project", GENERATED],
        }
    }

    async fn line(&self) -> Result<Option<Line>, ProviderError> {
        self.graph.line().await.map(Some)
    }

    fn meters(&self) -> bool {
        true
    }

    async fn used(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Metered>, ProviderError> {
        self.metered(from, until).await
    }

    async fn spend(&self) -> Result<Option<Spend>, ProviderError> {
        self.spent().await.map(Some)
    }

    async fn forget_gone(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        let _turn = self.turn(project).await;
        self.forget_what_is_gone(instance).await
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        self.limits().await
    }

    async fn check(&self) -> Vec<Check> {
        self.examine().await
    }

    async fn delete_project(&self, project: &ProjectName, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let _turn = self.turn(project).await;
        self.remove_project(project, instance).await
    }

    /// Nothing here outlives this process that should not.
    async fn shutdown(&self) {}
}
