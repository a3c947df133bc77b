use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::State;
use super::tokens::{Caller, TokenKind};
use super::{Plan, REGIONS};

impl State {
    /// Does or reads what a root field names, if the caller may.
    pub(super) fn perform(&mut self, caller: &Caller, field: &str, arguments: Value) -> Result<Value, Refusal> {
        self.authorise(caller, field, &arguments)?;
        match field {
            "apiToken" => Ok(json!({ "workspaces": [
                { "id": self.settings.workspace_id, "name": self.settings.workspace_name },
            ] })),
            "me" => {
                let workspace = self.settings.workspace_id.clone();
                let workspaces = [self.perform(caller, "workspace", json!({ "workspaceId": workspace }))?];
                Ok(json!({ "id": "user-1", "email": "owner@example.com", "name": "Owner", "workspaces": workspaces }))
            }
            "projectToken" => self.project_token(caller),
            "workspace" => self.workspace(text(&arguments, "workspaceId")),
            "regions" => Ok(regions()),
            _ => match self.read(field, &arguments) {
                Some(found) => found,
                None => self.mutate(field, arguments),
            },
        }
    }

    fn read(&mut self, field: &str, arguments: &Value) -> Option<Result<Value, Refusal>> {
        let id = text(arguments, "id");
        let [project, environment, service] = ["projectId", "environmentId", "serviceId"].map(|n| text(arguments, n));
        Some(match field {
            "projects" => with(arguments, |asked| self.project_list(&asked)),
            "project" => self.project(id),
            "projectsByIds" => with(&arguments["ids"], |ids: Vec<String>| Ok(self.projects_by_ids(&ids))),
            "environment" => self.environment(id),
            "service" => self.service(id),
            "serviceInstance" => self.service_instance(service, environment),
            "customDomain" => self.custom_domain(id, project),
            "customDomainAvailable" => Ok(self.custom_domain_available(text(arguments, "domain"))),
            "domains" => self.domains(project, environment, service),
            "deployment" => self.deployment(id),
            "deployments" => with(arguments, |asked| self.deployment_list(&asked)),
            "deploymentLogs" => with(arguments, |asked| self.deployment_logs(&asked)),
            "buildLogs" => with(arguments, |asked| self.build_logs(&asked)),
            "httpLogs" => with(arguments, |asked| self.http_logs(&asked)),
            "usage" => with(arguments, |asked| self.usage(&asked)),
            "estimatedUsage" => with(arguments, |asked| self.estimated_usage(&asked)),
            "workflowStatus" => Ok(self.workflow_status(text(arguments, "workflowId"))),
            "variables" => with(arguments, |scope| self.variables(&scope)),
            _ => return None,
        })
    }

    fn mutate(&mut self, field: &str, arguments: Value) -> Result<Value, Refusal> {
        let id = text(&arguments, "id");
        let input = &arguments["input"];
        match field {
            "projectCreate" => with(input, |input| self.project_create(input)),
            "projectUpdate" => with(input, |input| self.project_update(id, input)),
            "projectDelete" | "projectScheduleDeleteForce" => self.project_delete(id),
            "projectScheduleDelete" => self.project_schedule_delete(id),
            "projectScheduleDeleteCancel" => self.project_schedule_cancel(id),
            "environmentCreate" => with(input, |input| self.environment_create(input)),
            "serviceCreate" => with(input, |input| self.service_create(input)),
            "serviceDelete" => self.service_delete(id, arguments["environmentId"].as_str()),
            "serviceInstanceUpdate" => with(&arguments, |asked| self.instance_update(asked)),
            "serviceInstanceLimitsUpdate" => with(input, |asked| self.instance_limits(&asked)),
            "serviceInstanceDeployV2" => {
                self.deploy_now(text(&arguments, "serviceId"), text(&arguments, "environmentId"))
            }
            "variableCollectionUpsert" => with(input, |asked| self.variable_collection_upsert(asked)),
            "variableUpsert" => with(input, |asked| self.variable_upsert(asked)),
            "variableDelete" => with(input, |asked| self.variable_delete(&asked)),
            "volumeCreate" => with(input, |input| self.volume_create(input)),
            "volumeDelete" => self.volume_delete(text(&arguments, "volumeId")),
            "volumeInstanceUpdate" => with(&arguments, |asked| self.volume_instance_update(asked)),
            "volumeInstanceBackupCreate" => self.backup_create(text(&arguments, "volumeInstanceId")),
            "serviceDomainCreate" => with(input, |input| self.service_domain_create(input)),
            "serviceDomainDelete" => self.service_domain_delete(id),
            "customDomainCreate" => with(input, |input| self.custom_domain_create(input)),
            "customDomainDelete" => self.custom_domain_delete(id),
            "deploymentRedeploy" => self.redeploy(id),
            "deploymentRollback" => self.rollback(id),
            "deploymentStop" => self.stop(id),
            "deploymentRestart" => self.restart(id),
            "deploymentRemove" => self.remove(id, false),
            "deploymentCancel" => self.remove(id, true),
            _ => Err(Refusal::problem()),
        }
    }

    fn authorise(&self, caller: &Caller, field: &str, arguments: &Value) -> Result<(), Refusal> {
        let is_allowed = match caller {
            Caller::Nobody => false,
            Caller::Known(TokenKind::Account) => field != "projectToken",
            Caller::Known(TokenKind::Workspace) => !matches!(field, "me" | "projectToken"),
            Caller::Known(TokenKind::Project { project, .. }) => match field {
                "projectToken" | "regions" => true,
                "projectDelete" | "projectScheduleDelete" | "projectScheduleDeleteForce" => false,
                _ => self.is_inside(project, arguments),
            },
        };
        if is_allowed { Ok(()) } else { Err(Refusal::not_authorized()) }
    }

    /// Whether the call names something of this project and nothing of another.
    fn is_inside(&self, project: &str, arguments: &Value) -> bool {
        let owner = self.owner(project);
        let ids =
            ["input", ""].into_iter().flat_map(|part| {
                let object = if part.is_empty() { arguments } else { &arguments[part] };
                object.as_object().into_iter().flatten().filter_map(|(name, value)| {
                    (name == "id" || name.ends_with("Id")).then(|| value.as_str()).flatten()
                })
            });
        let owners: Vec<_> = ids.map(|id| self.owner(id)).collect();
        owner.is_some() && !owners.is_empty() && owners.iter().all(|held| *held == owner)
    }

    fn project_token(&self, caller: &Caller) -> Result<Value, Refusal> {
        match caller {
            Caller::Known(TokenKind::Project { project, environment }) => Ok(json!({
                "id": format!("token-of-{project}"),
                "name": "token",
                "projectId": project,
                "environmentId": environment,
                "createdAt": self.now,
            })),
            Caller::Known(_) | Caller::Nobody => Err(Refusal::internal("project token not found")),
        }
    }
}

impl Plan {
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Hobby => "HOBBY",
            Self::Pro | Self::Unlimited => "PRO",
        }
    }
}

fn regions() -> Value {
    let each = REGIONS.iter().map(
        |(name, country, location)| json!({ "name": name, "country": country, "location": location, "region": name }),
    );
    each.collect()
}

fn text<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments[name].as_str().unwrap_or_default()
}

/// The types were checked already; what still doesn't fit is refused as Railway does, without a reason.
fn with<T: DeserializeOwned>(
    arguments: &Value,
    work: impl FnOnce(T) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    work(T::deserialize(arguments).map_err(|_| Refusal::problem())?)
}
