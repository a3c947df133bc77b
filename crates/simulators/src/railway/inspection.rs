use jiff::SignedDuration;

use super::services::ServiceInstance;
use super::state::{End, Project, State, Variables};
use super::timeline::Status;

/// What can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Counted by its own name.
    Project,
    /// One made beside the first; counted by its project's name.
    Environment,
    /// Counted by its project's name.
    Service,
    /// Counted by its project's name.
    Volume,
    /// Counted by its hostname.
    CustomDomain,
    /// A generated one; counted by its project's name.
    ServiceDomain,
    /// Counted by its project's name.
    Deployment,
}

/// A project as it really is, without any lag.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectSeen {
    /// Its id.
    pub id: String,
    /// Its name, which others may have too.
    pub name: String,
    /// What it was described as.
    pub description: Option<String>,
    /// What is to become of it.
    pub fate: Fate,
    /// Its services, in each environment.
    pub services: Vec<ServiceSeen>,
    /// Volumes that weren't deleted, by id.
    pub volumes: Vec<String>,
    /// Custom domains.
    pub custom_domains: Vec<DomainSeen>,
    /// Generated domains.
    pub service_domains: Vec<String>,
    /// How many projects were ever made with this name.
    pub made_with_this_name: usize,
}

/// Whether a project stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does.
    Kept,
    /// It is to be deleted, and can still be had back.
    Scheduled,
    /// It is gone.
    Deleted,
}

/// A service in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSeen {
    /// The service's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The environment's id.
    pub environment: String,
    /// The image that the next deployment runs.
    pub image: Option<String>,
    /// The names of its own variables.
    pub variables: Vec<String>,
    /// vCPUs and GB of memory, as far as they are capped.
    pub limits: (Option<f64>, Option<f64>),
    /// What was set by `serviceInstanceUpdate`, by the names of the API.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The volume mounted, and where.
    pub volume: Option<(String, String)>,
    /// How its latest deployment stands, in the words of the API.
    pub latest_deployment: Option<&'static str>,
    /// The image of the latest deployment that runs or sleeps, and how long it took until it did.
    pub runs: Option<(String, SignedDuration)>,
    /// How many deployments there were.
    pub deployments: usize,
}

/// A hostname that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSeen {
    /// The hostname.
    pub domain: String,
    /// Whether its DNS records proved it.
    pub is_verified: bool,
}

/// What Railway's edge would do for a hostname.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// 404 with `x-railway-fallback: true`: unknown, not verified, or nothing runs.
    NotFound,
    /// 502 with the same header: it is there but doesn't answer.
    BadGateway,
    /// Whoever serves the instance takes it from here.
    Up(Target),
}

/// The instance that a hostname leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The project's name.
    pub project: String,
    /// The service's id.
    pub service: String,
    /// The deployment's id.
    pub deployment: String,
    /// What it runs from.
    pub image: String,
    /// What it was started with, including what Railway adds.
    pub variables: Variables,
    /// The volume's id, if one is mounted.
    pub volume: Option<String>,
    /// The port that the domain was registered with.
    pub port: Option<i64>,
}

impl State {
    pub(super) fn seen(&self) -> Vec<ProjectSeen> {
        self.projects.iter().map(|project| self.project_seen(project)).collect()
    }

    /// Finds what a hostname leads to, and wakes it.
    pub(super) fn route(&mut self, host: &str) -> Route {
        let host = host.to_ascii_lowercase();
        let wildcard = host.split_once('.').map(|(_, zone)| format!("*.{zone}")).unwrap_or_default();
        let Some(&place) = self.hosts.get(&host).or_else(|| self.hosts.get(&wildcard)) else {
            return Route::NotFound;
        };
        self.look_at(place);
        let project = self.at(place);
        if project.end.gone(self.now).is_some() {
            return Route::NotFound;
        }
        let custom = project.custom_domains.iter().filter(|held| held.verified.is_some());
        let custom = custom.map(|held| (&held.domain, &held.service, &held.environment, held.target_port));
        let generated = project.service_domains.iter();
        let generated = generated.map(|held| (&held.domain, &held.service, &held.environment, held.target_port));
        let mut domains = custom.chain(generated);
        let Some((_, service, environment, port)) = domains.find(|(name, ..)| **name == host || **name == wildcard)
        else {
            return Route::NotFound;
        };
        let is_meant = |held: &&ServiceInstance| held.service == *service && held.environment == *environment;
        match project.instances.iter().find(is_meant).map(|instance| self.running(project, instance)) {
            Some(Running::Here(index)) => self.target(place, index, &host, port),
            Some(Running::Down) => Route::BadGateway,
            Some(Running::Nothing) | None => Route::NotFound,
        }
    }

