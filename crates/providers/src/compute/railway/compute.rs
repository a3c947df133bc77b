use std::time::Duration;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use jiff::{SignedDuration, Timestamp};

use super::generated::GENERATED;
use super::{NAME, Railway, file, no_project};
use crate::backup::{Kept, Source, Target};
use crate::compute::{Archive, Compute, Door, GuardSettings, Observation, Origin, Release, Tempo};
use crate::costs::{Metered, Spend};
use crate::inventory::{Ceiling, Check, Item, Line};
use crate::{ProviderError, Removed, Routing};

/// To find the guard and have it back up, to set variables and image, to deploy, and to look at it until it runs, as it is
/// without faults.
const CALLS_OF_AN_UPDATE: i32 = 20;

#[async_trait]
impl Compute for Railway {
    fn name(&self) -> &'static str {
        NAME
    }

    fn moves(&self) -> Result<(), &'static str> {
        match self.settings.routing {
            Routing::Wildcard => Ok(()),
            Routing::Records => Err(
                "Where each hostname has records of its own, Railway lets it lead to one project only, and to take it to \
                 another one closes it for a quarter of an hour. Moves need [edge] routing = \"wildcard\".",
            ),
        }
    }

    fn files(&self) -> Vec<String> {
        vec![file(&self.settings.home)]
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

    async fn rest(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        let _turn = self.turn(project).await;
        self.put_to_rest(&self.expect_home(project).await?, release).await
    }

    async fn wake(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.wake_up(&self.expect_home(project).await?).await
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

    fn exports(&self) -> Result<(), &'static str> {
        Ok(())
    }

    async fn export(&self, project: &ProjectName, instance: InstanceId) -> Result<Archive, ProviderError> {
        self.fetch_export(&self.home_of(project, instance).await?).await
    }

    fn backs_up(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// A copy there could reach whatever its instance can, stands in the line for projects before customers, and costs.
    fn proves(&self) -> Result<(), &'static str> {
        Err(
            "None is restored for a test: at Railway a copy could not be closed off from the world. Each is read through \
             before it is put back.",
        )
    }

    async fn back_up(&self, project: &ProjectName, instance: InstanceId, to: &Target) -> Result<Kept, ProviderError> {
        self.fetch_backup(&self.home_of(project, instance).await?, to).await
    }

    async fn restore(&self, project: &ProjectName, instance: InstanceId, from: &Source) -> Result<(), ProviderError> {
        self.send_backup(&self.home_of(project, instance).await?, from).await
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
