use domain::InstanceId;
use jiff::SignedDuration;
use serde_json::json;

use super::answers::{Instance, NamedDomain, Page, Project, Token, Workspace};
use super::generated::GENERATED;
use super::{Railway, operations};
use crate::inventory::{Ceiling, Check, Item, Verdict};
use crate::resources::Resource;
use crate::{ProviderError, Routing};

/// About so many calls does it take to make an instance.
const CALLS_PER_INSTANCE: u64 = 40;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Railway {
    /// Projects that bear our mark for this home, and the hostnames in them, in a request for each hundred: one for each
    /// project would never come to an end within Railway's limits.
    pub(super) async fn items(&self) -> Result<Vec<Item>, ProviderError> {
        let now = self.clock.now();
        let costs = self.costs(now - MONTH, now).await?;
        let known = self.resources.of_kind(GENERATED).await?;
        let mut items = Vec::new();
        for project in self.projects_with_domains().await? {
            let Some(instance) = self.marked_here(project.description.as_deref()) else { continue };
            let mut drift = drift(&project);
            let domains = instances(&project).filter_map(|instance| instance.domains.as_ref());
            for domains in domains {
                let (kind, ours, others) = match self.settings.routing {
                    Routing::Records => ("domain", &domains.custom_domains, &domains.service_domains),
                    Routing::Wildcard => (GENERATED, &domains.service_domains, &domains.custom_domains),
                };
                drift.extend(others.iter().map(|held| format!("a second door: {}", held.domain)));
                items.extend(ours.iter().map(|held| domain(kind, held, instance, &known)));
            }
            items.push(Item {
                kind: "project",
                monthly_cost: costs.get(&project.id).copied(),
                id: project.id,
                name: project.name,
                instance: Some(instance),
                created_at: project.created_at,
                drift: (!drift.is_empty()).then(|| drift.join("; ")),
            });
        }
        Ok(items)
    }

    /// Railway publishes no limit on the projects of a workspace.
    pub(super) async fn limits(&self) -> Result<Vec<Ceiling>, ProviderError> {
        let limit = u64::from(self.settings.rate.number);
        let held = self.workspace().await?.api_token_rate_limit;
        let left = held.as_ref().map_or(limit, |held| held.remaining_points);
        Ok(vec![Ceiling {
            name: "Railway API calls in this hour",
            used: limit.saturating_sub(left),
            limit,
            per_instance: CALLS_PER_INSTANCE,
            // Until then whoever wants an instance waits; nobody has to be turned away.
            renews_at: Some(held.and_then(|held| held.resets_at.parse().ok()).unwrap_or(self.clock.now() + HOUR)),
            advice: "ask Railway for a higher limit, or observe less often",
        }])
    }

    pub(super) async fn examine(&self) -> Vec<Check> {
        let token = self.examine_token().await;
        let is_usable = token.verdict != Verdict::Fail;
        let mut checks = vec![token];
        if is_usable {
            checks.push(self.examine_workspace().await);
        }
        checks
    }

    async fn examine_token(&self) -> Check {
        let wanted = &self.settings.workspace_id;
        let name = "Railway token".to_owned();
        let advice = "make a workspace token in the settings of the workspace in which instances shall run";
        let held: Token = match self.graph.ask(&operations::TOKEN, json!({})).await {
            Ok(held) => held,
            Err(error) => return failed(name, &error, advice),
        };
        if !held.workspaces.iter().any(|held| held.id == *wanted) {
            let found = format!("it does not open the workspace {wanted}");
            return Check { name, verdict: Verdict::Fail, found, advice: advice.into() };
        }
        match self.graph.ask::<serde_json::Value>(&operations::OWNER, json!({})).await {
            Ok(_) => {
                let found = "it is a person's token and opens more than the workspace".to_owned();
                Check { name, verdict: Verdict::Warn, found, advice: advice.into() }
            }
            Err(ProviderError::Refused { .. }) => {
                Check { name, verdict: Verdict::Ok, found: "it opens the workspace".into(), advice: String::new() }
            }
            Err(error) => failed(name, &error, "try again"),
        }
    }

    async fn examine_workspace(&self) -> Check {
        let name = "Railway workspace".to_owned();
        let held = match self.workspace().await {
            Ok(held) => held,
            Err(error) => return failed(name, &error, "look whether the workspace's id is right"),
        };
        let mut found = format!("{} has {} projects", held.name, held.project_count);
        let Some(limit) = held.api_token_rate_limit else {
            return Check { name, verdict: Verdict::Ok, found, advice: String::new() };
        };
        found.push_str(&format!("; {} calls are left until {}", limit.remaining_points, limit.resets_at));
        if limit.remaining_points < 10 * CALLS_PER_INSTANCE {
            let advice = "wait until then, or ask Railway for a higher limit".into();
            return Check { name, verdict: Verdict::Warn, found, advice };
        }
        Check { name, verdict: Verdict::Ok, found, advice: String::new() }
    }

    async fn workspace(&self) -> Result<Workspace, ProviderError> {
        self.graph.ask(&operations::WORKSPACE, json!({ "id": self.settings.workspace_id })).await
    }
}

fn failed(name: String, error: &ProviderError, advice: &str) -> Check {
    Check { name, verdict: Verdict::Fail, found: error.to_string(), advice: advice.into() }
}

/// A name that Railway chose anew is one that the router does not know.
fn domain(kind: &'static str, held: &NamedDomain, instance: InstanceId, generated: &[Resource]) -> Item {
    let recorded = generated.iter().find(|known| known.instance == instance).and_then(|known| known.made.as_ref());
    let is_unknown = kind == GENERATED && recorded.is_some_and(|recorded| recorded.id != held.id);
    Item {
        kind,
        id: held.id.clone(),
        name: held.domain.clone(),
        instance: Some(instance),
        created_at: None,
        monthly_cost: None,
        drift: is_unknown.then(|| "the router knows another one".to_owned()),
    }
}

/// What runs in a project, in all of its environments.
fn instances(project: &Project) -> impl Iterator<Item = &Instance> {
    let environments = project.environments.iter().flat_map(Page::items);
    environments.filter_map(|held| held.service_instances.as_ref()).flat_map(Page::items)
}

fn drift(project: &Project) -> Vec<String> {
    let mut drift = Vec::new();
    for instance in instances(project) {
        if instance.service_name != "app" {
            drift.push(format!("a service that is not ours: {}", instance.service_name));
        } else if instance.latest_deployment.is_some() && instance.sleep_application != Some(true) {
            drift.push("it may not sleep".to_owned());
        }
    }
    if project.environments.iter().flat_map(Page::items).count() > 1 {
        drift.push("it has more than one environment".to_owned());
    }
    drift
}
