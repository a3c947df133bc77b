//! A compute provider in memory. Each of its projects is answered for by a real little server that
//! behaves like a guard towards strangers, so that probes find something to probe.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, put};
use domain::{Cents, InstanceId, ProjectName};
use jiff::{SignedDuration, Timestamp};
use providers::backup::{Contents, Kept, Source, Target};
use providers::compute::{Archive, Compute, Door, GuardSettings, Health, Observation, Origin, Release, Tempo};
use providers::costs::{Metered, Spend};
use providers::inventory::{Ceiling, Check, Item};
use providers::{ProviderError, Removed};
use tokio::runtime::Handle;
use world::Clock;

use super::doorman::Doorman;

#[derive(Default)]
struct State {
    projects: BTreeMap<ProjectName, Project>,
    created: BTreeMap<ProjectName, u32>,
    /// Calls that will be answered with "try later", so many times.
    unavailable: u32,
    ceilings: Vec<Ceiling>,
    /// Whether it gives out what instances keep.
    exports: bool,
    /// What it says that projects used, if it counts that.
    used: Option<Vec<Metered>>,
    spend: Option<Spend>,
    /// How it says that projects are, if that was decided.
    seen: Option<(Health, Timestamp)>,
    /// Whether it puts to sleep what nobody uses.
    puts_to_sleep: bool,
    /// Projects that sleep and are nothing else.
    asleep: Arc<BTreeMap<ProjectName, InstanceId>>,
    /// How often it was asked for either.
    asked_for_costs: u32,
    /// Stands in the doors of all projects.
    doorman: Doorman,
    /// What projects run on; where the server runs, if nothing else is said.
    home: Option<Handle>,
    /// By which observations are dated.
    clock: Clock,
    /// What is wrong with releases, by their versions.
    flaws: BTreeMap<String, Flaw>,
    /// Every release that was deployed where, in order.
    deployed: Vec<(ProjectName, String)>,
}

/// What can be wrong with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It never answers well.
    NeverComesUp,
    /// It is well until somebody works with it: see [`Host::work_with`].
    DiesOfWork,
    /// It says that it is another version.
    SaysAnother,
}

/// What the guard of a project answers.
#[derive(Debug, Default)]
struct Answering {
    release: Option<String>,
    flaw: Option<Flaw>,
    is_worked_with: bool,
}

struct Project {
    instance: InstanceId,
    origin: SocketAddr,
    settings: Option<GuardSettings>,
    /// What it was told when it was deployed last.
    told: Option<String>,
    hostnames: BTreeSet<String>,
    release: Option<Release>,
    suspended: bool,
    drift: Option<String>,
    /// What its application keeps.
    data: String,
    pushes: Pushes,
    answering: Arc<Mutex<Answering>>,
    asked: Asked,
    server: tokio::task::JoinHandle<()>,
}

/// What was pushed to a guard: with which header.
type Pushes = Arc<Mutex<Vec<String>>>;

/// How often a guard was asked whether it is well.
pub type Asked = Arc<AtomicU32>;

impl Drop for Project {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// See the module. Clones share their projects.
#[derive(Clone, Default)]
pub struct Host(Arc<Mutex<State>>);

impl Host {
    /// One whose projects go on running when the server dies.
    pub fn elsewhere() -> Self {
        let host = Self::default();
        host.0.lock().unwrap().home = Some(Handle::current());
        host
    }

    /// Dates observations by this clock.
    pub fn keep_time(&self, clock: Clock) {
        self.0.lock().unwrap().clock = clock;
    }

    /// From now on something is wrong with a release, wherever it is deployed.
    pub fn flaw(&self, version: &str, flaw: Flaw) {
        self.0.lock().unwrap().flaws.insert(version.to_owned(), flaw);
    }

    /// Whoever deploys a release from now on gets it without a flaw.
    pub fn mend(&self, version: &str) {
        self.0.lock().unwrap().flaws.remove(version);
    }

    /// Somebody works with the application of a project.
    pub fn work_with(&self, project: &str) {
        let state = self.0.lock().unwrap();
        state.projects[&ProjectName::parse(project).unwrap()].answering.lock().unwrap().is_worked_with = true;
    }

    /// What a project runs.
    pub fn runs(&self, project: &str) -> String {
        let state = self.0.lock().unwrap();
        state.projects[&ProjectName::parse(project).unwrap()].release.as_ref().unwrap().version.clone()
    }

