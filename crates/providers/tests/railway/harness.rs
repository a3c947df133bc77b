use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{HomeName, InstanceId, ProjectName};
use jiff::SignedDuration;
use providers::compute::railway::{Limits, Railway, RailwaySettings};
use providers::compute::{Compute, GuardSettings, Origin, Release};
use providers::{ProviderError, Removed, Routing, budget, resources};
use secrecy::SecretString;
use simulators::railway::{self, Dns, Kind, Plan, Settings};
use simulators::{Pace, Served, serve};
use store::testing::{TestDb, fresh};
use world::{Clock, Entropy};

pub const HOSTNAME: &str = "acme.example.com";
pub const IMAGE: &str = "registry.example/app@sha256:1111";
pub const SECRET: &str = "instance-token-nobody-may-read";

/// The driver, the Railway it talks to, and the DNS that both see.
pub struct House {
    pub driver: Railway,
    pub railway: railway::Railway,
    pub served: Served,
    pub clock: Clock,
    pub told: Arc<Mutex<Vec<String>>>,
    pub test: TestDb,
    dns: Arc<Records>,
}

/// DNS records that a test writes.
#[derive(Default)]
struct Records {
    txt: Mutex<BTreeMap<String, String>>,
    cname: Mutex<BTreeMap<String, String>>,
}

impl Dns for Records {
    fn txt(&self, name: &str) -> Vec<String> {
        self.txt.lock().unwrap().get(name).into_iter().cloned().collect()
    }

    fn cname(&self, name: &str) -> Option<String> {
        self.cname.lock().unwrap().get(name).cloned()
    }
}

/// With all lags and delays, but without a limit on calls.
pub fn slow() -> Settings {
    Settings { plan: Plan::Unlimited, ..Settings::default() }
}

impl House {
    pub async fn open(settings: Settings) -> Self {
        Self::open_as(settings, Routing::Records).await
    }

    pub async fn open_as(settings: Settings, routing: Routing) -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let railway = railway::Railway::new(clock.clone(), Entropy::seeded(7), settings);
        let dns = Arc::new(Records::default());
        railway.set_dns(dns.clone());
        let served = serve(Arc::new(railway.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        let migrations: Vec<_> = [budget::MIGRATIONS, resources::MIGRATIONS].concat();
        let test = fresh(store::Engine::Sqlite, &migrations).await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let driver = driver(&served, railway.workspace_token(), &test, &clock, &told, routing);
        Self { driver, railway, served, clock, told, test, dns }
    }

    /// The same with another token.
    pub fn driver_with(&self, token: &str) -> Railway {
        driver(&self.served, token, &self.test, &self.clock, &self.told, Routing::Records)
    }

    /// The same, by another routing.
    pub fn driver_by(&self, routing: Routing) -> Railway {
        let token = self.railway.workspace_token();
        driver(&self.served, token, &self.test, &self.clock, &self.told, routing)
    }

    /// Another home in the same workspace.
    pub fn driver_in(&self, home: &HomeName, routing: Routing) -> Railway {
        let token = self.railway.workspace_token();
        let settings = settings(&self.served, token, &self.told, routing);
        let settings = RailwaySettings { home: home.clone(), region: Some("us-west2".into()), ..settings };
        Railway::new(settings, self.test.db.clone(), self.clock.clone(), Entropy::seeded(5)).unwrap()
    }

    /// Does it again, at the times that the answers name, until it is done.
    pub async fn until<T>(&self, work: impl AsyncFn() -> Result<T, ProviderError>) -> T {
        self.attempt(work).await.unwrap()
    }

    /// The same, up to what is no use to repeat.
    pub async fn attempt<T>(&self, work: impl AsyncFn() -> Result<T, ProviderError>) -> Result<T, ProviderError> {
        for _ in 0..400 {
            let error = match work().await {
                Ok(done) => return Ok(done),
                Err(error) if !error.is_temporary() => return Err(error),
                Err(error) => error,
            };
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(SECRET), "{shown}");
            self.clock.advance(match error {
                ProviderError::NotYet { after, .. } => after,
                ProviderError::InLine { until, .. } => until.duration_since(self.clock.now()),
                _ => SignedDuration::from_secs(2),
            });
        }
        panic!("it was never done: {:?}", work().await.err());
    }

