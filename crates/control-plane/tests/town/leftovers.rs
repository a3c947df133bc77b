use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::railway::Route;
use workflow::WorkflowState;

use crate::support::{Town, Wishes};

impl Town {
    /// An hour later all providers are looked at. What is found there.
    pub async fn look_later(&self) -> Vec<Value> {
        self.clock.advance(SignedDuration::from_hours(1));
        let accepted = self.ask(Method::POST, "/providers/sweep", json!({})).await.unwrap();
        self.done(&accepted).await;
        self.findings().await
    }

    pub async fn findings(&self) -> Vec<Value> {
        let page = self.ask(Method::GET, "/providers/findings", json!({})).await.unwrap();
        page["data"].as_array().unwrap().clone()
    }

    pub async fn repair(&self, finding: &Value) {
        let path = format!("/providers/findings/{}/repair", finding["id"].as_str().unwrap());
        let accepted = self.ask(Method::POST, &path, json!({})).await.unwrap();
        self.done(&accepted).await;
    }

    async fn done(&self, accepted: &Value) {
        self.settle().await;
        let record = self.workflow(accepted["workflow_id"].as_str().unwrap()).await;
        assert_eq!(record.state, WorkflowState::Done, "{record:#?}");
    }
}

#[tokio::test]
async fn a_project_deleted_in_the_dashboard_is_made_again_and_answers_at_its_address() {
    let town = Town::open(Wishes::unhurried()).await;
    town.order("acme").await;
    town.settle().await;
    assert_eq!(town.look_later().await, [] as [Value; 0]);
    town.companies.railway.vanish("ai-diy-acme");
    let found = town.look_later().await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["class"], &found[0]["kind"]), (&json!("missing"), &json!("project")));
    town.repair(&found[0]).await;
    assert_eq!(town.findings().await, [] as [Value; 0]);
    assert!(matches!(town.companies.railway.route("acme.ai-diy.ai"), Route::Up(_)));
    let books = town.books().await;
    assert!(books.problems.is_empty() && books.live == 1, "{:#?}", books.problems);
}

#[tokio::test]
async fn what_no_instance_wants_is_found_with_its_age_and_removed_everywhere() {
    let town = Town::open(Wishes::unhurried()).await;
    town.order("acme").await;
    town.order("zoo").await;
    town.settle().await;
    // The store says that it is gone, and nobody removed it.
    store::sqlx::query("update instances set state = 'deleted' where subdomain = 'acme'")
        .execute(town.db.db.write())
        .await
        .unwrap();
    let found = town.look_later().await;
    let mut kinds: Vec<_> = found.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["hostname", "project", "subscription"], "{found:#?}");
    let project = found.iter().find(|one| one["kind"] == "project").unwrap();
    assert!(project["created_at"].as_str().unwrap().starts_with("2026-11-25T10:0"), "{project}");
    for one in &found {
        town.repair(one).await;
    }
    assert_eq!(town.findings().await, [] as [Value; 0]);
    let drivers = &town.app.drivers;
    let mut left = drivers.compute.inventory().await.unwrap();
    left.extend(drivers.edge.inventory().await.unwrap());
    left.extend(drivers.payments.inventory().await.unwrap());
    let owners: std::collections::BTreeSet<_> = left.iter().filter_map(|item| item.instance).collect();
    assert_eq!(owners.len(), 1, "{left:#?}");
    assert_eq!(town.companies.railway.projects().iter().filter(|held| held.name == "ai-diy-acme").count(), 1);
    assert!(matches!(town.companies.railway.route("acme.ai-diy.ai"), Route::NotFound));
}
