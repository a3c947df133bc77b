use domain::InstanceId;

use super::{LAG, Railway};
use crate::ProviderError;
use crate::resources::Key;

impl Railway {
    /// What somebody deleted in the dashboard is recorded here as made, and would never be made again.
    ///
    /// Volumes stay recorded as long as their project exists: a second one would hide the data of the
    /// first.
    pub(super) async fn forget_what_is_gone(&self, instance: InstanceId) -> Result<(), ProviderError> {
        let known = self.resources.of(instance).await?;
        let made = |kind: &str| known.iter().find(|held| held.kind == kind && held.made.is_some());
        let Some(project) = made("project") else { return Ok(()) };
        if project.intended_at + LAG > self.clock.now() {
            let why = "the project is so new that Railway may not show it yet";
            return Err(ProviderError::not_yet(why, project.intended_at + LAG - self.clock.now()));
        }
        let Some(place) = &project.made else { return Ok(()) };
        if self.project(&place.id).await?.is_none() {
            return self.resources.forget_all(instance).await;
        }
        let Some(service) = made("service").and_then(|held| held.made.as_ref()) else { return Ok(()) };
        let environment = place.detail.as_deref().unwrap_or_default();
        let there = match self.domains_of(&place.id, environment, &service.id).await {
            Ok(domains) => domains,
            // Without its service nothing can be said of them.
            Err(ProviderError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        for held in known.iter().filter(|held| held.kind == "domain") {
            let is_there =
                |made: &crate::resources::Made| there.custom_domains.iter().any(|domain| domain.id == made.id);
            if held.made.as_ref().is_some_and(|made| !is_there(made)) {
                self.resources.forget(&Key { kind: "domain", name: held.name.clone(), instance }).await?;
            }
        }
        self.forget_gone_name(&known, &there.service_domains).await
    }
}
