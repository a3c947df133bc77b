use jiff::SignedDuration;
use serde_json::json;
use simulators::railway::{Behaviour, Container, Report, Settings, Span};

use crate::harness::{Home, House};

async fn open() -> (House, Home) {
    let settings =
        Settings { deploy: Span::seconds(100, 100), idle: Some(SignedDuration::from_mins(10)), ..Settings::quick() };
    let house = House::open(settings).await;
    house.railway.behave_usually(Behaviour::AsReported);
    let home = house.home("one").await;
    (house, home)
}

fn only(house: &House) -> Container {
    let mut all = house.railway.containers();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[tokio::test]
async fn a_deployment_succeeds_when_whoever_runs_it_says_so_and_not_before_its_time() {
    let (house, home) = open().await;
    assert!(house.railway.containers().is_empty(), "nothing is built yet");
    house.pass(50);
    let container = only(&house);
    assert_eq!((container.project.as_str(), container.is_new), ("one", true));
    assert_eq!(container.variables["PORT"], "8000");
    house.railway.report(&container.deployment, Report::Healthy);
    house.pass(49);
    assert_eq!(house.status(&container.deployment).await, "DEPLOYING");
    assert!(!only(&house).is_new, "its health is said");
    house.pass(1);
    assert_eq!(house.status(&container.deployment).await, "SUCCESS");

    let next = house.deploy(&home).await;
    house.pass(60);
    assert_eq!(house.railway.containers().len(), 2, "the former one runs until the next is healthy");
    house.pass(10_000);
    assert_eq!(house.status(&next).await, "DEPLOYING");
    house.railway.report(&next, Report::Unhealthy);
    assert_eq!(house.status(&next).await, "FAILED");
    assert_eq!(only(&house).deployment, container.deployment);
    house.railway.report(&container.deployment, Report::Crashed);
    assert_eq!(house.status(&container.deployment).await, "CRASHED");
    assert!(house.railway.containers().is_empty());
}

#[tokio::test]
async fn what_is_restarted_waits_for_a_report_and_what_is_deleted_does_not_run() {
    let (house, home) = open().await;
    house.pass(100);
    let deployment = only(&house).deployment;
    house.railway.report(&deployment, Report::Healthy);
    assert_eq!(house.status(&deployment).await, "SUCCESS");
    house.done("Restart", json!({ "id": deployment })).await;
    assert!(only(&house).is_new);
    house.pass(10_000);
    assert_eq!(house.status(&deployment).await, "DEPLOYING");
    house.railway.report(&deployment, Report::Healthy);
    assert!(!only(&house).is_new);
    house.done("ProjectDelete", json!({ "id": home.project })).await;
    assert!(house.railway.containers().is_empty());
    house.railway.report(&deployment, Report::Healthy);
}
