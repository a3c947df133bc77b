use jiff::SignedDuration;
use providers::Routing;
use simulators::railway::Behaviour;
use workflow::WorkflowState;

use crate::support::{Habit, Town, Wishes};

#[tokio::test]
async fn a_signup_becomes_an_instance_and_its_deletion_leaves_nothing() {
    for store in [store::Engine::Sqlite, store::Engine::Postgres] {
        comes_and_goes(Town::open(Wishes { store, ..Wishes::default() }).await).await;
    }
}

async fn comes_and_goes(town: Town) {
    let made = town.order("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&made.workflow).await.0, WorkflowState::Done);
    let record = town.provisioning(made.instance).await.unwrap();
    let (state, took) = town.outcome(&record.id).await;
    assert_eq!(state, WorkflowState::Done, "{record:?}");
    // Verification takes Railway 5 to 15 minutes; the rest runs beside it.
    assert!(took.as_mins() < 17, "{took:#}");
    let notes: String = record.steps.into_iter().filter_map(|step| step.notes).collect();
    for call in
        ["Railway projectCreate: 200", "Cloudflare POST …/dns_records/batch: 200", "Stripe POST /v1/subscriptions"]
    {
        assert!(notes.contains(call), "{notes}");
    }
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 1, "{:#?}", books.problems);

    let gone = town.delete("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&gone).await.0, WorkflowState::Done);
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 0, "{:#?}", books.problems);
    assert_eq!(town.count("select count(*) from provider_resources").await, 0);
    assert!(town.companies.cloudflare.records().is_empty());
}

#[tokio::test]
async fn whoever_waits_in_line_sees_the_place_and_the_time() {
    let town = Town::open(Wishes::unhurried()).await;
    let mut orders = Vec::new();
    for number in 0..12 {
        orders.push(town.order(&format!("shop{number}")).await);
    }
    // Long enough for everybody to give a card, and for one or two to get their turn.
    town.live_until(town.clock.now() + SignedDuration::from_secs(20)).await;
    let mut told = Vec::new();
    for order in &orders {
        let record = town.provisioning(order.instance).await.unwrap();
        told.extend(town.waiting(&record.id).await.filter(|words| words.contains("before you")));
    }
    assert!(told.len() >= 5, "{told:?}");
    assert!(told.iter().all(|words| words.contains("your turn comes at about 10:0")), "{told:?}");
    town.settle().await;
    for order in &orders {
        let record = town.provisioning(order.instance).await.unwrap();
        let (state, took) = town.outcome(&record.id).await;
        assert_eq!(state, WorkflowState::Done);
        // Twelve in line at one in 30 s, then the longest verification.
        assert!(took <= SignedDuration::from_mins(6 + 17), "{took:#}");
    }
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 12, "{:#?}", books.problems);
}

#[tokio::test]
async fn a_deploy_that_fails_is_taken_back_and_explained_and_nothing_is_charged() {
    let town = Town::open(Wishes::unhurried()).await;
    town.companies.railway.behave("ai-diy-acme", Behaviour::Fails);
    let made = town.order("acme").await;
    town.settle().await;
    let record = town.provisioning(made.instance).await.unwrap();
    assert_eq!(record.state, WorkflowState::Failed, "{record:#?}");
    assert!(record.error.as_deref().is_some_and(|error| error.starts_with("deploy: ")), "{:?}", record.error);
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.failed == 1, "{:#?}", books.problems);
    assert!(
        town.companies
            .stripe
            .customers()
            .iter()
            .all(|customer| { town.companies.stripe.charged_cents(customer["id"].as_str().unwrap()) == 0 })
    );
    assert!(town.companies.cloudflare.records().is_empty());
}

#[tokio::test]
async fn whoever_enters_no_card_that_works_costs_nothing_and_is_told() {
    for habit in [Habit::StaysAway, Habit::IsDeclined] {
        let town = Town::open(Wishes { habit, ..Wishes::unhurried() }).await;
        let made = town.order("acme").await;
        town.settle().await;
        assert_eq!(town.outcome(&made.workflow).await.0, WorkflowState::Failed, "{habit:?}");
        assert!(town.companies.railway.projects().is_empty(), "{habit:?}");
        let books = town.books().await;
        assert!(books.problems.is_empty() && books.failed == 1, "{habit:?}: {:#?}", books.problems);
    }
}

#[tokio::test]
async fn where_one_record_leads_everybody_a_signup_waits_for_no_verification_and_takes_no_record() {
    let town = Town::open(Wishes { routing: Routing::Wildcard, ..Wishes::default() }).await;
    town.companies.cloudflare.change(|settings| settings.record_quota = 1);
    let made = town.order("acme").await;
    town.settle().await;
    let record = town.provisioning(made.instance).await.unwrap();
    let (state, took) = town.outcome(&record.id).await;
    assert_eq!(state, WorkflowState::Done, "{record:?}");
    // The deploy alone: half a minute to two, and a turn in line.
    assert!(took.as_mins() < 4, "{took:#}");
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 1, "{:#?}", books.problems);

    let moved = town.try_rename("acme", "zebra").await.unwrap();
    town.settle().await;
    assert_eq!(town.outcome(&moved).await.0, WorkflowState::Done);
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 1, "{:#?}", books.problems);
    town.delete("zebra").await;
    town.settle().await;
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 0, "{:#?}", books.problems);
    assert_eq!(town.count("select count(*) from provider_resources").await, 0);
    assert_eq!(town.count("select count(*) from edge_hostnames").await, 0);
}
