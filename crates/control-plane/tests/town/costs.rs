//! What instances cost, read at a simulated Railway that fails.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::Fault;
use world::Entropy;

use crate::support::{Town, Wishes};

async fn margins(town: &Town) -> Value {
    town.ask(Method::GET, "/billing/margins?month=2026-11", json!({})).await.unwrap()
}

async fn read(town: &Town) {
    town.clock.advance(SignedDuration::from_mins(61));
    control_plane::read_costs(&town.app).await.unwrap();
}

/// What all customers and nobody in particular cost, in millionths.
fn compute(found: &Value) -> i64 {
    let each = found["customers"].as_array().unwrap().iter().map(|row| &row["costs"]);
    each.chain([&found["nobody"]]).map(|costs| costs["compute_micros"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn what_customers_cost_is_what_railway_charges_for_them_even_after_they_are_gone() {
    let town = Town::open(Wishes::unhurried()).await;
    for name in ["acme", "zoo"] {
        town.order(name).await;
    }
    town.settle().await;
    town.clock.advance(SignedDuration::from_hours(48));
    read(&town).await;
    let found = margins(&town).await;
    let charged = async || {
        let spend = town.app.drivers.compute.spend().await.unwrap().unwrap();
        spend.spent.get()
    };
    // Railway rounds nothing, and each product is rounded here: two projects, five resources.
    let off = (compute(&found) - charged().await).abs();
    assert!(off <= 10 && compute(&found) > 0, "{off} of {}", compute(&found));
    assert_eq!(found["customers"].as_array().unwrap().len(), 2);
    let before = compute(&found);
    let accepted = town.ask(Method::DELETE, "/instances/acme", json!({"confirm": "acme"})).await.unwrap();
    town.settle().await;
    assert!(accepted["workflow_id"].is_string());
    read(&town).await;
    let found = margins(&town).await;
    assert!(compute(&found) >= before, "what was used stays paid for");
    assert_eq!((found["customers"].as_array().unwrap().len(), &found["nobody"]["compute_micros"]), (2, &json!(0)));
}

#[tokio::test]
async fn faults_delay_the_figures_and_change_none() {
    let figures = async |faults: &[Fault], chance: Option<u64>| {
        let town = Town::open(Wishes::unhurried()).await;
        town.order("acme").await;
        town.settle().await;
        town.clock.advance(SignedDuration::from_hours(24));
        if let Some(seed) = chance {
            town.companies.faults("railway").by_chance(500, Entropy::seeded(seed));
        }
        for fault in faults {
            town.companies.faults("railway").next(*fault);
            read(&town).await;
        }
        // Whatever was read or not: three hours later it is.
        let until: jiff::Timestamp = "2026-11-28T00:00:00Z".parse().unwrap();
        while town.clock.now() < until - SignedDuration::from_hours(1) {
            read(&town).await;
        }
        town.companies.behave();
        town.clock.advance(until.duration_since(town.clock.now()));
        town.clock.advance(SignedDuration::from_mins(61));
        control_plane::read_costs(&town.app).await.unwrap();
        compute(&margins(&town).await)
    };
    let wanted = figures(&[], None).await;
    let busy = Fault::TooMany { retry_after: Duration::from_secs(60) };
    let faults = [Fault::Status(500), Fault::Status(429), busy, Fault::ResetBefore, Fault::ResetAfter];
    assert_eq!(figures(&faults, None).await, wanted);
    assert_eq!(figures(&[], Some(3)).await, wanted);
}

#[tokio::test]
async fn however_many_instances_there_are_an_hour_takes_a_few_calls() {
    let town = Town::open(Wishes::unhurried()).await;
    for name in ["acme", "zoo", "bar", "foo"] {
        town.order(name).await;
    }
    town.settle().await;
    read(&town).await;
    let before = town.companies.calls("railway");
    for _ in 0..10 {
        read(&town).await;
    }
    // Each hour: what was used, and what was spent. October was read long after its end.
    assert_eq!(town.companies.calls("railway") - before, 20);
}
