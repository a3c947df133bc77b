//! Instances as services at Railway: each in a project of its own, with one volume and one hostname.
//!
//! Railway knows no idempotency keys, its lists lag, and most refusals arrive with status 200. So each
//! thing is looked for before it is made, the intent is stored before the effect, and an answer that
//! never came ends in adoption. Our mark is the description of a project: `spinoff:<instance id>`, with `home:<name>` behind it
//! in any home but the default one. Homes share a workspace; each leaves the projects of the others alone.
//!
//! Where each hostname has records of its own, no name below `up.railway.app` is made for an instance. Where
//! one wildcard record leads to the router, such a name is all that an instance has (`generated.rs`).

mod answers;
mod compute;
mod deployment;
mod domain;
mod door;
mod generated;
mod gone;
mod graphql;
mod inventory;
mod observation;
mod operations;
mod orders;
mod project;
mod receiving;
mod refusal;
mod removal;
mod routing;
mod service;
mod settings;
mod usage;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::domain::{HomeName, InstanceId, ProjectName};
use jiff::{SignedDuration, Timestamp};
use store::Db;
use world::{Clock, Entropy};

use crate::ProviderError;
use crate::budget::Budget;
use crate::resources::{Key, Resources};
use graphql::Graph;

pub use operations::documents;
pub use settings::{Limits, RailwaySettings, Tokens};
pub use usage::list_price;

/// How the driver is called in the store.
const NAME: &str = "railway";
/// Within this time Railway shows what it made.
const LAG: SignedDuration = SignedDuration::from_secs(90);

/// Runs instances at Railway.
pub struct Railway {
    settings: RailwaySettings,
    graph: Graph,
    resources: Resources,
    clock: Clock,
    entropy: Entropy,
    /// Knocks at guards by names that need no special treatment.
    straight: reqwest::Client,
    /// Changes of one project come one after the other: Railway mixes up those that come together.
    turns: Mutex<HashMap<ProjectName, Arc<tokio::sync::Mutex<()>>>>,
}

/// Where a project of an instance is at Railway.
#[derive(Debug, Clone)]
struct Home {
    name: ProjectName,
    instance: InstanceId,
    project: String,
    environment: String,
    service: String,
    /// When its service was first wanted: until a while after that, what can't be seen may still be new.
    since: Timestamp,
}

impl Railway {
    /// A way to Railway that keeps its record in this store. Asks nothing yet.
    ///
    /// # Errors
    /// Refused when the token can't be sent, unavailable when the machine has no certificates.
    pub fn new(settings: RailwaySettings, db: Db, clock: Clock, entropy: Entropy) -> Result<Self, ProviderError> {
        let budget = Budget::new(db.clone(), clock.clone(), NAME);
        let graph = Graph::new(&settings, budget, clock.clone(), entropy.clone())?;
        let resources = Resources::new(db, clock.clone(), file(&settings.home));
        let straight = door::client()
            .build()
            .map_err(|error| ProviderError::unavailable("making the client that knocks at guards", error))?;
        Ok(Self { settings, graph, resources, clock, entropy, straight, turns: Mutex::default() })
    }

    /// Our mark on the project of an instance in this home.
    fn mark(&self, instance: InstanceId) -> Mark {
        Mark { instance, home: self.settings.home.clone() }
    }

    /// The instance whose mark a description bears, if that is a mark of this home.
    fn marked_here(&self, description: Option<&str>) -> Option<InstanceId> {
        Mark::read(description).filter(|mark| mark.home == self.settings.home).map(|mark| mark.instance)
    }

    async fn turn(&self, project: &ProjectName) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(project.clone()).or_default())
        };
        turn.lock_owned().await
    }

    /// Where the project's instance lives, as far as it was made.
    async fn home(&self, project: &ProjectName) -> Result<Option<Home>, ProviderError> {
        // The newest: one that is being removed may still have the name.
        let held = self.resources.named("project", project.as_str()).await?.pop();
        let Some(instance) = held.map(|held| held.instance) else { return Ok(None) };
        let things = self.resources.of(instance).await?;
        let made = |kind: &str| things.iter().find(|held| held.kind == kind).and_then(|held| held.made.clone());
        let (Some(at), Some(service)) = (made("project"), made("service")) else { return Ok(None) };
        let environment = at.detail.unwrap_or_default();
        let since = things.iter().find(|held| held.kind == "service").map_or(Timestamp::MIN, |held| held.intended_at);
        let (name, project, service) = (project.clone(), at.id, service.id);
        Ok(Some(Home { name, instance, project, environment, service, since }))
    }

    /// The same, if it is this instance's.
    async fn home_of(&self, project: &ProjectName, instance: InstanceId) -> Result<Home, ProviderError> {
        let home = self.home(project).await?.filter(|home| home.instance == instance);
        home.ok_or_else(|| no_project(project))
    }

    async fn expect_home(&self, project: &ProjectName) -> Result<Home, ProviderError> {
        self.home(project).await?.ok_or_else(|| no_project(project))
    }
}

impl std::fmt::Debug for Railway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Railway").field("workspace", &self.settings.workspace_id).finish_non_exhaustive()
    }
}

impl Home {
    fn key(&self, kind: &'static str, name: impl Into<String>) -> Key {
        Key { kind, name: name.into(), instance: self.instance }
    }
}

fn no_project(project: &ProjectName) -> ProviderError {
    ProviderError::not_found(format!("the Railway project {project}"))
}

/// How a home's things are called in the store.
fn file(home: &HomeName) -> String {
    if home.is_the_default() { NAME.to_owned() } else { format!("{NAME}/{home}") }
}

/// Our mark on a project.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    instance: InstanceId,
    home: HomeName,
}

impl Mark {
    /// The instance and the home that a description names.
    fn read(description: Option<&str>) -> Option<Self> {
        let words = || description.unwrap_or_default().split_whitespace();
        let instance =
            words().filter_map(|word| word.strip_prefix("spinoff:")).find_map(|id| InstanceId::parse(id).ok())?;
        let home = words().filter_map(|word| word.strip_prefix("home:")).find_map(|name| HomeName::parse(name).ok());
        Some(Self { instance, home: home.unwrap_or_else(HomeName::the_default) })
    }

    fn written(&self) -> String {
        let Self { instance, home } = self;
        if home.is_the_default() { format!("spinoff:{instance}") } else { format!("spinoff:{instance} home:{home}") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_says_whose_a_project_is_and_in_which_home() {
        let instance = InstanceId::new("2026-11-25T10:00:00Z".parse().unwrap(), [7; 10]);
        let here = Mark { instance, home: HomeName::the_default() };
        assert_eq!(here.written(), format!("spinoff:{instance}"), "as before there were homes");
        let there = Mark { instance, home: HomeName::parse("eu-west").unwrap() };
        for mark in [here, there] {
            assert_eq!(Mark::read(Some(&format!("Acme's. {}", mark.written()))), Some(mark));
        }
        assert_eq!(Mark::read(Some("home:eu-west")), None);
        assert_eq!(Mark::read(None), None);
    }
}
