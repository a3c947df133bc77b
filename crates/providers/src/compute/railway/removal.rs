use domain::{InstanceId, ProjectName};
use jiff::SignedDuration;
use serde_json::json;

use super::answers::{Page, Project};
use super::generated::GENERATED;
use super::{LAG, Railway, operations};
use crate::resources::{Key, Resource};
use crate::{ProviderError, Removed};

impl Railway {
    /// Takes away domains, volume and project, if it bears this instance's mark.
    pub(super) async fn remove_project(
        &self,
        name: &ProjectName,
        instance: InstanceId,
    ) -> Result<Vec<Removed>, ProviderError> {
        let mut removed = Vec::new();
        let known = self.resources.of(instance).await?;
        if let Some(id) = self.project_to_remove(name, instance, &known).await? {
            if let Some(project) = self.project(&id).await? {
                if self.marked_here(project.description.as_deref()) != Some(instance) {
                    self.done(instance).await?;
                    return Ok(removed);
                }
                self.await_lost_volume(&project, &known)?;
                self.empty(&project, &known, &mut removed).await?;
            }
            // Also where it could not be read: a project that is new can't be read at once.
            if self.graph.find::<bool>(&operations::DELETE_PROJECT, json!({ "id": id })).await?.is_some() {
                removed.push(Removed::new("project", name.as_str()));
            }
        }
        self.done(instance).await?;
        Ok(removed)
    }

    async fn done(&self, instance: InstanceId) -> Result<(), ProviderError> {
        self.graph.leave_line(&instance.to_string()).await?;
        self.resources.forget_all(instance).await
    }

    /// As it is recorded, else as our mark finds it.
    async fn project_to_remove(
        &self,
        name: &ProjectName,
        instance: InstanceId,
        known: &[Resource],
    ) -> Result<Option<String>, ProviderError> {
        let key = Key { kind: "project", name: name.as_str().to_owned(), instance };
        let held = known.iter().find(|held| held.kind == key.kind);
        if let Some(made) = held.and_then(|held| held.made.as_ref()) {
            return Ok(Some(made.id.clone()));
        }
        let all = self.projects().await?;
        let is_ours = |held: &Project| self.marked_here(held.description.as_deref()) == Some(instance);
        if let Some(found) = all.into_iter().find(is_ours) {
            return Ok(Some(found.id));
        }
        self.may_appear(held, "project").map(|()| None)
    }

    /// A volume that is not listed yet would outlive its project.
    fn await_lost_volume(&self, project: &Project, known: &[Resource]) -> Result<(), ProviderError> {
        let volume = known.iter().find(|held| held.kind == "volume" && held.made.is_none());
        if volumes(project).next().is_some() { Ok(()) } else { self.may_appear(volume, "volume") }
    }

    fn may_appear(&self, thing: Option<&Resource>, kind: &str) -> Result<(), ProviderError> {
        let until = thing.and_then(|thing| thing.asked_at).map(|asked| asked + LAG);
        if until.is_some_and(|until| until > self.clock.now()) {
            let why = format!("Railway may have made the {kind} without an answer; it is looked for before it goes");
            return Err(ProviderError::not_yet(why, SignedDuration::from_secs(10)));
        }
        Ok(())
    }

    async fn empty(
        &self,
        project: &Project,
        known: &[Resource],
        removed: &mut Vec<Removed>,
    ) -> Result<(), ProviderError> {
        let environments = project.environments.iter().flat_map(Page::items);
        let services: Vec<&str> =
            project.services.iter().flat_map(Page::items).map(|service| service.id.as_str()).collect();
        for environment in environments {
            for service in &services {
                let domains = self.domains_of(&project.id, &environment.id, service).await?;
                for held in &domains.custom_domains {
                    removed.extend(self.delete_domain(held).await?);
                }
                for held in &domains.service_domains {
                    let id = json!({ "id": held.id });
                    if self.graph.find::<bool>(&operations::DELETE_GENERATED, id).await?.is_some() {
                        removed.push(Removed::new(GENERATED, &held.domain));
                    }
                }
            }
        }
        let mut all: Vec<String> = volumes(project).collect();
        // One that is new is not listed at once.
        let recorded = known.iter().filter(|held| held.kind == "volume").filter_map(|held| held.made.as_ref());
        all.extend(recorded.map(|made| made.id.clone()));
        all.sort();
        all.dedup();
        for volume in all {
            let id = json!({ "id": volume });
            if self.graph.find::<bool>(&operations::DELETE_VOLUME, id).await?.is_some() {
                removed.push(Removed::new("volume", volume));
            }
        }
        Ok(())
    }
}

fn volumes(project: &Project) -> impl Iterator<Item = String> {
    let environments = project.environments.iter().flat_map(Page::items);
    let volumes = environments.filter_map(|held| held.volume_instances.as_ref()).flat_map(Page::items);
    volumes.filter(|held| !held.is_pending_deletion).map(|held| held.volume_id.clone())
}
