//! Instances that are made ahead of their customers.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::railway::Route;
use workflow::WorkflowState;

use crate::support::{Habit, Town, Wishes};

fn with_pool(size: u32) -> Wishes {
    Wishes { pool: size, ..Wishes::unhurried() }
}

impl Town {
    async fn pool(&self) -> Value {
        self.ask(Method::GET, "/pool", json!({})).await.unwrap()
    }

    async fn expect_well(&self) {
        let books = self.books().await;
        assert!(books.problems.is_empty(), "{:#?}", books.problems);
    }

    fn is_up(&self, subdomain: &str) -> bool {
        matches!(self.companies.railway.route(&format!("{subdomain}.ai-diy.ai")), Route::Up(_))
    }
}

#[tokio::test]
async fn who_signs_up_starts_at_once_and_the_chosen_name_takes_over_by_itself() {
    for store in [store::Engine::Sqlite, store::Engine::Postgres] {
        starts_at_once(Town::open(Wishes { store, ..with_pool(1) }).await).await;
    }
}

async fn starts_at_once(town: Town) {
    town.fill_pool().await;
    let pool = town.pool().await;
    assert_eq!((&pool["ready"], pool["instances"].as_array().unwrap().len()), (&json!(1), 1), "{pool:#}");
    let warm = pool["instances"][0]["subdomain"].as_str().unwrap().to_owned();
    assert!(town.is_up(&warm));
    // Nobody is let in, and nobody pays.
    town.expect_well().await;

    let began = town.clock.now();
    let order = town.sign_up("acme").await;
    town.live_until(began + SignedDuration::from_secs(2)).await;
    let claim = town.provisioning(order.instance).await.unwrap();
    assert_eq!((claim.kind.as_str(), claim.state), ("claim.v1", WorkflowState::Done), "{claim:#?}");
    assert_eq!(town.subdomain(order.instance).await.as_ref(), Some(&warm));
    let page = town.page(&format!("/signup/{}", claim.id)).await;
    assert!(page.contains(&format!("You start at {warm}.ai-diy.ai. acme.ai-diy.ai takes over")), "{page}");

    town.settle().await;
    assert_eq!(town.subdomain(order.instance).await.as_deref(), Some("acme"));
    assert!(town.is_up("acme") && !town.is_up(&warm));
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 1, "{:#?}", books.problems);
    let gone = town.delete("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&gone).await.0, WorkflowState::Done);
    town.expect_well().await;
}

#[tokio::test]
async fn nobody_gets_what_another_got_and_who_finds_none_left_waits_as_without() {
    let town = Town::open(with_pool(2)).await;
    town.fill_pool().await;
    let orders = [town.sign_up("one").await, town.sign_up("two").await, town.sign_up("three").await];
    town.settle().await;
    let mut kinds = Vec::new();
    for order in &orders {
        let record = town.provisioning(order.instance).await.unwrap();
        assert_eq!(record.state, WorkflowState::Done, "{record:#?}");
        kinds.push(record.kind);
    }
    assert_eq!(kinds, ["claim.v1", "claim.v1", "provision.v1"]);
    assert_ne!(orders[0].instance, orders[1].instance);
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 3, "{:#?}", books.problems);
    // Two more are made when nobody waits any more.
    town.fill_pool().await;
    assert_eq!(town.pool().await["ready"], json!(2));
    town.expect_well().await;
}

#[tokio::test]
async fn what_an_order_that_came_to_nothing_held_is_taken_down_and_never_given_again() {
    let town = Town::open(Wishes { habit: Habit::StaysAway, ..with_pool(1) }).await;
    town.fill_pool().await;
    let order = town.sign_up("acme").await;
    town.settle().await;
    assert_eq!(town.outcome(&order.workflow).await.0, WorkflowState::Failed);
    assert_eq!(town.pool().await["ready"], json!(0));
    town.expect_well().await;
    town.fill_pool().await;
    let pool = town.pool().await;
    assert_eq!(pool["ready"], json!(1));
    assert_ne!(pool["instances"][0]["id"], json!(order.instance.to_string()));
    town.expect_well().await;
}

#[tokio::test]
async fn what_is_ordered_for_somebody_else_takes_none_from_those_who_order_for_themselves() {
    let town = Town::open(with_pool(1)).await;
    town.fill_pool().await;
    let order = town.order("acme").await;
    town.settle().await;
    assert_eq!(town.provisioning(order.instance).await.unwrap().kind, "provision.v1");
    assert_eq!(town.pool().await["ready"], json!(1));
    town.expect_well().await;
}

#[tokio::test]
async fn one_that_runs_what_is_not_sold_any_more_is_replaced() {
    let town = Town::open(with_pool(1)).await;
    town.fill_pool().await;
    let before = town.pool().await["instances"][0]["id"].clone();
    let mut tx = town.db.db.begin().await.unwrap();
    store::sqlx::query("update warm_instances set release = 'older'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    // Whoever comes before it is replaced does not get it.
    let order = town.sign_up("acme").await;
    town.settle().await;
    assert_eq!(town.provisioning(order.instance).await.unwrap().kind, "provision.v1");
    town.fill_pool().await;
    let pool = town.pool().await;
    assert_eq!(pool["ready"], json!(1));
    assert_ne!(pool["instances"][0]["id"], before);
    town.expect_well().await;
}

#[tokio::test]
async fn one_that_lost_its_project_is_found_and_replaced() {
    let town = Town::open(with_pool(1)).await;
    town.fill_pool().await;
    let warm = town.pool().await["instances"][0].clone();
    assert_eq!(town.look_later().await, [] as [Value; 0]);
    town.companies.railway.vanish(warm["project"].as_str().unwrap());
    let found = town.look_later().await;
    assert_eq!((found.len(), &found[0]["class"]), (1, &json!("missing")), "{found:#?}");
    town.repair(&found[0]).await;
    assert_eq!(town.findings().await, [] as [Value; 0]);
    town.fill_pool().await;
    let pool = town.pool().await;
    assert_eq!(pool["ready"], json!(1));
    assert_ne!(pool["instances"][0]["id"], warm["id"]);
    town.expect_well().await;
}
