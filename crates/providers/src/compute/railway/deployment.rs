use std::collections::HashMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answers::{Deployment, Instance, LogLine, Page, Status};
use super::service::{DATA, SETTINGS};
use super::{Home, LAG, Railway, operations};
use crate::ProviderError;
use crate::compute::Release;
use crate::resources::{Made, Resource};

/// The record of the deployment that is wanted.
const WANTED: &str = "deployment";
/// The record of one that failed, so that it is not taken for the next attempt.
const FAILED: &str = "failed deployment";
/// The record of one that runs with former settings, so that it is not taken for what is wanted.
const OUTDATED: &str = "outdated deployment";
/// Only the latest deployment is ever looked at.
const LATEST: &str = "latest";
/// So much of the log is told of a failure.
const TOLD: usize = 12;
/// How soon to look how a deployment fares that has just begun.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Tells a guard to begin with its application at rest.
const RESTS: &str = "GUARD_RESTS";

/// How the application of a deployment begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Running,
    AtRest,
}

/// Versions by the ids of deployments.
pub(super) type Versions = HashMap<String, String>;

/// What is recorded of a deployment.
#[derive(Serialize, Deserialize)]
pub(super) struct Deployed {
    pub(super) version: String,
}

impl Railway {
    /// Deploys the image unless the latest deployment is of it and has the present settings, and says how
    /// that fares.
    pub(super) async fn run(&self, home: &Home, release: &Release) -> Result<(), ProviderError> {
        self.run_beginning(home, release, Begins::Running).await
    }

    /// The same where nothing runs, with the application at rest until it is woken: so that there is a guard.
    pub(super) async fn run_at_rest(&self, home: &Home, release: &Release) -> Result<(), ProviderError> {
        self.run_beginning(home, release, Begins::AtRest).await?;
        // What is deployed next begins as usual, whoever deploys it.
        self.set_variables(home, &json!({ RESTS: "false" }), false).await
    }

    async fn run_beginning(&self, home: &Home, release: &Release, begins: Begins) -> Result<(), ProviderError> {
        let image = release.image.as_deref().ok_or_else(|| {
            let (what, why) = (format!("deploy {}", release.version), "the release names no image");
            ProviderError::refused(what, why, "give the release its image, with registry, name and digest")
        })?;
        self.forget_others(home, image).await?;
        let key = home.key(WANTED, image);
        let failed = self.resources.find(&home.key(FAILED, image)).await?.and_then(|held| held.made);
        let outdated = self.resources.find(&home.key(OUTDATED, LATEST)).await?.and_then(|held| held.made);
        if let Some(outdated) = &outdated
            && self.resources.find(&key).await?.and_then(|held| held.made).is_some_and(|made| made.id == outdated.id)
        {
            self.resources.forget(&key).await?;
        }
        let detail = serde_json::to_string(&Deployed { version: release.version.clone() }).ok();
        let made = |id: String| Made { id, detail: detail.clone() };
        let look = async || {
            let latest = self.instance(home).await?.latest_deployment;
            let ours = latest.filter(|latest| {
                latest.image() == Some(image)
                    && !latest.deployment_stopped
                    && [&failed, &outdated].into_iter().flatten().all(|other| other.id != latest.id)
            });
            Ok(ours.map(|latest| made(latest.id)))
        };
        let make = async || {
            self.prepare(home, release, image, begins).await?;
            let variables = json!({ "service": home.service, "environment": home.environment });
            Ok(made(self.graph.ask(&operations::DEPLOY, variables).await?))
        };
        let deployed = match self.resources.ensure(&key, LAG, look, make).await {
            Ok(deployed) => deployed,
            Err(error) => return Err(self.explain(home, error).await),
        };
        self.settle(home, image, &deployed).await
    }

    /// Sets the latest deployment apart before settings change: a deployment keeps those that it began with.
    pub(super) async fn outdate(&self, home: &Home) -> Result<(), ProviderError> {
        let known = self.resources.of(home.instance).await?;
        let now = self.clock.now();
        let lost = |held: &&Resource| held.kind == WANTED && held.made.is_none();
        if let Some(asked) = known.iter().find(lost).and_then(|held| held.asked_at).filter(|asked| *asked + LAG > now) {
            let why = "your application may be starting already; it is looked for before its settings change";
            return Err(ProviderError::not_yet(why, (asked + LAG).duration_since(now)));
        }
        if !known.iter().any(|held| [WANTED, FAILED, SETTINGS].contains(&held.kind.as_str())) {
            // Nothing was ever deployed.
            return Ok(());
        }
        let latest = match self.instance(home).await {
            Ok(instance) => instance.latest_deployment,
            Err(error) => return Err(self.explain(home, error).await),
        };
        match latest {
            Some(latest) => self.resources.keep(&home.key(OUTDATED, LATEST), &Made::plain(latest.id)).await,
            None => Ok(()),
        }
    }

    /// Goes back to the deployment before, with the variables it had; its volume stays as it is.
    ///
    /// # Errors
    /// Not found when there is no such project; refused when Railway keeps no deployment to go back to.
    pub async fn roll_back(&self, project: &domain::ProjectName) -> Result<(), ProviderError> {
        let _turn = self.turn(project).await;
        let home = self.expect_home(project).await?;
        let input = json!({ "projectId": home.project, "environmentId": home.environment, "serviceId": home.service });
        let list: Page<Deployment> = self.graph.ask(&operations::DEPLOYMENTS, json!({ "input": input })).await?;
        let Some(former) = list.into_items().find(|held| held.can_rollback) else {
            let (what, next) = (format!("roll {project} back"), "deploy the former release instead");
            return Err(ProviderError::refused(what, "Railway keeps no former deployment of it", next));
        };
        let done = self.graph.ask::<bool>(&operations::ROLL_BACK, json!({ "id": former.id })).await;
        // Whatever is wanted now is looked for anew.
        self.forget_others(&home, "").await?;
        done.map(|_| ())
    }

