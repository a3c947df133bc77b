use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Kind;
use super::page::{Wanted, page};
use super::refusal::Refusal;
use super::state::{End, Environment, Project, State};

/// Longer names are refused.
const LONGEST_NAME: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectCreate {
    name: Option<String>,
    description: Option<String>,
    workspace_id: Option<String>,
    default_environment_name: Option<String>,
    #[serde(default)]
    is_public: Option<bool>,
    #[serde(default)]
    pr_deploys: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct ProjectUpdate {
    name: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentCreate {
    project_id: String,
    name: String,
    ephemeral: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectList {
    workspace_id: Option<String>,
    #[serde(default)]
    include_deleted: Option<bool>,
    order_by: Option<Order>,
    #[serde(flatten)]
    wanted: Wanted,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Order {
    CreatedAtDesc,
    NameAsc,
    UpdatedAtDesc,
}

impl State {
    pub(super) fn project_create(&mut self, input: ProjectCreate) -> Result<Value, Refusal> {
        self.own_workspace(input.workspace_id.as_deref())?;
        let place = self.projects.len();
        let name = input.name.unwrap_or_else(|| format!("project-{}", place + 1));
        check_name(&name)?;
        if self.is_too_soon(Kind::Project, self.settings.project_throttle) {
            return Err(Refusal::internal(
                "That was too quickly after the last project. Only one project can be made every 30s.",
            ));
        }
        let (id, environment) = (self.id(place), self.id(place));
        let now = self.now;
        self.projects.push(Project {
            id,
            name: name.clone(),
            description: input.description,
            is_public: input.is_public.unwrap_or(false),
            pr_deploys: input.pr_deploys.unwrap_or(false),
            created: now,
            updated: now,
            end: End::Open,
            environments: vec![Environment {
                id: environment,
                name: input.default_environment_name.unwrap_or_else(|| "production".into()),
                is_ephemeral: false,
                created: now,
            }],
            services: Vec::new(),
            instances: Vec::new(),
            variables: BTreeMap::new(),
            volumes: Vec::new(),
            volume_instances: Vec::new(),
            custom_domains: Vec::new(),
            service_domains: Vec::new(),
            deployments: Vec::new(),
        });
        self.note_made(Kind::Project, &name);
        Ok(self.project_view(self.at(place)))
    }

    pub(super) fn project_update(&mut self, id: &str, input: ProjectUpdate) -> Result<Value, Refusal> {
        let (place, now) = (self.project_place(id)?, self.now);
        if let Some(name) = &input.name {
            check_name(name)?;
        }
        let project = self.at_mut(place);
        project.name = input.name.unwrap_or_else(|| project.name.clone());
        project.description = input.description.or_else(|| project.description.take());
        project.updated = now;
        Ok(self.project_view(self.at(place)))
    }

    pub(super) fn project_delete(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, now) = (self.project_place(id)?, self.now);
        self.at_mut(place).end = End::Done(now);
        Ok(true.into())
    }

    pub(super) fn project_schedule_delete(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, now, grace) = (self.project_place(id)?, self.now, self.settings.grace);
        let project = self.at_mut(place);
        if project.end == End::Open {
            project.end = End::Scheduled(now, now + grace);
        }
        Ok(true.into())
    }

    pub(super) fn project_schedule_cancel(&mut self, id: &str) -> Result<Value, Refusal> {
        let place = self.project_place(id)?;
        self.at_mut(place).end = End::Open;
        Ok(true.into())
    }

    pub(super) fn environment_create(&mut self, input: EnvironmentCreate) -> Result<Value, Refusal> {
        let place = self.project_place(&input.project_id)?;
        if self.is_too_soon(Kind::Environment, self.settings.project_throttle) {
            return Err(Refusal::internal(
                "That was too quickly after the last environment. Only one can be made every 30s.",
            ));
        }
        if self.at(place).environments.iter().any(|held| held.name == input.name) {
            return Err(Refusal::internal("The project has an environment with that name"));
        }
        let id = self.id(place);
        let made =
            Environment { id, name: input.name, is_ephemeral: input.ephemeral.unwrap_or(false), created: self.now };
        let view = environment_view(self.at(place), &made);
        let project = self.at_mut(place);
        project.environments.push(made);
        let name = project.name.clone();
        self.note_made(Kind::Environment, &name);
        Ok(view)
    }

    pub(super) fn project(&self, id: &str) -> Result<Value, Refusal> {
        let project = self.at(self.project_place(id)?);
        if self.now.duration_since(project.created) < self.settings.read_lag {
            return Err(Refusal::not_found("Project"));
        }
        Ok(self.project_view(project))
    }

    /// Those of the asked ids that there are; the others are left out without a word.
    pub(super) fn projects_by_ids(&self, ids: &[String]) -> Value {
        ids.iter().filter_map(|id| self.project(id).ok()).collect()
    }

    pub(super) fn environment(&self, id: &str) -> Result<Value, Refusal> {
        let project = self.at(self.place(id, "Environment")?);
        Ok(environment_view(project, project.environment(id)?))
    }

    /// The list as it was a while ago: new projects aren't in it yet, deleted ones still are.
    pub(super) fn project_list(&self, asked: &ProjectList) -> Result<Value, Refusal> {
        self.own_workspace(asked.workspace_id.as_deref())?;
        let mut projects: Vec<&Project> = self.projects.iter().collect();
        match asked.order_by {
            None | Some(Order::CreatedAtDesc) => projects.reverse(),
            Some(Order::NameAsc) => projects.sort_by(|one, other| one.name.cmp(&other.name)),
            Some(Order::UpdatedAtDesc) => projects.sort_by_key(|project| Reverse(project.updated)),
        }
        let lag = self.settings.list_lag;
        let is_shown = |project: &&Project| {
            let is_young = self.now.duration_since(project.created) < lag;
            let is_gone = project.end.gone(self.now).is_some_and(|gone| self.now.duration_since(gone) >= lag);
            !is_young && (!is_gone || asked.include_deleted.unwrap_or(false))
        };
        page(&projects, &asked.wanted, |project| &project.id, is_shown, |project| self.project_view(project))
    }

    /// How many there are, without a lag.
    pub(super) fn project_count(&self, include_deleted: bool) -> usize {
        self.projects.iter().filter(|project| include_deleted || project.end.gone(self.now).is_none()).count()
    }

    pub(super) fn own_workspace(&self, id: Option<&str>) -> Result<(), Refusal> {
        match id {
            Some(id) if id != self.settings.workspace_id => Err(Refusal::not_authorized()),
            _ => Ok(()),
        }
    }

    /// Without its lists, which [`State::nested`] makes.
    pub(super) fn project_view(&self, project: &Project) -> Value {
        let lag = self.settings.list_lag;
        let deleted = match project.end {
            End::Open => None,
            End::Scheduled(asked, _) => Some(asked),
            End::Done(at) => (self.now.duration_since(at) >= lag).then_some(at),
        };
        json!({
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "createdAt": project.created,
            "updatedAt": project.updated,
            "deletedAt": deleted,
            "isPublic": project.is_public,
            "prDeploys": project.pr_deploys,
            "workspaceId": self.settings.workspace_id,
            "primaryEnvironmentId": project.environments.first().map(|environment| &environment.id),
        })
    }

    /// A list inside an object that was shown without it.
    pub(super) fn nested(&self, type_name: &str, object: &Value, field: &str, arguments: &Value) -> Value {
        if (type_name, field) == ("Workspace", "projectCount") {
            return self.project_count(arguments["includeDeleted"].as_bool().unwrap_or(false)).into();
        }
        if (type_name, field) == ("ServiceInstance", "domains") {
            let [environment, service] = ["environmentId", "serviceId"].map(|name| object[name].as_str().unwrap_or(""));
            let place = self.owner(service).map(|place| self.at(place));
            return place.map_or(Value::Null, |project| self.domains_view(project, environment, service));
        }
        let Some(id) = object["id"].as_str() else { return Value::Null };
        let Some(project) = self.owner(id).map(|place| self.at(place)) else { return Value::Null };
        let wanted = serde_json::from_value(arguments.clone()).unwrap_or_default();
        let listed = match (type_name, field) {
            ("Project", "environments") => page(
                &project.environments,
                &wanted,
                |environment| &environment.id,
                |_| true,
                |environment| environment_view(project, environment),
            ),
            ("Project", "services") => self.service_list(project, &wanted),
            ("Project", "volumes") => self.volume_list(project, &wanted),
            ("Environment", "serviceInstances") => self.instance_list(project, id, &wanted),
            ("Environment", "volumeInstances") => self.volume_instance_list(project, id, &wanted),
            _ => Ok(Value::Null),
        };
        listed.unwrap_or(Value::Null)
    }
}

fn environment_view(project: &Project, environment: &Environment) -> Value {
    json!({
        "id": environment.id,
        "name": environment.name,
        "projectId": project.id,
        "createdAt": environment.created,
        "updatedAt": environment.created,
        "deletedAt": null,
        "isEphemeral": environment.is_ephemeral,
    })
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let is_fine = |letter: char| letter.is_alphanumeric() || " -_.".contains(letter);
    if name.trim().is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_fine) {
        return Err(Refusal::internal("Invalid project name"));
    }
    Ok(())
}