    /// The projects to which a release was deployed, in order.
    pub fn deployments_of(&self, version: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let of_version = state.deployed.iter().filter(|(_, deployed)| deployed == version);
        of_version.map(|(project, _)| project.to_string()).collect()
    }

    /// Who stands in the doors of all projects.
    pub fn doorman(&self) -> Doorman {
        self.0.lock().unwrap().doorman.clone()
    }

    /// Answers the next calls with "try later".
    pub fn be_unavailable(&self, calls: u32) {
        self.0.lock().unwrap().unavailable = calls;
    }

    pub fn projects(&self) -> Vec<String> {
        self.0.lock().unwrap().projects.keys().map(ToString::to_string).collect()
    }

    /// How often a project of this name was really made.
    pub fn times_created(&self, project: &str) -> u32 {
        self.0.lock().unwrap().created.get(&ProjectName::parse(project).unwrap()).copied().unwrap_or(0)
    }

    /// Whether a project is kept from running; `None` when there is none.
    pub fn is_suspended(&self, project: &str) -> Option<bool> {
        let state = self.0.lock().unwrap();
        state.projects.get(&ProjectName::parse(project).unwrap()).map(|project| project.suspended)
    }

    /// Somebody deletes a project behind everybody's back.
    pub fn vanish(&self, project: &str) {
        self.0.lock().unwrap().projects.remove(&ProjectName::parse(project).unwrap());
    }

    /// Somebody changes a project behind everybody's back, until it is configured again.
    pub fn drift(&self, project: &str, how: &str) {
        let mut state = self.0.lock().unwrap();
        state.projects.get_mut(&ProjectName::parse(project).unwrap()).unwrap().drift = Some(how.to_owned());
    }

    /// The limits from now on.
    pub fn limit(&self, ceilings: Vec<Ceiling>) {
        self.0.lock().unwrap().ceilings = ceilings;
    }

    /// From now on it gives out what instances keep.
    pub fn export_everything(&self) {
        self.0.lock().unwrap().exports = true;
    }

    /// From now on it counts what projects use, and says this.
    pub fn count(&self, used: Vec<Metered>) {
        self.0.lock().unwrap().used = Some(used);
    }

    /// From now on it charges, and says this.
    pub fn charge(&self, spend: Spend) {
        self.0.lock().unwrap().spend = Some(spend);
    }

    /// How it says that projects are, from now on.
    pub fn see(&self, health: Health, at: Timestamp) {
        self.0.lock().unwrap().seen = Some((health, at));
    }

    /// How often the guard of a project was asked whether it is well.
    pub fn times_asked(&self, project: &str) -> Asked {
        Arc::clone(&self.0.lock().unwrap().projects[&ProjectName::parse(project).unwrap()].asked)
    }

    /// From now on it puts to sleep what nobody uses.
    pub fn put_to_sleep(&self) {
        self.0.lock().unwrap().puts_to_sleep = true;
    }

    /// From now on it has these projects too: they sleep, and nobody stands in their doors.
    pub fn let_sleep(&self, projects: BTreeMap<ProjectName, InstanceId>) {
        let mut state = self.0.lock().unwrap();
        (state.puts_to_sleep, state.asleep) = (true, Arc::new(projects));
    }

    /// What answers for a project ends, though the provider says that it runs.
    pub fn break_off(&self, project: &str) {
        self.0.lock().unwrap().projects[&ProjectName::parse(project).unwrap()].server.abort();
    }

    /// From now on nobody charges.
    pub fn stop_charging(&self) {
        self.0.lock().unwrap().spend = None;
    }

    pub fn times_asked_for_costs(&self) -> u32 {
        self.0.lock().unwrap().asked_for_costs
    }

    /// What the application of a project was told its address is.
    pub fn told(&self, project: &str) -> String {
        let state = self.0.lock().unwrap();
        state.projects[&ProjectName::parse(project).unwrap()].told.clone().unwrap()
    }

    /// Whether an application that was deployed may reach what instances may reach.
    pub fn is_open_to_the_world(&self, project: &str) -> bool {
        let state = self.0.lock().unwrap();
        state.projects[&ProjectName::parse(project).unwrap()].settings.as_ref().is_some_and(|told| !told.closed_off)
    }

    /// The hostnames that a project answers for.
    pub fn hostnames_of(&self, project: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        state.projects[&ProjectName::parse(project).unwrap()].hostnames.iter().cloned().collect()
    }

