use std::sync::Arc;
use std::time::Duration;

use domain::{Email, InstanceId};
use jiff::SignedDuration;
use providers::compute::{Origin, Txt};
use providers::edge::cloudflare::{self, Cloudflare, CloudflareSettings, Ready};
use providers::{ProviderError, budget, resources};
use secrecy::SecretString;
use simulators::cloudflare::{Cloudflare as Simulator, Rule, Settings};
use simulators::{Pace, Served, serve};
use store::testing::{TestDb, fresh};
use world::{Clock, Entropy};

pub const ACME: &str = "acme.ai-diy.ai";
pub const PROOF: &str = "_railway-verify.acme.ai-diy.ai";

/// The driver and the Cloudflare it talks to.
pub struct House {
    pub driver: Cloudflare,
    pub there: Simulator,
    pub served: Served,
    pub clock: Clock,
    pub test: TestDb,
    pub ready: Ready,
    /// Where the wildcard record leads, in a house that has one.
    router: Option<String>,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(Settings { request_limit: None, ..Settings::default() }).await
    }

    /// With the one-time part done.
    pub async fn open_with(settings: Settings) -> Self {
        let mut house = Self::bare(settings).await;
        house.ready = house.driver.apply().await.unwrap();
        house.driver = house.driver_with(house.there.token());
        house
    }

    /// With one wildcard record for everybody, which is made by the setup.
    pub async fn bare_and_routed(settings: Settings) -> Self {
        let mut house = Self::bare(settings).await;
        house.router = Some("ai-diy.ai".into());
        house.driver = house.driver_with(house.there.token());
        house
    }

    /// The same with the one-time part done.
    pub async fn open_and_routed() -> Self {
        let mut house = Self::bare_and_routed(Settings { request_limit: None, ..Settings::default() }).await;
        house.ready = house.driver.apply().await.unwrap();
        house.driver = house.driver_with(house.there.token());
        house
    }

    /// An account in which nothing was done yet.
    pub async fn bare(settings: Settings) -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let there = Simulator::new(clock.clone(), Entropy::seeded(7), settings);
        let served = serve(Arc::new(there.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        let migrations: Vec<_> =
            [budget::MIGRATIONS, resources::MIGRATIONS, cloudflare::MIGRATIONS, edge::MIGRATIONS].concat();
        let test = fresh(store::Engine::Sqlite, &migrations).await;
        let ready = Ready { audience: String::new(), policy_id: String::new(), team_domain: String::new() };
        let driver = driver(&served, &there, there.token(), &test, &clock, &ready, None);
        Self { driver, there, served, clock, test, ready, router: None }
    }

    pub fn driver_with(&self, token: &str) -> Cloudflare {
        let router = self.router.clone();
        driver(&self.served, &self.there, token, &self.test, &self.clock, &self.ready, router)
    }

    /// Does it again, at the times that the answers name, until it is done.
    pub async fn until<T>(&self, work: impl AsyncFn() -> Result<T, ProviderError>) -> T {
        for _ in 0..40 {
            let error = match work().await {
                Ok(done) => return done,
                Err(error) => error,
            };
            assert!(error.is_temporary(), "{error}");
            self.clock.advance(SignedDuration::from_secs(5));
        }
        panic!("it was never done");
    }

    /// The names of all records, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut all: Vec<_> = self.there.records().into_iter().map(|record| record.name).collect();
        all.sort();
        all
    }

    /// Whom the policy lets through.
    pub fn admitted(&self) -> Vec<String> {
        let policies = self.there.policies();
        let policy = policies.iter().find(|policy| policy.name() == "spinoff members").unwrap();
        let email = |rule: &Rule| match rule {
            Rule::Email { email } => email.clone(),
            other => panic!("{other:?}"),
        };
        policy.include().iter().map(email).collect()
    }
}

pub fn driver(
    served: &Served,
    there: &Simulator,
    token: &str,
    test: &TestDb,
    clock: &Clock,
    ready: &Ready,
    router: Option<String>,
) -> Cloudflare {
    let api = format!("{}/client/v4", served.url);
    let token = SecretString::from(token);
    let mut settings = CloudflareSettings::new(&api, token, there.zone_id(), there.account_id(), "ai-diy.ai").unwrap();
    settings.router = router;
    settings.pause = Duration::from_millis(1);
    settings.rate.burst = 10_000;
    settings.audience.clone_from(&ready.audience);
    settings.policy_id.clone_from(&ready.policy_id);
    settings.team_domain.clone_from(&ready.team_domain);
    Cloudflare::new(settings, test.db.clone(), clock.clone(), Entropy::seeded(3)).unwrap()
}

pub fn instance(number: u8) -> InstanceId {
    InstanceId::new("2026-11-25T09:00:00Z".parse().unwrap(), [number; 10])
}

pub fn origin(target: &str) -> Origin {
    let proof = Txt { name: PROOF.into(), text: "railway-verify=5b1f".into() };
    Origin::Name { target: target.into(), proof: Some(proof) }
}

pub fn people(emails: &[&str]) -> Vec<Email> {
    emails.iter().map(|email| Email::parse(email).unwrap()).collect()
}

/// The refusal in words.
pub fn refusal<T: std::fmt::Debug>(done: Result<T, ProviderError>) -> String {
    match done {
        Err(error @ ProviderError::Refused { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}