    /// The service as it is set up and runs.
    pub(super) async fn instance(&self, home: &Home) -> Result<Instance, ProviderError> {
        let variables = json!({ "service": home.service, "environment": home.environment });
        self.graph.ask(&operations::INSTANCE, variables).await
    }

    /// The last lines of a deployment, or of what led to it when it never ran.
    pub(super) async fn lines_of(&self, deployment: &str, lines: usize) -> Result<String, ProviderError> {
        let variables = json!({ "id": deployment, "limit": lines });
        let mut log: Vec<LogLine> = self.graph.ask(&operations::LOGS, variables.clone()).await?;
        if log.is_empty() {
            log = self.graph.ask(&operations::BUILD_LOGS, variables).await?;
        }
        let skipped = log.len().saturating_sub(lines);
        Ok(log[skipped..].iter().map(|line| format!("{} {}\n", line.timestamp, line.message)).collect())
    }

    async fn prepare(&self, home: &Home, release: &Release, image: &str, begins: Begins) -> Result<(), ProviderError> {
        // Also where it has none: it may have had some before.
        let rules = release.activity_rules.as_deref().unwrap_or_default();
        let variables = json!({
            "GUARD_APP_HEALTH": release.health_path,
            "GUARD_RELEASE": release.version,
            "GUARD_ACTIVITY_RULES_TEXT": rules,
            // Here and not among the settings, so that the next update brings it to instances that were set up before.
            "GUARD_DATA": DATA,
            RESTS: if begins == Begins::AtRest { "true" } else { "false" },
        });
        self.set_variables(home, &variables, false).await?;
        let mut input = json!({
            "source": { "image": image },
            // One that rests is not well, and is not to be.
            "healthcheckPath": (begins == Begins::Running).then_some("/-/health"),
            "healthcheckTimeout": 300,
            "restartPolicyType": "ON_FAILURE",
            "restartPolicyMaxRetries": 10,
            "sleepApplication": true,
            // Left out, it would be reset.
            "numReplicas": 1,
        });
        if let Some(region) = &self.settings.region {
            input["region"] = region.as_str().into();
        }
        let variables = json!({ "service": home.service, "environment": home.environment, "input": input });
        self.change(home, &operations::SET_INSTANCE, variables).await
    }

    async fn settle(&self, home: &Home, image: &str, made: &Made) -> Result<(), ProviderError> {
        let key = home.key(WANTED, image);
        let seen: Option<Deployment> = self.graph.find(&operations::DEPLOYMENT, json!({ "id": made.id })).await?;
        let not_yet = || being_started(LOOK_AGAIN);
        let refused = |why: String| {
            let next = "look at its log, mend what it names, and deploy again";
            ProviderError::refused(format!("run {image} in {}", home.name), why, next)
        };
        match seen {
            Some(seen) if seen.deployment_stopped => self.resources.forget(&key).await.and(Err(not_yet())),
            None => self.resources.forget(&key).await.and(Err(not_yet())),
            Some(seen) => match seen.status {
                Status::Success | Status::Sleeping => Ok(()),
                Status::Removing | Status::Removed => self.resources.forget(&key).await.and(Err(not_yet())),
                Status::Pending => {
                    let since = self.resources.find(&key).await?.map_or(self.clock.now(), |held| held.intended_at);
                    Err(being_started(pause(self.clock.now().duration_since(since))))
                }
                Status::NeedsApproval => Err(refused("Railway wants a person to approve it in its dashboard".into())),
                Status::Failed | Status::Crashed | Status::Skipped => {
                    let log = self.lines_of(&made.id, TOLD).await?;
                    self.resources.keep(&home.key(FAILED, image), made).await?;
                    self.resources.forget(&key).await?;
                    Err(refused(format!("it did not come up; the end of its log:\n{}", log.trim_end())))
                }
            },
        }
    }

    async fn forget_others(&self, home: &Home, image: &str) -> Result<(), ProviderError> {
        for held in self.resources.of(home.instance).await? {
            if held.kind == WANTED && held.name != image {
                self.resources.forget(&home.key(WANTED, held.name)).await?;
            }
        }
        Ok(())
    }

    /// The versions that the deployments of an instance were recorded with.
    pub(super) async fn versions_of(&self, home: &Home) -> Result<Versions, ProviderError> {
        let things = self.resources.of(home.instance).await?;
        Ok(versions(things.into_iter().filter(|held| held.kind == WANTED)))
    }

    /// Those of all instances.
    pub(super) async fn versions(&self) -> Result<Versions, ProviderError> {
        Ok(versions(self.resources.of_kind(WANTED).await?.into_iter()))
    }
}

/// How soon to look again at a deployment of this age. It takes half a minute to two, unless it takes moments.
fn pause(age: SignedDuration) -> SignedDuration {
    match age.as_secs() {
        ..10 => LOOK_AGAIN,
        10..20 => SignedDuration::from_secs(30) - age,
        _ => SignedDuration::from_secs(10).max(age / 10),
    }
}

fn being_started(after: SignedDuration) -> ProviderError {
    ProviderError::not_yet("your application is being started", after)
}

fn versions(deployments: impl Iterator<Item = Resource>) -> Versions {
    let version = |made: Made| {
        let deployed: Deployed = serde_json::from_str(made.detail.as_deref()?).ok()?;
        Some((made.id, deployed.version))
    };
    deployments.filter_map(|held| version(held.made?)).collect()
}
