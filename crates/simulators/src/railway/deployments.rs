use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Wanted, page};
use super::refusal::Refusal;
use super::services::ServiceInstance;
use super::state::{Project, State, Variables};
use super::timeline::{Status, Timeline};
use super::{Kind, Span};

/// From asking for a restart until it runs, when deployments take any time at all.
const RESTART: Span = Span::seconds(2, 8);

/// So many requests of a deployment are remembered for its log.
const MOST_REQUESTS: usize = 100;

#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) source: String,
    /// What it was started with; later changes don't reach it.
    pub(super) variables: Variables,
    reason: &'static str,
    pub(super) created: Timestamp,
    pub(super) timeline: Timeline,
    /// When it was asked for something over the network, and by which name.
    pub(super) requests: Vec<(Timestamp, String)>,
}

#[derive(Deserialize)]
pub(super) struct DeploymentList {
    input: Filter,
    #[serde(flatten)]
    wanted: Wanted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    environment_id: Option<String>,
    project_id: Option<String>,
    service_id: Option<String>,
    status: Option<StatusFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusFilter {
    r#in: Option<Vec<String>>,
    not_in: Option<Vec<String>>,
}

impl State {
    pub(super) fn deploy_now(&mut self, service: &str, environment: &str) -> Result<Value, Refusal> {
        let place = self.place(service, "Service")?;
        let index = self.instance_index(place, service, environment)?;
        let source = self.at(place).instances[index].source().map(str::to_owned);
        let source = source.ok_or_else(|| Refusal::internal("The service has no source to deploy from"))?;
        let variables = self.effective_variables(self.at(place), service, environment);
        Ok(self.deploy(place, service, environment, source, variables, "deploy").into())
    }

    /// As after a change of variables: what has nothing to run stays as it is.
    pub(super) fn deploy_if_it_can(&mut self, place: usize, service: &str, environment: &str) {
        let project = self.at(place);
        let instance = project.instances.iter().find(|held| held.service == service && held.environment == environment);
        if let Some(source) = instance.and_then(ServiceInstance::source).map(str::to_owned) {
            let variables = self.effective_variables(project, service, environment);
            self.deploy(place, service, environment, source, variables, "deploy");
        }
    }

    fn deploy(
        &mut self,
        place: usize,
        service: &str,
        environment: &str,
        source: String,
        variables: Variables,
        reason: &'static str,
    ) -> String {
        let (id, now) = (self.id(place), self.now);
        let length = self.draw(self.settings.deploy);
        let project = self.at(place);
        let of_image = self.behaviours_of_images.get(&source);
        let behaviour = of_image.or_else(|| self.behaviours.get(&project.name)).copied();
        let behaviour = behaviour.unwrap_or(self.usual_behaviour);
        let may_sleep = project.instances.iter().any(|held| {
            held.service == service
                && held.environment == environment
                && held.config.get("sleepApplication") == Some(&Value::Bool(true))
        });
        let idle = self.settings.idle.filter(|_| may_sleep);
        let name = project.name.clone();
        self.at_mut(place).deployments.push(Deployment {
            id: id.clone(),
            service: service.to_owned(),
            environment: environment.to_owned(),
            source,
            variables,
            reason,
            created: now,
            timeline: Timeline::new(now, length, behaviour, idle),
            requests: Vec::new(),
        });
        self.note_made(Kind::Deployment, &name);
        id
    }

    pub(super) fn redeploy(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, index) = self.find_deployment(id)?;
        let project = self.at(place);
        if !project.status(index, self.now).0.is_settled() {
            return Err(Refusal::internal(
                "Cannot redeploy yet, please wait for the original deployment to finish building",
            ));
        }
        let held = &project.deployments[index];
        let (service, environment, source) = (held.service.clone(), held.environment.clone(), held.source.clone());
        let variables = self.effective_variables(project, &service, &environment);
        self.deploy(place, &service, &environment, source, variables, "redeploy");
        let project = self.at(place);
        Ok(self.deployment_view(project, project.deployments.len() - 1))
    }