    fn running(&self, project: &Project, instance: &ServiceInstance) -> Running {
        let has_volume = project.volume_of(&instance.service, &instance.environment, self.now).is_some();
        for index in project.deployments_of(instance).rev() {
            match project.status(index, self.now).0 {
                // With a volume the old one stops before the new one starts.
                Status::Deploying if has_volume => return Running::Down,
                Status::Crashed => return Running::Down,
                Status::Success | Status::Sleeping if !project.deployments[index].timeline.is_stopped() => {
                    return Running::Here(index);
                }
                Status::Success | Status::Sleeping => return Running::Nothing,
                Status::Initializing | Status::Building | Status::Deploying | Status::Failed | Status::Removed => {}
            }
        }
        Running::Nothing
    }

    fn target(&mut self, place: usize, index: usize, host: &str, port: Option<i64>) -> Route {
        let now = self.now;
        let project = self.at_mut(place);
        let held = &mut project.deployments[index];
        held.timeline.wake(now);
        held.note_request(now, host);
        let held = &project.deployments[index];
        Route::Up(Target {
            project: project.name.clone(),
            service: held.service.clone(),
            deployment: held.id.clone(),
            image: held.source.clone(),
            variables: held.variables.clone(),
            volume: project.volume_of(&held.service, &held.environment, now).map(|mounted| mounted.volume.clone()),
            port,
        })
    }

    fn project_seen(&self, project: &Project) -> ProjectSeen {
        let fate = match project.end {
            end if end.gone(self.now).is_some() => Fate::Deleted,
            End::Open => Fate::Kept,
            End::Scheduled(..) | End::Done(_) => Fate::Scheduled,
        };
        let domain = |held: &super::domains::CustomDomain| DomainSeen {
            domain: held.domain.clone(),
            is_verified: held.verified.is_some(),
        };
        ProjectSeen {
            id: project.id.clone(),
            name: project.name.clone(),
            description: project.description.clone(),
            fate,
            services: project.instances.iter().map(|instance| self.service_seen(project, instance)).collect(),
            volumes: project.volumes.iter().filter(|held| held.deleted.is_none()).map(|held| held.id.clone()).collect(),
            custom_domains: project.custom_domains.iter().map(domain).collect(),
            service_domains: project.service_domains.iter().map(|held| held.domain.clone()).collect(),
            made_with_this_name: self.made(Kind::Project, &project.name),
        }
    }

    fn service_seen(&self, project: &Project, instance: &ServiceInstance) -> ServiceSeen {
        let key = (instance.environment.clone(), Some(instance.service.clone()));
        let deployments: Vec<usize> = project.deployments_of(instance).collect();
        let limit = |name: &str| instance.limits.get(name).and_then(serde_json::Value::as_f64);
        let volume = project.volume_of(&instance.service, &instance.environment, self.now);
        ServiceSeen {
            id: instance.service.clone(),
            name: project.service(&instance.service).map(|service| service.name.clone()).unwrap_or_default(),
            environment: instance.environment.clone(),
            image: instance.source().map(str::to_owned),
            variables: project.variables.get(&key).into_iter().flatten().map(|(name, _)| name.clone()).collect(),
            limits: (limit("vCPUs"), limit("memoryGB")),
            config: instance.config.clone(),
            volume: volume.map(|held| (held.volume.clone(), held.mount_path.clone())),
            runs: deployments.iter().rev().find_map(|index| {
                let held = &project.deployments[*index];
                let is_up = matches!(project.status(*index, self.now).0, Status::Success | Status::Sleeping);
                let up = held.timeline.reached(Status::Success, self.now).filter(|_| is_up)?;
                Some((held.source.clone(), up.duration_since(held.created)))
            }),
            latest_deployment: deployments.last().map(|index| project.status(*index, self.now).0.as_str()),
            deployments: deployments.len(),
        }
    }
}

enum Running {
    Here(usize),
    Down,
    Nothing,
}
