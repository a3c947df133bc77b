//! What concerns one project goes to its home; what concerns all of them is put together.

use std::time::Duration;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::Homes;
use crate::backup::{Kept, Source, Target};
use crate::compute::{Archive, Compute, Door, GuardSettings, Observation, Origin, Release, Tempo};
use crate::costs::{Metered, Spend};
use crate::inventory::{Ceiling, Check, Item, Line};
use crate::{ProviderError, Removed};

#[async_trait]
impl Compute for Homes {
    fn name(&self) -> &'static str {
        self.default.compute.name()
    }

    fn homes(&self) -> Option<&Homes> {
        Some(self)
    }

    fn moves(&self) -> Result<(), &'static str> {
        self.all().try_for_each(|home| home.compute.moves())
    }

    async fn create_project(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        self.of(project)?.create_project(project, instance).await
    }

    async fn configure(&self, project: &ProjectName, settings: &GuardSettings) -> Result<(), ProviderError> {
        self.of(project)?.configure(project, settings).await
    }

    async fn deploy(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        self.of(project)?.deploy(project, release).await
    }

    async fn register_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Origin, ProviderError> {
        self.of(project)?.register_hostname(project, hostname).await
    }

    async fn hostname_ready(&self, project: &ProjectName, hostname: &str) -> Result<(), ProviderError> {
        self.of(project)?.hostname_ready(project, hostname).await
    }

    async fn release_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Vec<Removed>, ProviderError> {
        self.of(project)?.release_hostname(project, hostname).await
    }

    async fn door(&self, project: &ProjectName, hostname: &str) -> Result<Option<Door>, ProviderError> {
        self.of(project)?.door(project, hostname).await
    }

    async fn suspend(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.of(project)?.suspend(project).await
    }

    async fn resume(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.of(project)?.resume(project).await
    }

    async fn rest(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        self.of(project)?.rest(project, release).await
    }

    async fn wake(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.of(project)?.wake(project).await
    }

    async fn observe(&self, project: &ProjectName) -> Result<Option<Observation>, ProviderError> {
        self.of(project)?.observe(project).await
    }

    async fn observe_all(&self, projects: &[ProjectName]) -> Result<Vec<(ProjectName, Observation)>, ProviderError> {
        let looks = self.all().map(|home| async move {
            let there: Vec<_> = projects.iter().filter(|project| project.home() == home.name).cloned().collect();
            (home, if there.is_empty() { Ok(Vec::new()) } else { home.compute.observe_all(&there).await })
        });
        let (mut seen, mut failure) = (Vec::new(), None);
        for (home, look) in join_all(looks).await {
            match look {
                Ok(found) => seen.extend(found),
                Err(error) => {
                    tracing::warn!("What lives in the home {} can't be observed: {error}", home.name);
                    failure = Some(error);
                }
            }
        }
        // What another home shows is worth knowing all the same.
        match failure {
            Some(error) if seen.is_empty() => Err(error),
            _ => Ok(seen),
        }
    }

    fn observe_every(&self) -> Duration {
        self.all().map(|home| home.compute.observe_every()).max().unwrap_or_default()
    }

    fn puts_to_sleep(&self) -> bool {
        self.all().any(|home| home.compute.puts_to_sleep())
    }

    fn patience(&self) -> SignedDuration {
        self.all().map(|home| home.compute.patience()).max().unwrap_or_default()
    }

    fn tempo(&self) -> Tempo {
        let slower = |one: Tempo, other: Tempo| Tempo {
            update: one.update.max(other.update),
            between: one.between.max(other.between),
            patience: one.patience.max(other.patience),
        };
        self.others.iter().map(|home| home.compute.tempo()).fold(self.default.compute.tempo(), slower)
    }

    async fn logs(&self, project: &ProjectName, lines: usize) -> Result<String, ProviderError> {
        self.of(project)?.logs(project, lines).await
    }

    fn exports(&self) -> Result<(), &'static str> {
        self.all().try_for_each(|home| home.compute.exports())
    }

    async fn export(&self, project: &ProjectName, instance: InstanceId) -> Result<Archive, ProviderError> {
        self.of(project)?.export(project, instance).await
    }

    fn backs_up(&self) -> Result<(), &'static str> {
        self.all().try_for_each(|home| home.compute.backs_up())
    }

    /// What is made for a test lives in the default home, as everything that is new.
    fn proves(&self) -> Result<(), &'static str> {
        self.default.compute.proves()
    }

    async fn back_up(&self, project: &ProjectName, instance: InstanceId, to: &Target) -> Result<Kept, ProviderError> {
        self.of(project)?.back_up(project, instance, to).await
    }

    async fn restore(&self, project: &ProjectName, instance: InstanceId, from: &Source) -> Result<(), ProviderError> {
        self.of(project)?.restore(project, instance, from).await
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        let mut items = Vec::new();
        for home in self.all() {
            items.extend(home.compute.inventory().await?);
        }
        Ok(items)
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        let mut ceilings = Vec::new();
        for account in self.accounts() {
            ceilings.extend(account.ceilings().await?);
        }
        Ok(ceilings)
    }

    fn kinds(&self) -> &[&'static str] {
        &self.kinds
    }

    fn files(&self) -> Vec<String> {
        self.all().flat_map(|home| home.compute.files()).collect()
    }

    fn most_at_once(&self) -> Option<u32> {
        self.default.compute.most_at_once()
    }

    async fn line(&self) -> Result<Option<Line>, ProviderError> {
        self.default.compute.line().await
    }

    fn meters(&self) -> bool {
        self.all().any(|home| home.compute.meters())
    }

    async fn used(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Metered>, ProviderError> {
        let mut used = Vec::new();
        for account in self.accounts() {
            used.extend(account.used(from, until).await?);
        }
        Ok(used)
    }

    async fn spend(&self) -> Result<Option<Spend>, ProviderError> {
        for account in self.accounts() {
            if let Some(spend) = account.spend().await? {
                return Ok(Some(spend));
            }
        }
        Ok(None)
    }

    async fn forget_gone(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        self.of(project)?.forget_gone(project, instance).await
    }

    async fn check(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for account in self.accounts() {
            checks.extend(account.check().await);
        }
        checks
    }

    async fn delete_project(&self, project: &ProjectName, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        self.of(project)?.delete_project(project, instance).await
    }

    async fn shutdown(&self) {
        join_all(self.all().map(|home| home.compute.shutdown())).await;
    }
}
