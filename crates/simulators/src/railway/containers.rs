//! What has to run by now, for a rehearsal in which somebody really runs it and says how it fares.

use super::Railway;
use super::state::{State, Variables};
use super::timeline::Status;

/// One deployment that has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The deployment's id.
    pub deployment: String,
    /// The project's name.
    pub project: String,
    /// What it runs from.
    pub image: String,
    /// What it was started with, including what Railway adds.
    pub variables: Variables,
    /// The id of its volume, and where that is mounted.
    pub volume: Option<(String, String)>,
    /// The path that has to answer 200, where one is set.
    pub health_path: Option<String>,
    /// So many seconds it may take to do so.
    pub health_seconds: Option<u64>,
    /// Whether its deployment waits for a [`Report`].
    pub is_new: bool,
}

/// How a deployment fares that somebody runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Its health check passed.
    Healthy,
    /// Its health check did not pass in time.
    Unhealthy,
    /// It ended, and was started again as often as it may be.
    Crashed,
}

impl Railway {
    /// All that has to run at this moment. What sleeps, was stopped, or was replaced is not in it.
    pub fn containers(&self) -> Vec<Container> {
        self.state().containers()
    }

    /// Says how a deployment fares, which matters where [`super::Behaviour::AsReported`] holds.
    pub fn report(&self, deployment: &str, report: Report) {
        let mut state = self.state();
        if let Ok((place, index)) = state.find_deployment(deployment) {
            let now = state.now;
            state.at_mut(place).deployments[index].timeline.report(now, report);
        }
    }
}

impl State {
    fn containers(&self) -> Vec<Container> {
        let mut all = Vec::new();
        for project in self.projects.iter().filter(|project| project.end.gone(self.now).is_none()) {
            for instance in &project.instances {
                let volume = project.volume_of(&instance.service, &instance.environment, self.now);
                let volume = volume.map(|held| (held.volume.clone(), held.mount_path.clone()));
                for index in project.deployments_of(instance).rev() {
                    let held = &project.deployments[index];
                    let is_new = match project.status(index, self.now).0 {
                        Status::Deploying => held.timeline.awaits_report(self.now),
                        Status::Success if !held.timeline.is_stopped() => false,
                        _ => continue,
                    };
                    let text = |name: &str| instance.config.get(name);
                    all.push(Container {
                        deployment: held.id.clone(),
                        project: project.name.clone(),
                        image: held.source.clone(),
                        variables: held.variables.clone(),
                        volume: volume.clone(),
                        health_path: text("healthcheckPath").and_then(|path| path.as_str()).map(str::to_owned),
                        health_seconds: text("healthcheckTimeout").and_then(serde_json::Value::as_u64),
                        is_new,
                    });
                    // With a volume the old one stops before the new one starts.
                    if volume.is_some() {
                        break;
                    }
                }
            }
        }
        all
    }
}
