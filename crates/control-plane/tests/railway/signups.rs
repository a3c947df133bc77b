use jiff::SignedDuration;
use simulators::Fault;
use simulators::railway::{Behaviour, Plan, Settings};
use workflow::{Faults, Moment, WorkflowState};
use world::Entropy;

use crate::town::Town;

fn without_call_limits() -> Settings {
    Settings { plan: Plan::Unlimited, ..Settings::default() }
}

#[tokio::test]
async fn a_signup_becomes_an_instance_and_its_deletion_leaves_nothing() {
    let town = Town::open(Settings::default(), Faults::none()).await;
    let made = town.order("acme").await;
    town.settle().await;
    let (state, took) = town.outcome(&made).await;
    assert_eq!(state, WorkflowState::Done, "{:?}", town.workflow(&made).await);
    // Verification takes Railway 5 to 15 minutes; the rest runs beside it.
    assert!(took.as_mins() < 17, "{took:#}");
    assert_eq!(town.projects(), ["ai-diy-acme"]);
    assert_eq!(town.names.published(), ["acme.localhost"]);
    let notes: String = town.workflow(&made).await.steps.into_iter().filter_map(|step| step.notes).collect();
    assert!(notes.contains("projectCreate: 200"), "{notes}");

    let gone = town.delete("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&gone).await.0, WorkflowState::Done);
    assert!(town.projects().is_empty() && town.names.published().is_empty());
    assert_eq!(town.count("select count(*) from provider_resources").await, 0);
    town.close().await;
}

#[tokio::test]
async fn whoever_waits_in_line_sees_the_place_and_the_time() {
    let town = Town::open(without_call_limits(), Faults::none()).await;
    let mut orders = Vec::new();
    for number in 0..12 {
        orders.push(town.order(&format!("shop{number}")).await);
    }
    town.started_all(&orders).await;
    let mut told = Vec::new();
    for order in &orders {
        told.extend(town.waiting(order).await.filter(|words| words.contains("before you")));
    }
    assert!(told.len() >= 5, "{told:?}");
    assert!(told.iter().all(|words| words.contains("your turn comes at about 10:0")), "{told:?}");
    town.settle().await;
    for order in &orders {
        let (state, took) = town.outcome(order).await;
        assert_eq!(state, WorkflowState::Done);
        // Twelve in line at one in 30 s, then the longest verification.
        assert!(took.as_mins() < 6 + 17, "{took:#}");
    }
    assert_eq!(town.projects().len(), 12);
    assert_eq!(town.count("select count(*) from provider_lines").await, 0);
    town.close().await;
}

#[tokio::test]
async fn each_call_may_fail_before_or_after_its_effect_and_one_of_each_thing_is_made() {
    // A signup takes some twenty calls; those beyond its end change nothing.
    for number in 1..=24 {
        for fault in [Fault::ResetBefore, Fault::ResetAfter] {
            let town = Town::open(without_call_limits(), Faults::none()).await;
            town.served.faults.at_call(number, fault);
            let made = town.order("acme").await;
            town.settle().await;
            let record = town.workflow(&made).await;
            assert_eq!(record.state, WorkflowState::Done, "{fault:?} at {number}: {record:#?}");
            assert_eq!(town.projects(), ["ai-diy-acme"], "{fault:?} at {number}");
            town.close().await;
        }
    }
}

#[tokio::test]
async fn a_process_may_die_at_each_step_and_the_next_one_goes_on() {
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let faults = Faults::by(move |point| {
        let first = point.moment == Moment::After && seen.lock().unwrap().insert(point.clone());
        first.then_some(workflow::Fault::Temporary)
    });
    let town = Town::open(without_call_limits(), faults).await;
    let made = town.order("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&made).await.0, WorkflowState::Done);
    assert_eq!(town.projects(), ["ai-diy-acme"]);
    let gone = town.delete("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&gone).await.0, WorkflowState::Done);
    assert!(town.projects().is_empty());
    town.close().await;
}

#[tokio::test]
async fn a_deploy_that_fails_is_taken_back_and_explained_and_nothing_is_charged() {
    let town = Town::open(without_call_limits(), Faults::none()).await;
    town.railway.behave("ai-diy-acme", Behaviour::Fails);
    let made = town.order("acme").await;
    town.settle().await;
    let record = town.workflow(&made).await;
    assert_eq!(record.state, WorkflowState::Failed, "{record:#?}");
    assert!(record.error.as_deref().is_some_and(|error| error.starts_with("deploy: ")), "{:?}", record.error);
    assert!(town.projects().is_empty() && town.names.published().is_empty());
    assert_eq!(town.count("select count(*) from provider_resources").await, 0);
    assert_eq!(town.count("select count(*) from ledger_subscriptions").await, 0);
    assert_eq!(town.count("select count(*) from messages where message_key like 'provisioning failed%'").await, 2);
    town.close().await;
}

#[tokio::test]
async fn whatever_chance_does_a_signup_ends_wholly_made_or_wholly_undone() {
    for seed in 0..12 {
        let town = Town::open(without_call_limits(), Faults::none()).await;
        town.served.faults.by_chance(120, Entropy::seeded(seed));
        let orders = [town.order("acme").await, town.order("zoo").await];
        town.settle().await;
        let mut active = 0;
        for order in &orders {
            match town.outcome(order).await.0 {
                WorkflowState::Done => active += 1,
                WorkflowState::Failed => {}
                other => panic!("seed {seed}: {other}"),
            }
        }
        assert_eq!(town.projects().len(), active, "seed {seed}");
        assert_eq!(town.names.published().len(), active, "seed {seed}");
        assert_eq!(town.count("select count(*) from instances where state = 'active'").await, active as i64);
        assert_eq!(town.count("select count(*) from ledger_subscriptions where ended_at is null").await, active as i64);
        town.close().await;
    }
}

#[tokio::test]
async fn a_crowd_with_faults_of_every_kind_is_served_about_as_fast_as_railway_lets_it() {
    let crowd: i32 = 40;
    let town = Town::open(Settings::default(), Faults::none()).await;
    town.served.faults.by_chance(50, Entropy::seeded(5));
    let began = town.clock.now();
    let mut orders = Vec::new();
    for number in 0..crowd {
        orders.push(town.order(&format!("shop{number}")).await);
    }
    town.settle().await;
    let mut active = 0;
    for order in &orders {
        let record = town.workflow(order).await;
        match record.state {
            WorkflowState::Done => active += 1,
            WorkflowState::Failed => {}
            other => panic!("{order} is {other}: {:?}", record.error),
        }
    }
    let took = town.clock.now().duration_since(began);
    // One project in 30 s, then the longest verification.
    let dictated = SignedDuration::from_secs(30) * (crowd - 1) + SignedDuration::from_mins(15);
    let ratio = took.as_secs_f64() / dictated.as_secs_f64();
    println!("{active} of {crowd} active after {took:#}; Railway's limits alone: {dictated:#} ({ratio:.3})");
    assert_eq!(town.projects().len(), active);
    assert_eq!(town.names.published().len(), active);
    assert_eq!(town.count("select count(*) from provider_lines").await, 0);
    assert!(active as i32 * 100 >= crowd * 95, "{active} of {crowd}");
    town.close().await;
}
