//! Releases reach instances at Railway, by its real driver.

use std::collections::BTreeMap;

use serde_json::json;
use simulators::railway::Behaviour;

use crate::support::{RolloutTime, Town, Wishes};

async fn with(number: usize, wishes: Wishes) -> Town {
    let town = Town::open(wishes).await;
    for place in 0..number {
        town.order(&format!("shop{place}")).await;
    }
    town.settle().await;
    town
}

fn running(these: &[(&str, usize)]) -> BTreeMap<String, usize> {
    these.iter().map(|(version, number)| ((*version).to_owned(), *number)).collect()
}

#[tokio::test]
async fn a_good_release_reaches_everybody_whatever_fails_and_a_bad_one_nobody() {
    for seed in 0..3 {
        let town = with(6, Wishes { seed, ..Wishes::brisk() }).await;
        town.companies.fail_by_chance(30, seed);
        town.release("2").await;
        let id = town.roll_out("2", json!({"waves": [20], "at_once": 3, "soak_minutes": 1})).await;
        assert_eq!(town.until_decided(&id).await, "done", "seed {seed}");
        assert_eq!(town.running().await, running(&[("2", 6)]), "seed {seed}");

        let image = town.release("3").await;
        town.companies.railway.behave_with(&image, Behaviour::Fails);
        let id = town.roll_out("3", json!({"waves": [20], "at_once": 3})).await;
        assert_eq!(town.until_decided(&id).await, "halted", "seed {seed}");
        town.settle().await;
        assert_eq!(town.running().await, running(&[("2", 6)]), "seed {seed}");
        let reached = town.count("select count(*) from rollout_units where state = 'rolled_back'").await;
        assert!((1..=2).contains(&reached), "seed {seed}: its wave has two, and {reached} failed");
        assert_eq!(town.throttled(), 0, "seed {seed}");
    }
}

#[tokio::test]
async fn what_comes_up_and_then_dies_at_railway_goes_back() {
    let town = with(3, Wishes::brisk()).await;
    let image = town.release("2").await;
    town.companies.railway.behave_with(&image, Behaviour::CrashesAfter(jiff::SignedDuration::from_secs(40)));
    let id = town.roll_out("2", json!({"soak_minutes": 3})).await;
    assert_eq!(town.until_decided(&id).await, "halted");
    town.settle().await;
    assert_eq!(town.running().await, running(&[("1", 3)]));
}

#[tokio::test]
async fn everything_is_taken_back_at_railway_when_the_operator_says_so() {
    let town = with(4, Wishes::brisk()).await;
    town.release("2").await;
    let id = town.roll_out("2", json!({"at_once": 2})).await;
    assert_eq!(town.until_decided(&id).await, "done");
    town.ask(reqwest::Method::POST, &format!("/rollouts/{id}/roll-back"), json!({})).await.unwrap();
    assert_eq!(town.until_decided(&id).await, "rolled_back");
    assert_eq!(town.running().await, running(&[("1", 4)]));
}

/// A larger one: `cargo xtask bench rollout`.
#[tokio::test]
async fn a_rollout_takes_little_longer_than_railway_lets_it() {
    let time = RolloutTime::of(40, 8, &[10, 30]).await;
    println!("{time:?} dictated {:#} ratio {:.3}", time.dictated(), time.ratio());
    assert_eq!((time.updated, time.throttled), (40, 0), "{time:?}");
    // What the rate limit is reckoned with when a rollout is planned.
    assert!(time.asked < 16.0, "{time:?}");
    assert!(time.ratio() < 1.25, "{time:?}");
}