    /// The token that the guard of a project was given.
    pub fn token_of(&self, project: &str) -> String {
        use secrecy::ExposeSecret as _;
        let state = self.0.lock().unwrap();
        let settings = state.projects[&ProjectName::parse(project).unwrap()].settings.as_ref().unwrap();
        settings.instance_token.expose_secret().to_owned()
    }

    /// The member lists that were pushed to a guard by somebody who knows its token.
    pub fn lists_of(&self, project: &str) -> usize {
        let proof = format!("Bearer {}", access::pushed::proof(&self.token_of(project)));
        let state = self.0.lock().unwrap();
        let pushes = state.projects[&ProjectName::parse(project).unwrap()].pushes.lock().unwrap();
        pushes.iter().filter(|header| **header == proof).count()
    }

    fn answer(&self, what: &str) -> Result<(), ProviderError> {
        let mut state = self.0.lock().unwrap();
        if state.unavailable > 0 {
            state.unavailable -= 1;
            return Err(ProviderError::unavailable(what, "503, try later"));
        }
        Ok(())
    }

    /// Its application keeps this from now on.
    pub fn write(&self, project: &str, data: &str) {
        let mut state = self.0.lock().unwrap();
        state.projects.get_mut(&ProjectName::parse(project).unwrap()).unwrap().data = data.to_owned();
    }

    /// What its application keeps.
    pub fn data(&self, project: &str) -> String {
        self.0.lock().unwrap().projects[&ProjectName::parse(project).unwrap()].data.clone()
    }

    fn of<T>(
        &self,
        project: &ProjectName,
        instance: InstanceId,
        look: impl FnOnce(&mut Project) -> T,
    ) -> Result<T, ProviderError> {
        let mut state = self.0.lock().unwrap();
        let found = state.projects.get_mut(project).filter(|found| found.instance == instance);
        found.map(look).ok_or_else(|| ProviderError::not_found(format!("the project {project}")))
    }

    fn change(&self, project: &ProjectName, change: impl FnOnce(&mut Project)) -> Result<(), ProviderError> {
        let mut state = self.0.lock().unwrap();
        let missing = || ProviderError::not_found(format!("the project {project}"));
        let project = state.projects.get_mut(project).ok_or_else(missing)?;
        change(project);
        Ok(())
    }
}

/// How a guard and its application are, from what was deployed.
fn health(answering: &Answering) -> (StatusCode, axum::Json<serde_json::Value>) {
    let is_well = match answering.flaw {
        Some(Flaw::NeverComesUp) => false,
        Some(Flaw::DiesOfWork) => !answering.is_worked_with,
        Some(Flaw::SaysAnother) | None => true,
    };
    let version = (answering.flaw == Some(Flaw::SaysAnother)).then_some("0.0.0");
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(serde_json::json!({ "release": answering.release, "version": version })))
}