    pub(super) fn rollback(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, index) = self.find_deployment(id)?;
        let project = self.at(place);
        if !self.can_roll_back(project, index) {
            return Err(Refusal::internal("This deployment can't be rolled back to"));
        }
        let held = &project.deployments[index];
        let (service, environment) = (held.service.clone(), held.environment.clone());
        let (source, variables) = (held.source.clone(), held.variables.clone());
        self.deploy(place, &service, &environment, source, variables, "rollback");
        Ok(true.into())
    }

    pub(super) fn stop(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, index) = self.find_deployment(id)?;
        let now = self.now;
        self.at_mut(place).deployments[index].timeline.stop(now);
        Ok(true.into())
    }

    pub(super) fn restart(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, index) = self.find_deployment(id)?;
        let (status, _) = self.at(place).status(index, self.now);
        if !matches!(status, Status::Success | Status::Sleeping | Status::Crashed) {
            return Err(Refusal::internal("Only a deployment that ran can be restarted"));
        }
        let length = if self.settings.deploy == Span::NONE { Span::NONE } else { RESTART };
        let (now, length) = (self.now, self.draw(length));
        self.at_mut(place).deployments[index].timeline.restart(now, length);
        Ok(true.into())
    }

    /// Removing and cancelling differ in what they are allowed for.
    pub(super) fn remove(&mut self, id: &str, only_unsettled: bool) -> Result<Value, Refusal> {
        let (place, index) = self.find_deployment(id)?;
        if only_unsettled && self.at(place).status(index, self.now).0.is_settled() {
            return Err(Refusal::internal("The deployment is done and can't be cancelled"));
        }
        let now = self.now;
        self.at_mut(place).deployments[index].timeline.turn(now, Status::Removed);
        Ok(true.into())
    }

    pub(super) fn deployment(&self, id: &str) -> Result<Value, Refusal> {
        let (place, index) = self.find_deployment(id)?;
        Ok(self.deployment_view(self.at(place), index))
    }

    pub(super) fn deployment_list(&self, asked: &DeploymentList) -> Result<Value, Refusal> {
        let filter = &asked.input;
        let id = filter.service_id.as_ref().or(filter.environment_id.as_ref()).or(filter.project_id.as_ref());
        let project = self.at(self.place(id.ok_or_else(Refusal::problem)?, "Project")?);
        let fits = |wanted: &Option<String>, held: &str| wanted.as_ref().is_none_or(|wanted| wanted == held);
        let is_shown = |(index, _): &(usize, &str)| {
            let held = &project.deployments[*index];
            let status = project.status(*index, self.now).0.as_str();
            let named = |names: &Vec<String>| names.iter().any(|name| name == status);
            fits(&filter.project_id, &project.id)
                && fits(&filter.environment_id, &held.environment)
                && fits(&filter.service_id, &held.service)
                && filter.status.as_ref().is_none_or(|wanted| {
                    wanted.r#in.as_ref().is_none_or(named) && !wanted.not_in.as_ref().is_some_and(named)
                })
        };
        let numbered = project.deployments.iter().enumerate().rev();
        let newest_first: Vec<(usize, &str)> = numbered.map(|(index, held)| (index, held.id.as_str())).collect();
        page(&newest_first, &asked.wanted, |(_, id)| id, is_shown, |(index, _)| self.deployment_view(project, *index))
    }

    pub(super) fn latest_deployment(&self, project: &Project, instance: &ServiceInstance) -> Value {
        project.deployments_of(instance).last().map_or(Value::Null, |index| self.deployment_view(project, index))
    }

    pub(super) fn active_deployments(&self, project: &Project, instance: &ServiceInstance) -> Value {
        let is_active = |index: &usize| {
            matches!(project.status(*index, self.now).0, Status::Success | Status::Sleeping | Status::Crashed)
        };
        project.deployments_of(instance).filter(is_active).map(|index| self.deployment_view(project, index)).collect()
    }

    pub(super) fn find_deployment(&self, id: &str) -> Result<(usize, usize), Refusal> {
        let place = self.place(id, "Deployment")?;
        let index = self.at(place).deployments.iter().position(|held| held.id == id);
        Ok((place, index.ok_or_else(|| Refusal::not_found("Deployment"))?))
    }

    /// It ran once, doesn't now, and its image is still kept.
    fn can_roll_back(&self, project: &Project, index: usize) -> bool {
        let held = &project.deployments[index];
        let status = project.status(index, self.now).0;
        held.timeline.reached(Status::Success, self.now).is_some()
            && !matches!(status, Status::Success | Status::Sleeping)
            && self.now.duration_since(held.created) < self.settings.retention
    }

    fn deployment_view(&self, project: &Project, index: usize) -> Value {
        let held = &project.deployments[index];
        let (status, since) = project.status(index, self.now);
        json!({
            "id": held.id,
            "status": status.as_str(),
            "statusUpdatedAt": since,
            "createdAt": held.created,
            "updatedAt": since,
            "canRollback": self.can_roll_back(project, index),
            "canRedeploy": status.is_settled(),
            "deploymentStopped": held.timeline.is_stopped() || status == Status::Removed,
            "meta": { "image": held.source, "reason": held.reason },
            "projectId": project.id,
            "environmentId": held.environment,
            "serviceId": held.service,
            "staticUrl": null,
            "url": null,
        })
    }
}

impl Deployment {
    pub(super) fn note_request(&mut self, at: Timestamp, host: &str) {
        if self.requests.len() >= MOST_REQUESTS {
            self.requests.remove(0);
        }
        self.requests.push((at, host.to_owned()));
    }
}

impl Project {
    /// What a deployment is and since when: a later one that runs takes its place.
    pub(super) fn status(&self, index: usize, now: Timestamp) -> (Status, Timestamp) {
        let (status, since) = self.deployments[index].timeline.status(now);
        if matches!(status, Status::Failed | Status::Removed) {
            return (status, since);
        }
        self.superseded(index, now).map_or((status, since), |at| (Status::Removed, at))
    }

    /// When a later deployment took its place.
    pub(super) fn superseded(&self, index: usize, now: Timestamp) -> Option<Timestamp> {
        let held = &self.deployments[index];
        self.deployments[index + 1..]
            .iter()
            .filter(|later| later.service == held.service && later.environment == held.environment)
            .filter_map(|later| later.timeline.reached(Status::Success, now))
            .min()
    }

    /// The deployments of an instance, oldest first, as indices.
    pub(super) fn deployments_of(&self, instance: &ServiceInstance) -> impl DoubleEndedIterator<Item = usize> {
        let is_meant = |held: &Deployment| held.service == instance.service && held.environment == instance.environment;
        (0..self.deployments.len()).filter(move |index| is_meant(&self.deployments[*index]))
    }
}
