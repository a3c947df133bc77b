use std::collections::HashMap;

use domain::ProjectName;

use super::answers::{Deployment, Instance, Page, Status};
use super::deployment::Versions;
use super::service::SERVICE_GONE;
use super::{Home, Railway};
use crate::ProviderError;
use crate::compute::{Health, Observation};

/// So many that the list does not show are asked for one by one.
const MOST_SINGLE: usize = 20;

impl Railway {
    pub(super) async fn look_at(&self, home: &Home) -> Result<Option<Observation>, ProviderError> {
        match self.instance(home).await {
            Ok(instance) => Ok(Some(self.observation(&instance, &self.versions_of(home).await?))),
            Err(error @ ProviderError::NotFound { .. }) => match self.explain(home, error).await {
                ProviderError::NotFound { .. } => Ok(None),
                ProviderError::NotYet { why, .. } => Ok(Some(self.seen(Health::Starting, None, Some(why)))),
                ProviderError::Refused { why, .. } if why == SERVICE_GONE => {
                    Ok(Some(self.seen(Health::Down, None, Some(why))))
                }
                error => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The whole workspace in few requests. What its list does not show yet is asked for by itself.
    pub(super) async fn look_at_all(
        &self,
        wanted: &[ProjectName],
    ) -> Result<Vec<(ProjectName, Observation)>, ProviderError> {
        let versions = self.versions().await?;
        let mut held = HashMap::new();
        for project in self.projects_in_detail().await? {
            let environments = project.environments.into_iter().flat_map(Page::into_items);
            let mut instances = environments.filter_map(|held| held.service_instances).flat_map(Page::into_items);
            if let Some(instance) = instances.find(|instance| instance.service_name == "app") {
                held.insert(instance.service_id.clone(), instance);
            }
        }
        let (mut seen, mut singly) = (Vec::new(), 0);
        for name in wanted {
            let Some(home) = self.home(name).await? else { continue };
            if let Some(instance) = held.get(&home.service) {
                seen.push((name.clone(), self.observation(instance, &versions)));
            } else if singly < MOST_SINGLE {
                singly += 1;
                match self.look_at(&home).await {
                    Ok(observation) => seen.extend(observation.map(|observation| (name.clone(), observation))),
                    Err(error) => tracing::warn!("{name} could not be observed at Railway: {error}"),
                }
            }
        }
        Ok(seen)
    }

    fn observation(&self, instance: &Instance, versions: &Versions) -> Observation {
        let running = instance.active_deployments.iter().find(|held| is_up(held));
        let (shown, detail) = match (&instance.latest_deployment, running) {
            (Some(latest), Some(running)) if latest.id != running.id => {
                let detail = (latest.status == Status::Failed).then_some("the latest deployment failed");
                (Some(running), detail)
            }
            (latest, _) => (latest.as_ref(), None),
        };
        let Some(shown) = shown else {
            return self.seen(Health::Starting, None, Some("nothing was deployed yet".into()));
        };
        let version = versions.get(&shown.id).cloned().or_else(|| shown.image().map(str::to_owned));
        let (health, why) = match shown.status {
            _ if shown.deployment_stopped => (Health::Down, Some("it was stopped at Railway")),
            Status::Success => (Health::Ok, None),
            Status::Sleeping => (Health::Asleep, None),
            Status::Pending => (Health::Starting, None),
            Status::Failed => (Health::Down, Some("its health check never passed")),
            Status::Crashed => (Health::Down, Some("it ended by itself")),
            Status::Removing | Status::Removed | Status::Skipped => (Health::Down, Some("nothing runs at Railway")),
            Status::NeedsApproval => (Health::Down, Some("Railway wants a person to approve it")),
        };
        self.seen(health, version, why.or(detail).map(str::to_owned))
    }

    fn seen(&self, health: Health, version: Option<String>, detail: Option<String>) -> Observation {
        // Railway tells neither restarts nor memory of this moment.
        Observation { health, at: self.clock.now(), version, restarts: 0, memory_bytes: None, detail }
    }
}

pub(super) fn is_up(held: &Deployment) -> bool {
    matches!(held.status, Status::Success | Status::Sleeping) && !held.deployment_stopped
}