/// As healthy as what is deployed, deaf to strangers, and takes every member list.
async fn stand_in_guard(
    instance: InstanceId,
    pushes: Pushes,
    (answering, asked): (Arc<Mutex<Answering>>, Asked),
    doorman: Doorman,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route(
            "/-/health",
            get(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                async move { health(&answering.lock().unwrap()) }
            }),
        )
        .route(
            "/-/members",
            put(move |headers: HeaderMap, _: axum::Json<serde_json::Value>| {
                let pushes = Arc::clone(&pushes);
                async move {
                    let header = headers.get("authorization").map(|value| value.to_str().unwrap());
                    pushes.lock().unwrap().push(header.unwrap_or_default().to_owned());
                    StatusCode::NO_CONTENT
                }
            }),
        )
        .fallback(move |uri: Uri, headers: HeaderMap| {
            let answer = doorman.answer(instance, &uri, &headers);
            async move { answer }
        });
    (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

#[async_trait]
impl Compute for Host {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn create_project(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError> {
        self.answer("creating a project")?;
        let answering = Arc::<Mutex<Answering>>::default();
        let (pushes, asked) = (Pushes::default(), Asked::default());
        let home = self.0.lock().unwrap().home.clone().unwrap_or_else(Handle::current);
        let said = (Arc::clone(&answering), Arc::clone(&asked));
        let guard = stand_in_guard(instance, Arc::clone(&pushes), said, self.doorman());
        let (origin, server) = home.spawn(guard).await.unwrap();
        let mut state = self.0.lock().unwrap();
        match state.projects.get(project) {
            Some(existing) if existing.instance == instance => server.abort(),
            Some(_) => return Err(ProviderError::refused("creating a project", "the name is taken", "choose another")),
            None => {
                *state.created.entry(project.clone()).or_default() += 1;
                let new = Project {
                    instance,
                    origin,
                    settings: None,
                    told: None,
                    hostnames: BTreeSet::new(),
                    release: None,
                    suspended: false,
                    drift: None,
                    data: String::new(),
                    pushes,
                    answering,
                    asked,
                    server,
                };
                state.projects.insert(project.clone(), new);
            }
        }
        Ok(())
    }

    async fn configure(&self, project: &ProjectName, settings: &GuardSettings) -> Result<(), ProviderError> {
        self.answer("configuring a project")?;
        self.change(project, |project| {
            project.settings = Some(settings.clone());
            project.drift = None;
        })
    }

    async fn deploy(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError> {
        self.answer("deploying")?;
        let flaw = {
            let mut state = self.0.lock().unwrap();
            state.deployed.push((project.clone(), release.version.clone()));
            state.flaws.get(&release.version).copied()
        };
        self.change(project, |project| {
            project.release = Some(release.clone());
            let release = Some(release.version.clone());
            *project.answering.lock().unwrap() = Answering { release, flaw, is_worked_with: false };
            project.told = project.settings.as_ref().map(|settings| settings.public_url.clone());
        })
    }

    async fn register_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Origin, ProviderError> {
        self.answer("registering a hostname")?;
        let mut origin = None;
        self.change(project, |project| {
            project.hostnames.insert(hostname.to_owned());
            origin = Some(project.origin);
        })?;
        Ok(Origin::Address(origin.unwrap()))
    }

    async fn hostname_ready(&self, _project: &ProjectName, _hostname: &str) -> Result<(), ProviderError> {
        self.answer("asking whether a hostname is served")
    }

    async fn release_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Vec<Removed>, ProviderError> {
        self.answer("releasing a hostname")?;
        let mut state = self.0.lock().unwrap();
        let gone = state.projects.get_mut(project).is_some_and(|project| project.hostnames.remove(hostname));
        Ok(if gone { vec![Removed::new("hostname", hostname)] } else { Vec::new() })
    }

    async fn door(&self, project: &ProjectName, hostname: &str) -> Result<Option<Door>, ProviderError> {
        Ok(self.0.lock().unwrap().projects.get(project).map(|project| Door {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://{}", project.origin),
            host: hostname.to_owned(),
            asleep: false,
        }))
    }

    async fn suspend(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.answer("suspending a project")?;
        self.change(project, |project| project.suspended = true)
    }

    async fn resume(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.answer("resuming a project")?;
        self.change(project, |project| project.suspended = false)
    }

    async fn observe(&self, project: &ProjectName) -> Result<Option<Observation>, ProviderError> {
        let state = self.0.lock().unwrap();
        let at = state.clock.now();
        let seen = state.seen;
        Ok(state.projects.get(project).map(|project| Observation {
            health: match seen {
                Some((health, _)) => health,
                None if project.release.is_some() => Health::Ok,
                None => Health::Down,
            },
            at: seen.map_or(at, |(_, at)| at),
            version: project.release.as_ref().map(|release| release.version.clone()),
            restarts: 0,
            memory_bytes: None,
            detail: None,
        }))
    }

    async fn logs(&self, _project: &ProjectName, _lines: usize) -> Result<String, ProviderError> {
        Ok(String::new())
    }

    async fn observe_all(&self, projects: &[ProjectName]) -> Result<Vec<(ProjectName, Observation)>, ProviderError> {
        let (asleep, at) = {
            let state = self.0.lock().unwrap();
            (Arc::clone(&state.asleep), state.clock.now())
        };
        if !asleep.is_empty() {
            let (health, version) = (Health::Asleep, Some("1".to_owned()));
            let seen = Observation { health, at, version, restarts: 0, memory_bytes: None, detail: None };
            let known = projects.iter().filter(|project| asleep.contains_key(*project));
            return Ok(known.map(|project| (project.clone(), seen.clone())).collect());
        }
        let mut seen = Vec::new();
        for project in projects {
            seen.extend(self.observe(project).await?.map(|observation| (project.clone(), observation)));
        }
        Ok(seen)
    }

    fn observe_every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn puts_to_sleep(&self) -> bool {
        self.0.lock().unwrap().puts_to_sleep
    }

    fn patience(&self) -> SignedDuration {
        SignedDuration::from_mins(30)
    }

    fn tempo(&self) -> Tempo {
        // What does not answer at once never does.
        Tempo { update: SignedDuration::from_secs(2), between: SignedDuration::ZERO, patience: SignedDuration::ZERO }
    }

    fn exports(&self) -> Result<(), &'static str> {
        if self.0.lock().unwrap().exports { Ok(()) } else { Err("Nothing can be downloaded here. Copy what you need.") }
    }

    async fn export(&self, project: &ProjectName, instance: InstanceId) -> Result<Archive, ProviderError> {
        self.answer("exporting")?;
        let state = self.0.lock().unwrap();
        let found = state.projects.get(project).filter(|project| project.instance == instance);
        let missing = || ProviderError::not_found(format!("the project {project}"));
        let text = format!("everything of {}", found.ok_or_else(missing)?.instance);
        Ok(Archive::written_by(move |sink| sink.write_all(text.as_bytes())))
    }

    fn backs_up(&self) -> Result<(), &'static str> {
        Ok(())
    }

    async fn back_up(&self, project: &ProjectName, instance: InstanceId, to: &Target) -> Result<Kept, ProviderError> {
        self.answer("backing up")?;
        let data = self.of(project, instance, |found| found.data.clone())?;
        let bytes = data.len() as u64;
        to.keep(move |sink| {
            sink.write_all(data.as_bytes())?;
            Ok(Contents { files: 1, bytes, left_out: 0 })
        })
        .await
    }

    async fn restore(&self, project: &ProjectName, instance: InstanceId, from: &Source) -> Result<(), ProviderError> {
        self.answer("restoring")?;
        let runs = self.of(project, instance, |found| found.release.is_some() && !found.suspended)?;
        if runs {
            return Err(ProviderError::refused(format!("restore {project}"), "it runs", "suspend it first"));
        }
        let unpack = |packed: &mut dyn std::io::Read| {
            let mut data = String::new();
            packed.read_to_string(&mut data).map(|_| data)
        };
        let data = from.read(unpack).await?;
        self.of(project, instance, |found| found.data = data)
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        self.answer("listing projects")?;
        let state = self.0.lock().unwrap();
        let item = |name: &ProjectName, instance: InstanceId, drift: Option<String>| Item {
            kind: "project",
            id: name.to_string(),
            name: name.to_string(),
            instance: Some(instance),
            created_at: Some("2026-11-01T12:00:00Z".parse().unwrap()),
            monthly_cost: Some(Cents::new(412)),
            drift,
        };
        let mut items: Vec<_> =
            state.projects.iter().map(|(name, it)| item(name, it.instance, it.drift.clone())).collect();
        items.extend(state.asleep.iter().map(|(name, instance)| item(name, *instance, None)));
        Ok(items)
    }

    fn most_at_once(&self) -> Option<u32> {
        Some(50)
    }

    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError> {
        Ok(self.0.lock().unwrap().ceilings.clone())
    }

    fn meters(&self) -> bool {
        self.0.lock().unwrap().used.is_some()
    }

    async fn used(&self, _from: Timestamp, _until: Timestamp) -> Result<Vec<Metered>, ProviderError> {
        self.0.lock().unwrap().asked_for_costs += 1;
        self.answer("reading use")?;
        Ok(self.0.lock().unwrap().used.clone().unwrap_or_default())
    }

    async fn spend(&self) -> Result<Option<Spend>, ProviderError> {
        let spend = {
            let mut state = self.0.lock().unwrap();
            state.asked_for_costs += u32::from(state.spend.is_some());
            state.spend
        };
        if spend.is_some() {
            self.answer("reading what was spent")?;
        }
        Ok(spend)
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }

    async fn delete_project(&self, project: &ProjectName, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        self.answer("deleting a project")?;
        let mut state = self.0.lock().unwrap();
        let is_its_own = state.projects.get(project).is_some_and(|found| found.instance == instance);
        Ok(if is_its_own && state.projects.remove(project).is_some() {
            vec![Removed::new("project", project.to_string())]
        } else {
            Vec::new()
        })
    }

    async fn shutdown(&self) {}
}
