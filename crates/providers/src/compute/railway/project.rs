use domain::{InstanceId, ProjectName};
use jiff::SignedDuration;
use serde_json::json;

use super::answers::{Page, Project, WithId};
use super::service::being_prepared;
use super::{LAG, Mark, Railway, operations};
use crate::ProviderError;
use crate::resources::{Key, Made};

/// Each project has one environment.
const ENVIRONMENT: &str = "production";
/// Each project has one service.
const SERVICE: &str = "app";

impl Railway {
    /// Makes project, environment and service, or finds them.
    pub(super) async fn make_project(&self, name: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        let key = Key { kind: "project", name: name.as_str().to_owned(), instance };
        let who = instance.to_string();
        let known = self.resources.find(&key).await?;
        let was_asked = known.is_some_and(|known| known.made.is_some() || known.asked_at.is_some());
        if !was_asked {
            // Before anything is asked of Railway: a thousand who wait must not use up its limits.
            self.graph.line_up(&who).await?;
        }
        let made = self
            .resources
            .ensure(
                &key,
                LAG,
                async || self.find_project(name, instance).await,
                async || {
                    if was_asked {
                        self.graph.line_up(&who).await?;
                    }
                    self.ask_for_project(name, instance).await
                },
            )
            .await;
        let made = match made {
            Ok(made) => made,
            Err(error @ ProviderError::Lost { .. }) => return Err(error),
            // Nothing was made, so that Railway would make another at once.
            Err(error) => {
                self.graph.give_turn_back(&who).await?;
                return Err(error);
            }
        };
        self.graph.leave_line(&who).await?;
        self.make_service(instance, &made).await
    }

    async fn make_service(&self, instance: InstanceId, project: &Made) -> Result<(), ProviderError> {
        let key = Key { kind: "service", name: SERVICE.into(), instance };
        let look = async || {
            let services = self.project(&project.id).await?.and_then(|project| project.services);
            let found = services.and_then(|page| page.into_items().find(|service| service.name == SERVICE));
            Ok(found.map(|service| Made::plain(service.id)))
        };
        let make = async || {
            let input = json!({ "projectId": project.id, "environmentId": project.detail, "name": SERVICE });
            let made: Option<WithId> = self.graph.find(&operations::CREATE_SERVICE, json!({ "input": input })).await?;
            made.map(|made| Made::plain(made.id)).ok_or_else(being_prepared)
        };
        self.resources.ensure(&key, LAG, look, make).await.map(|_| ())
    }

    async fn ask_for_project(&self, name: &ProjectName, instance: InstanceId) -> Result<Made, ProviderError> {
        let input = json!({
            "name": name.as_str(),
            "description": self.mark(instance).written(),
            "workspaceId": self.settings.workspace_id,
            "defaultEnvironmentName": ENVIRONMENT,
            "isPublic": false,
            "prDeploys": false,
        });
        let made: Project = self.graph.ask(&operations::CREATE_PROJECT, json!({ "input": input })).await?;
        let environment = made.primary_environment_id.ok_or_else(|| ProviderError::Lost {
            what: "projectCreate".into(),
            why: "a project without an environment".into(),
        })?;
        Ok(Made { id: made.id, detail: Some(environment) })
    }

    /// By our mark, which is set together with the name.
    async fn find_project(&self, name: &ProjectName, instance: InstanceId) -> Result<Option<Made>, ProviderError> {
        let all = self.projects().await?;
        let is_ours = |held: &&Project| self.marked_here(held.description.as_deref()) == Some(instance);
        let found = match all.iter().find(is_ours) {
            Some(ours) => ours,
            None => match all.iter().find(|held| held.name == name.as_str()) {
                Some(other) => return self.refuse_other(other).await,
                None => return Ok(None),
            },
        };
        let Some(project) = self.project(&found.id).await? else {
            let why = "your place is being cleared of what was there before";
            return Err(ProviderError::not_yet(why, SignedDuration::from_secs(10)));
        };
        let mut environments = project.environments.into_iter().flat_map(Page::into_items);
        let named = environments.find(|environment| environment.name == ENVIRONMENT);
        let environment = project.primary_environment_id.or(named.map(|environment| environment.id));
        match environment {
            Some(_) => Ok(Some(Made { id: project.id, detail: environment })),
            None => Err(ProviderError::refused(
                format!("use the Railway project {name}"),
                format!("it has no environment {ENVIRONMENT}"),
                "delete the project at Railway and try again",
            )),
        }
    }

    /// A project that was deleted stays in the list for a while; one that is there is not ours to take.
    async fn refuse_other(&self, other: &Project) -> Result<Option<Made>, ProviderError> {
        if self.project(&other.id).await?.is_none() {
            return Ok(None);
        }
        let owner = match Mark::read(other.description.as_deref()) {
            Some(mark) => format!("it belongs to {}", mark.instance),
            None => "it does not bear our mark".to_owned(),
        };
        let next = "delete or rename that project at Railway";
        Err(ProviderError::refused(format!("make the Railway project {}", other.name), owner, next))
    }

    /// One project with what is in it, or `None` when it is gone, or can't be seen yet.
    pub(super) async fn project(&self, id: &str) -> Result<Option<Project>, ProviderError> {
        let found: Option<Project> = self.graph.find(&operations::PROJECT, json!({ "id": id })).await?;
        Ok(found.filter(|project| project.deleted_at.is_none()))
    }

    /// All projects of the workspace.
    pub(super) async fn projects(&self) -> Result<Vec<Project>, ProviderError> {
        self.pages(&operations::PROJECTS).await
    }

    /// All projects of the workspace with what runs in them and the hostnames of it.
    pub(super) async fn projects_with_domains(&self) -> Result<Vec<Project>, ProviderError> {
        self.pages(&operations::INVENTORY).await
    }

    /// All projects of the workspace with what runs in them.
    pub(super) async fn projects_in_detail(&self) -> Result<Vec<Project>, ProviderError> {
        self.pages(&operations::PROJECTS_IN_DETAIL).await
    }

    /// All pages of a list of projects. Those that are said to be deleted are left out.
    pub(super) async fn pages(&self, operation: &operations::Operation) -> Result<Vec<Project>, ProviderError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let variables = json!({ "workspace": self.settings.workspace_id, "after": after });
            let page: Page<Project> = self.graph.ask(operation, variables).await?;
            after = page.next();
            all.extend(page.into_items().filter(|project| project.deleted_at.is_none()));
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}