    /// Writes the records that Railway asks for.
    pub fn publish(&self, origin: &Origin) {
        let Origin::Name { target, proof } = origin else { panic!("{origin:?}") };
        let proof = proof.as_ref().unwrap();
        self.dns.cname.lock().unwrap().insert(HOSTNAME.into(), target.clone());
        self.dns.txt.lock().unwrap().insert(proof.name.clone(), proof.text.clone());
    }

    pub async fn make(&self) {
        let driver = &self.driver;
        self.until(async || driver.create_project(&acme(), instance(1)).await).await;
        self.until(async || driver.configure(&acme(), &guard()).await).await;
    }

    /// From nothing to an instance that answers by its hostname.
    pub async fn live(&self) -> Origin {
        let driver = &self.driver;
        self.make().await;
        let origin = self.until(async || driver.register_hostname(&acme(), HOSTNAME).await).await;
        self.publish(&origin);
        self.until(async || driver.deploy(&acme(), &release(IMAGE)).await).await;
        self.until(async || driver.hostname_ready(&acme(), HOSTNAME).await).await;
        origin
    }

    pub async fn delete(&self) -> Vec<Removed> {
        self.until(async || self.driver.delete_project(&acme(), instance(1)).await).await
    }

    /// How often each thing was made.
    pub fn made(&self) -> [usize; 5] {
        let by_project = [Kind::Project, Kind::Service, Kind::Volume, Kind::Deployment];
        let [project, service, volume, deployment] =
            by_project.map(|kind| self.railway.creations(kind, acme().as_str()));
        [project, service, volume, self.railway.creations(Kind::CustomDomain, HOSTNAME), deployment]
    }

    pub async fn recorded(&self) -> usize {
        let things = resources::Resources::new(self.test.db.clone(), self.clock.clone(), "railway");
        things.of(instance(1)).await.unwrap().len()
    }
}

fn driver(
    served: &Served,
    token: &str,
    test: &TestDb,
    clock: &Clock,
    told: &Arc<Mutex<Vec<String>>>,
    routing: Routing,
) -> Railway {
    let settings = settings(served, token, told, routing);
    Railway::new(settings, test.db.clone(), clock.clone(), Entropy::seeded(3)).unwrap()
}

fn settings(served: &Served, token: &str, told: &Arc<Mutex<Vec<String>>>, routing: Routing) -> RailwaySettings {
    let told = Arc::clone(told);
    let mut settings = RailwaySettings::new(&served.url, SecretString::from(token), "ws-simulated").unwrap();
    settings.region = Some("europe-west4-drams3a".into());
    settings.limits = Some(Limits { vcpus: 1.0, memory_gb: 0.5 });
    settings.routing = routing;
    settings.pause = Duration::from_millis(1);
    settings.edge_address = Some(served.address);
    settings.observer = Arc::new(move |line| told.lock().unwrap().push(line));
    settings
}

pub fn acme() -> ProjectName {
    ProjectName::parse("ai-diy-acme").unwrap()
}

pub fn instance(number: u8) -> InstanceId {
    InstanceId::new("2026-11-25T09:00:00Z".parse().unwrap(), [number; 10])
}

pub fn guard() -> GuardSettings {
    GuardSettings {
        instance: instance(1),
        public_url: format!("https://{HOSTNAME}"),
        issuer: "https://team.example.com".into(),
        audiences: vec!["4714c135".into()],
        main_url: "https://spinoff.example.com".into(),
        main_key: "a2V5".into(),
        closed_off: false,
        instance_token: SecretString::from(SECRET),
    }
}

pub fn release(image: &str) -> Release {
    Release {
        version: "2026.11.1".into(),
        image: Some(image.into()),
        command: "serve".into(),
        health_path: "/healthz".into(),
        read_only: Vec::new(),
        activity_rules: None,
    }
}
