use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::page::{Wanted, page};
use super::refusal::Refusal;
use super::state::{Project, State, Variables};
use super::variables::read_variables;
use super::{Kind, REGIONS};

#[derive(Debug)]
pub(super) struct Service {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Timestamp,
}

/// A service in one environment.
#[derive(Debug)]
pub(super) struct ServiceInstance {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// As it was set, by the names of the API; counts from the next deployment on.
    pub(super) config: Map<String, Value>,
    /// Caps of CPU and memory.
    pub(super) limits: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceCreate {
    project_id: String,
    environment_id: Option<String>,
    name: Option<String>,
    source: Option<Value>,
    variables: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceUpdate {
    service_id: String,
    environment_id: Option<String>,
    input: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LimitsUpdate {
    service_id: String,
    environment_id: String,
    #[serde(rename = "vCPUs")]
    vcpus: Option<f64>,
    #[serde(rename = "memoryGB")]
    memory_gb: Option<f64>,
}

impl State {
    pub(super) fn service_create(&mut self, input: ServiceCreate) -> Result<Value, Refusal> {
        let place = self.project_place(&input.project_id)?;
        let project = self.at(place);
        let environments: Vec<String> = match &input.environment_id {
            Some(id) => vec![project.environment(id)?.id.clone()],
            None => project.environments.iter().map(|environment| environment.id.clone()).collect(),
        };
        let name = input.name.unwrap_or_else(|| format!("service-{}", project.services.len() + 1));
        if project.services.iter().any(|service| service.name == name) {
            return Err(Refusal::internal(format!("A service named \"{name}\" already exists in this project")));
        }
        let variables = input.variables.map(read_variables).transpose()?.unwrap_or_default();
        let service = self.id(place);
        let (now, project_name) = (self.now, self.at(place).name.clone());
        self.at_mut(place).services.push(Service { id: service.clone(), name, created: now });
        self.note_made(Kind::Service, &project_name);
        for environment in environments {
            self.instance_create(place, &service, &environment, input.source.as_ref(), variables.clone());
        }
        Ok(service_view(self.at(place), self.at(place).service(&service)?))
    }

    fn instance_create(
        &mut self,
        place: usize,
        service: &str,
        environment: &str,
        source: Option<&Value>,
        variables: Variables,
    ) {
        let (id, now) = (self.id(place), self.now);
        let config = source.map(|source| ("source".to_owned(), source.clone())).into_iter().collect();
        let project = self.at_mut(place);
        project.variables.insert((environment.to_owned(), Some(service.to_owned())), variables);
        project.instances.push(ServiceInstance {
            id,
            service: service.to_owned(),
            environment: environment.to_owned(),
            created: now,
            updated: now,
            config,
            limits: Map::new(),
        });
        // A service that comes with a source is deployed at once.
        self.deploy_if_it_can(place, service, environment);
    }

    pub(super) fn service_delete(&mut self, id: &str, environment: Option<&str>) -> Result<Value, Refusal> {
        let place = self.place(id, "Service")?;
        let is_meant = |service: &str, held: &str| service == id && environment.is_none_or(|only| only == held);
        let project = self.at_mut(place);
        project.service(id)?;
        project.instances.retain(|held| !is_meant(&held.service, &held.environment));
        project.deployments.retain(|held| !is_meant(&held.service, &held.environment));
        project.service_domains.retain(|held| !is_meant(&held.service, &held.environment));
        project.custom_domains.retain(|held| !is_meant(&held.service, &held.environment));
        project.variables.retain(|(held, service), _| !service.as_ref().is_some_and(|service| is_meant(service, held)));
        for volume in &mut project.volume_instances {
            if volume.service.as_ref().is_some_and(|service| is_meant(service, &volume.environment)) {
                volume.service = None;
            }
        }
        if !project.instances.iter().any(|held| held.service == id) {
            project.services.retain(|held| held.id != id);
        }
        Ok(true.into())
    }

    pub(super) fn instance_update(&mut self, asked: InstanceUpdate) -> Result<Value, Refusal> {
        let place = self.place(&asked.service_id, "Service")?;
        if let Some(region) = asked.input.get("region").and_then(Value::as_str)
            && !REGIONS.iter().any(|(name, ..)| *name == region)
        {
            return Err(Refusal::problem());
        }
        let project = self.at(place);
        let environments: Vec<String> = match asked.environment_id {
            Some(id) => vec![id],
            None => project
                .instances
                .iter()
                .filter(|held| held.service == asked.service_id)
                .map(|held| held.environment.clone())
                .collect(),
        };
        let has_replicas = asked.input.get("numReplicas").and_then(Value::as_i64).is_some_and(|count| count > 1);
        for environment in environments {
            if has_replicas && self.at(place).volume_of(&asked.service_id, &environment, self.now).is_some() {
                return Err(Refusal::internal("A service with a volume can't have replicas"));
            }
            let index = self.instance_index(place, &asked.service_id, &environment)?;
            let now = self.now;
            let instance = &mut self.at_mut(place).instances[index];
            instance.updated = now;
            // What was left out stays as it was, except for this one.
            instance.config.insert("numReplicas".into(), 1.into());
            instance.config.extend(asked.input.clone());
            instance.config.remove("registryCredentials");
        }
        Ok(true.into())
    }

    pub(super) fn instance_limits(&mut self, asked: &LimitsUpdate) -> Result<Value, Refusal> {
        let place = self.place(&asked.service_id, "Service")?;
        let index = self.instance_index(place, &asked.service_id, &asked.environment_id)?;
        // What was left out is lifted.
        let limits = [("vCPUs", asked.vcpus), ("memoryGB", asked.memory_gb)];
        self.at_mut(place).instances[index].limits =
            limits.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        Ok(true.into())
    }

    pub(super) fn service(&self, id: &str) -> Result<Value, Refusal> {
        let project = self.at(self.place(id, "Service")?);
        Ok(service_view(project, project.service(id)?))
    }

    pub(super) fn service_instance(&self, service: &str, environment: &str) -> Result<Value, Refusal> {
        let place = self.place(service, "ServiceInstance")?;
        let index = self.instance_index(place, service, environment)?;
        Ok(self.instance_view(self.at(place), &self.at(place).instances[index]))
    }

    /// Where the instance is, once it can be seen.
    pub(super) fn instance_index(&self, place: usize, service: &str, environment: &str) -> Result<usize, Refusal> {
        let is_meant = |held: &ServiceInstance| {
            held.service == service && held.environment == environment && self.is_visible(held)
        };
        self.at(place).instances.iter().position(is_meant).ok_or_else(|| Refusal::not_found("ServiceInstance"))
    }

    pub(super) fn service_list(&self, project: &Project, wanted: &Wanted) -> Result<Value, Refusal> {
        page(&project.services, wanted, |service| &service.id, |_| true, |service| service_view(project, service))
    }

    pub(super) fn instance_list(
        &self,
        project: &Project,
        environment: &str,
        wanted: &Wanted,
    ) -> Result<Value, Refusal> {
        let is_shown = |held: &ServiceInstance| held.environment == environment && self.is_visible(held);
        page(&project.instances, wanted, |held| &held.id, is_shown, |held| self.instance_view(project, held))
    }

    fn is_visible(&self, instance: &ServiceInstance) -> bool {
        self.now.duration_since(instance.created) >= self.settings.instance_lag
    }

    fn instance_view(&self, project: &Project, instance: &ServiceInstance) -> Value {
        let get = |name: &str| instance.config.get(name).cloned().unwrap_or(Value::Null);
        let or = |name: &str, usual: Value| if get(name).is_null() { usual } else { get(name) };
        let mut view = json!({
            "id": instance.id,
            "serviceId": instance.service,
            "serviceName": project.service(&instance.service).map_or("", |service| &service.name),
            "environmentId": instance.environment,
            "createdAt": instance.created,
            "updatedAt": instance.updated,
            "deletedAt": null,
            "builder": or("builder", "RAILPACK".into()),
            "restartPolicyType": or("restartPolicyType", "ON_FAILURE".into()),
            "restartPolicyMaxRetries": or("restartPolicyMaxRetries", 10.into()),
            "numReplicas": or("numReplicas", 1.into()),
            "sleepApplication": or("sleepApplication", false.into()),
            "isUpdatable": true,
            "source": instance.config.get("source").map(|source| json!({
                "image": source["image"], "repo": source["repo"],
            })),
            "latestDeployment": self.latest_deployment(project, instance),
            "activeDeployments": self.active_deployments(project, instance),
        });
        for name in [
            "startCommand",
            "buildCommand",
            "healthcheckPath",
            "healthcheckTimeout",
            "region",
            "cronSchedule",
            "drainingSeconds",
            "overlapSeconds",
            "rootDirectory",
            "dockerfilePath",
            "preDeployCommand",
        ] {
            view[name] = get(name);
        }
        view
    }
}

impl ServiceInstance {
    /// What it runs from: an image, or a repository.
    pub(super) fn source(&self) -> Option<&str> {
        let source = self.config.get("source")?;
        source["image"].as_str().or_else(|| source["repo"].as_str())
    }
}

fn service_view(project: &Project, service: &Service) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "projectId": project.id,
        "createdAt": service.created,
        "updatedAt": service.created,
        "deletedAt": null,
    })
}
