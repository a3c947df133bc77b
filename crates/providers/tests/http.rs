//! What becomes of a call when the provider, or the way to it, fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use providers::ProviderError;
use providers::budget::{self, Budget, Rate};
use providers::http::{Api, Call, Repeat, Settings};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use simulators::{Answer, Fault, Pace, Request, Served, Simulator, serve};
use store::testing::{TestDb, fresh};
use world::{Clock, Entropy};

/// Counts what it is asked to make.
#[derive(Default)]
struct Counter(Mutex<u32>);

#[async_trait]
impl Simulator for Counter {
    fn operation(&self, _request: &Request) -> String {
        "make".to_owned()
    }

    async fn answer(&self, request: Request) -> Answer {
        assert_eq!(request.headers()["authorization"], "Bearer s3cret");
        *self.0.lock().unwrap() += 1;
        http::Response::builder().header("request-id", "req_7").body("{}".into()).unwrap()
    }

    fn failure(&self, _status: u16) -> bytes::Bytes {
        "overloaded".into()
    }
}

struct House {
    _test: TestDb,
    clock: Clock,
    counter: Arc<Counter>,
    served: Served,
    told: Arc<Mutex<Vec<String>>>,
    budget: Budget,
}

impl House {
    async fn new() -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let test = fresh(store::Engine::Sqlite, budget::MIGRATIONS).await;
        let counter = Arc::new(Counter::default());
        let simulator: Arc<dyn Simulator> = Arc::<Counter>::clone(&counter);
        let served = serve(simulator, clock.clone(), Pace::Virtual).await.unwrap();
        let budget = Budget::new(test.db.clone(), clock.clone(), "acme");
        Self { _test: test, clock, counter, served, told: Arc::default(), budget }
    }

    fn api(&self) -> Api {
        self.api_at(&self.served.url)
    }

    fn api_at(&self, url: &str) -> Api {
        let told = Arc::clone(&self.told);
        let mut secret = HeaderValue::from_static("Bearer s3cret");
        secret.set_sensitive(true);
        let settings = Settings {
            name: "Acme",
            url: url.parse().unwrap(),
            headers: HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, secret)]),
            deadline: Duration::from_secs(5),
            rate: Rate { number: 100, per: SignedDuration::from_mins(1), burst: 50 },
            pause: Duration::ZERO,
            observer: Arc::new(move |line| told.lock().unwrap().push(line)),
        };
        Api::new(settings, self.budget.clone(), self.clock.clone(), Entropy::seeded(1)).unwrap()
    }

    fn made(&self) -> u32 {
        *self.counter.0.lock().unwrap()
    }
}

fn call(repeat: Repeat) -> Call {
    Call::new("make", Method::POST, "/things", repeat)
}

#[tokio::test]
async fn what_is_safe_is_asked_again_and_what_is_not_is_asked_once() {
    let house = House::new().await;
    let api = house.api();
    for fault in [Fault::ResetAfter, Fault::Status(503)] {
        house.served.faults.once("make", fault);
    }
    let reply = api.ask(&call(Repeat::Safe)).await.unwrap();
    assert_eq!(reply.request_id.as_deref(), Some("req_7"));
    // The answer that got lost, and the one that came.
    assert_eq!(house.made(), 2);
    for fault in [Fault::ResetAfter, Fault::ResetBefore, Fault::Status(500), Fault::Hang] {
        let before = house.served.faults.calls();
        house.served.faults.once("make", fault);
        let error = api.ask(&call(Repeat::Never)).await.unwrap_err();
        assert!(matches!(error, ProviderError::Lost { .. }), "{fault:?}: {error}");
        assert!(!error.to_string().contains("s3cret") && !error.to_string().contains(&house.served.url), "{error}");
        assert_eq!(house.served.faults.calls(), before + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn each_call_is_noted_with_the_providers_id_of_it_and_without_secrets() {
    let house = House::new().await;
    house.api().ask(&call(Repeat::Never)).await.unwrap();
    let told = house.told.lock().unwrap().clone();
    assert_eq!(told, ["Acme make: 200 [req_7] (0 ms)"]);
}

#[tokio::test]
async fn a_call_that_reached_nobody_was_certainly_not_done() {
    let house = House::new().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = house.api_at(&format!("http://{nobody}")).ask(&call(Repeat::Never)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn too_many_for_one_replica_is_too_many_for_all_until_the_time_it_names() {
    let house = House::new().await;
    house.served.faults.once("make", Fault::TooMany { retry_after: Duration::from_secs(40) });
    let until = house.clock.now() + SignedDuration::from_secs(40);
    let (one, other) = (house.api(), house.api());
    for api in [&one, &other] {
        let error = api.ask(&call(Repeat::Safe)).await.unwrap_err();
        assert!(matches!(error, ProviderError::InLine { until: told, .. } if told == until), "{error:?}");
    }
    assert_eq!(house.served.faults.calls(), 1);
    house.clock.advance(SignedDuration::from_secs(40));
    other.ask(&call(Repeat::Safe)).await.unwrap();
}

#[tokio::test]
async fn no_more_is_asked_than_the_provider_allows() {
    let house = House::new().await;
    let api = house.api();
    for _ in 0..50 {
        api.ask(&call(Repeat::Safe)).await.unwrap();
    }
    let error = api.ask(&call(Repeat::Safe)).await.unwrap_err();
    assert!(matches!(error, ProviderError::InLine { .. }), "{error:?}");
    house.clock.advance(SignedDuration::from_secs(1));
    api.ask(&call(Repeat::Safe)).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_only_fails_is_left_alone_for_a_while() {
    let house = House::new().await;
    let api = house.api();
    house.served.faults.always("make", Fault::Status(500));
    for _ in 0..10 {
        assert!(matches!(api.ask(&call(Repeat::Never)).await, Err(ProviderError::Lost { .. })));
    }
    assert!(matches!(api.ask(&call(Repeat::Never)).await, Err(ProviderError::NotYet { .. })));
    assert_eq!(house.served.faults.calls(), 10);
    house.served.faults.clear();
    house.clock.advance(SignedDuration::from_secs(5));
    api.ask(&call(Repeat::Never)).await.unwrap();
    api.ask(&call(Repeat::Never)).await.unwrap();
}
