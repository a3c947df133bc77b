//! A compute provider in memory that takes its time, fails by chance, and allows so many calls and no more. It counts them
//! by its own book; who calls throttles itself with the budget that drivers use.

mod compute;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::ProjectName;
use jiff::{SignedDuration, Timestamp};
use providers::ProviderError;
use providers::budget::{Budget, Rate, Turn};
use store::Db;
use tokio::sync::Notify;
use world::Clock;

use super::Chance;
use super::meter::Meter;
use super::project::{Content, Project, Told};
use super::release::Release;

/// How a provider is.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How many calls it allows.
    pub rate: Rate,
    /// So many of a thousand calls fail, half of them after they did what was asked.
    pub failing: u64,
    /// How long a deployment takes at least, and how much longer at most, in seconds.
    pub deploy: (u64, u64),
}

pub struct State {
    pub projects: BTreeMap<ProjectName, Project>,
    /// Whose a hostname is.
    by_hostname: HashMap<String, ProjectName>,
    pub releases: BTreeMap<String, Release>,
    /// What was in each backup, by its name.
    pub taken: HashMap<String, Content>,
    pub meter: Meter,
    /// After so many more calls somebody dies.
    fuse: Option<u64>,
}

/// See the module. Clones share their projects.
#[derive(Clone)]
pub struct Host {
    state: Arc<Mutex<State>>,
    pub chance: Chance,
    manners: Manners,
    budget: Budget,
    pub clock: Clock,
    /// Where guards answer.
    guards: SocketAddr,
    /// The way there.
    way: reqwest::Client,
    blown: Arc<Notify>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fortune {
    IsDone,
    /// It is done, and its answer gets lost.
    IsLost,
}

impl Fortune {
    fn answer<T>(self, what: &str, done: T) -> Result<T, ProviderError> {
        match self {
            Self::IsDone => Ok(done),
            Self::IsLost => Err(ProviderError::Lost { what: what.to_owned(), why: "the connection broke".to_owned() }),
        }
    }
}

impl Host {
    pub fn new(chance: Chance, manners: Manners, db: &Db, clock: &Clock, guards: SocketAddr) -> Self {
        let state = State {
            projects: BTreeMap::new(),
            by_hostname: HashMap::new(),
            releases: BTreeMap::new(),
            taken: HashMap::new(),
            meter: Meter::new(manners.rate),
            fuse: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            chance,
            manners,
            budget: Budget::new(db.clone(), clock.clone(), "memory"),
            clock: clock.clone(),
            guards,
            way: reqwest::Client::builder().no_proxy().build().unwrap(),
            blown: Arc::default(),
        }
    }

    pub fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What a release really is, wherever it is deployed from now on.
    pub fn knows(&self, release: Release) {
        self.look().releases.insert(release.version(), release);
    }

    /// Somebody is to die at the call after so many.
    pub fn burn(&self, calls: u64) {
        self.look().fuse = Some(calls);
    }

    /// Waits for that call.
    pub async fn blown(&self) {
        self.blown.notified().await;
    }

    /// What a guard tells whoever asks by a hostname; `None` where nothing answers for it.
    pub fn tell(&self, hostname: &str) -> Option<Told> {
        let state = self.look();
        let project = state.projects.get(state.by_hostname.get(hostname)?)?;
        Some(project.tell(self.chance, self.clock.now()))
    }

    /// Is asked for something, if that is allowed now.
    async fn ask(&self, what: &str, name: &ProjectName) -> Result<Fortune, ProviderError> {
        let turn = self.budget.take("calls", self.manners.rate).await;
        if let Turn::Wait { until, .. } = turn.map_err(|error| ProviderError::unavailable(what, error))? {
            return Err(ProviderError::InLine { why: "others are asked for first".to_owned(), until });
        }
        let mut state = self.look();
        state.meter.count(self.clock.now());
        if let Some(left) = state.fuse.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                state.fuse = None;
                self.blown.notify_one();
            }
        }
        let call = state.projects.get_mut(name).map_or(0, |project| {
            project.calls += 1;
            project.calls
        });
        if !self.chance.thousandths(("fails", what, name.as_str(), call), self.manners.failing) {
            return Ok(Fortune::IsDone);
        }
        match self.chance.below(("how", what, name.as_str(), call), 2) {
            0 => Err(ProviderError::unavailable(what, "503, try later")),
            _ => Ok(Fortune::IsLost),
        }
    }

    fn change<T>(
        &self,
        name: &ProjectName,
        change: impl FnOnce(&mut Project, Timestamp) -> T,
    ) -> Result<T, ProviderError> {
        let (now, mut state) = (self.clock.now(), self.look());
        let missing = || ProviderError::not_found(format!("the project {name}"));
        Ok(change(state.projects.get_mut(name).ok_or_else(missing)?, now))
    }

    /// How long it takes to deploy a version to a project.
    fn takes(&self, name: &ProjectName, version: &str) -> SignedDuration {
        let (least, spread) = self.manners.deploy;
        let question = ("deploys", name.as_str(), version);
        let seconds = least + if spread == 0 { 0 } else { self.chance.below(question, spread) };
        // Now and then it takes three times as long.
        let times = if self.chance.below(("drags", name.as_str(), version), 40) == 0 { 3 } else { 1 };
        SignedDuration::from_secs(i64::try_from(seconds * times).unwrap())
    }
}
