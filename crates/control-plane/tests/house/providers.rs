//! What is left behind, missing or changed at the providers is seen, and put right in one step; whoever
//! could not be served is turned away before anything is made.

use domain::{InstanceId, ProjectName};
use providers::compute::Compute as _;
use providers::inventory::Ceiling;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment};

use crate::support::TestApp;

const OPERATOR: Option<&str> = Some("operator@localhost");

/// Whatever has happened did so an hour earlier, so that nothing is too new to be judged.
async fn an_hour_later(app: &TestApp) {
    for sql in [
        "update instances set created_at = created_at - 3600000, changed_at = changed_at - 3600000",
        "update workflows set finished_at = finished_at - 3600000 where finished_at is not null",
    ] {
        store::sqlx::query(sql).execute(app.db.db.write()).await.unwrap();
    }
}

/// Looks at all providers, and gives what is found there.
async fn look(app: &TestApp) -> Vec<Value> {
    let (status, accepted) = app.api(Method::POST, "/providers/sweep", None).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    assert_eq!(app.settled(accepted["workflow_id"].as_str().unwrap()).await, "done");
    findings(app, "open").await
}

async fn findings(app: &TestApp, state: &str) -> Vec<Value> {
    let (status, page) = app.api(Method::GET, &format!("/providers/findings?state={state}"), None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().unwrap().clone()
}

async fn repair(app: &TestApp, finding: &Value) -> String {
    let path = format!("/providers/findings/{}/repair", finding["id"].as_str().unwrap());
    let (status, accepted) = app.api(Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    app.settled(accepted["workflow_id"].as_str().unwrap()).await
}

fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

async fn id_of(app: &TestApp, subdomain: &str) -> InstanceId {
    InstanceId::parse(app.instance(subdomain).await["id"].as_str().unwrap()).unwrap()
}

/// An instance that was deleted, and a project of it that was not.
async fn with_an_orphan(engine: Engine) -> TestApp {
    let app = TestApp::start_with(engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let id = id_of(&app, "acme").await;
    assert_eq!(app.delete("acme").await, "done");
    app.host.create_project(&project("ai-diy-acme"), id).await.unwrap();
    app
}

#[tokio::test]
async fn what_is_left_behind_is_seen_with_age_and_cost_and_removed_by_its_repair() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = with_an_orphan(engine).await;
        assert_eq!(look(&app).await, [] as [Value; 0], "it is too new to be judged");
        an_hour_later(&app).await;
        let found = look(&app).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let orphan = &found[0];
        assert_eq!((&orphan["class"], &orphan["kind"]), (&json!("orphan"), &json!("project")));
        assert_eq!((&orphan["created_at"], &orphan["monthly_cents"]), (&json!("2026-11-01T12:00:00Z"), &json!(412)));
        assert_eq!((&orphan["may_repair"], &orphan["removes"]), (&json!(true), &json!(true)));
        let again = look(&app).await;
        assert_eq!(again[0]["first_seen_at"], orphan["first_seen_at"], "it is the same one");

        assert_eq!(repair(&app, orphan).await, "done");
        assert_eq!(app.host.projects(), [] as [String; 0]);
        assert_eq!(findings(&app, "open").await, [] as [Value; 0]);
        let closed = findings(&app, "closed").await;
        assert!(closed[0]["repaired_at"].is_string() && closed[0]["trouble"].is_null(), "{closed:?}");
        let path = format!("/providers/findings/{}/repair", orphan["id"].as_str().unwrap());
        let (status, problem) = app.api(Method::POST, &path, None).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    }
}

#[tokio::test]
async fn what_was_deleted_by_hand_is_made_again_and_answers() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let as_usual = app.visit("acme").await.status;
    an_hour_later(&app).await;
    assert_eq!(look(&app).await, [] as [Value; 0]);
    app.host.vanish("ai-diy-acme");
    let found = look(&app).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["class"], &found[0]["removes"]), (&json!("missing"), &json!(false)));
    assert_eq!(repair(&app, &found[0]).await, "done");
    assert_eq!(app.host.times_created("ai-diy-acme"), 2);
    assert_eq!(findings(&app, "open").await, [] as [Value; 0]);
    assert_eq!(app.visit("acme").await.status, as_usual);
    assert_eq!(app.instance("acme").await["state"], "active");
}

#[tokio::test]
async fn what_was_changed_by_hand_is_brought_back_and_a_lost_hostname_is_published_again() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let id = id_of(&app, "acme").await;
    an_hour_later(&app).await;
    app.host.drift("ai-diy-acme", "it may not sleep");
    app.app().drivers.edge.remove("acme.localhost", id).await.unwrap();
    let found = look(&app).await;
    let classes: Vec<_> = found.iter().map(|one| one["class"].as_str().unwrap()).collect();
    assert_eq!(classes.len(), 2, "{found:?}");
    assert!(classes.contains(&"drifted") && classes.contains(&"missing"));
    for one in &found {
        assert_eq!(repair(&app, one).await, "done", "{one}");
    }
    assert_eq!(findings(&app, "open").await, [] as [Value; 0]);
    assert_eq!(app.hostnames().await, ["acme.localhost"]);
}

#[tokio::test]
async fn what_is_under_way_is_no_finding() {
    let faults = Faults::by(|point| {
        let here = (point.kind.as_str(), point.step.as_str());
        let halts = [("provision.v1", "deploy"), ("delete.v1", "remove address")].contains(&here);
        (halts && point.moment == Moment::Before).then_some(Fault::Temporary)
    });
    let app = TestApp::start_with(Engine::Sqlite, faults).await;
    let order = json!({"customer_email": "ada@example.com", "subdomain": "acme"});
    let (_, accepted) = app.api(Method::POST, "/instances", Some(order)).await;
    app.until(async || app.host.projects() == ["ai-diy-acme"]).await;
    an_hour_later(&app).await;
    assert_eq!(look(&app).await, [] as [Value; 0], "while it is made");

    let workflow = accepted["workflow_id"].as_str().unwrap();
    let (status, _) = app.api(Method::POST, &format!("/workflows/{workflow}/abandon"), None).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    app.settled(workflow).await;
    let (status, accepted) = app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"}))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    app.until(async || app.host.projects().is_empty()).await;
    an_hour_later(&app).await;
    assert_eq!(look(&app).await, [] as [Value; 0], "while it is removed");
}

#[tokio::test]
async fn nothing_is_removed_that_an_instance_wants_by_then() {
    let app = with_an_orphan(Engine::Sqlite).await;
    an_hour_later(&app).await;
    let found = look(&app).await;
    store::sqlx::query("update instances set state = 'active'").execute(app.db.db.write()).await.unwrap();
    assert_eq!(repair(&app, &found[0]).await, "failed");
    assert_eq!(app.host.projects(), ["ai-diy-acme"]);
    let (_, finding) =
        app.api(Method::GET, &format!("/providers/findings/{}", found[0]["id"].as_str().unwrap()), None).await;
    assert!(finding["trouble"].as_str().unwrap().contains("wants it by now"), "{finding}");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_changes_nothing_that_was_found() {
    let app = with_an_orphan(Engine::Sqlite).await;
    an_hour_later(&app).await;
    assert_eq!(look(&app).await.len(), 1);
    app.host.be_unavailable(1);
    assert_eq!(look(&app).await.len(), 1);
    let (_, page) = app.api(Method::GET, "/providers", None).await;
    assert!(page["data"][0]["trouble"].as_str().unwrap().contains("503"), "{page}");
    let roles: Vec<_> = page["data"].as_array().unwrap().iter().map(|one| one["role"].clone()).collect();
    assert_eq!(roles, ["compute", "edge", "payments", "mail"]);
}

#[tokio::test]
async fn the_console_shows_what_is_left_behind_and_asks_before_it_is_removed() {
    let app = with_an_orphan(Engine::Sqlite).await;
    assert!(app.get("/admin/providers", OPERATOR).await.body.contains("Not all were looked at yet"));
    an_hour_later(&app).await;
    let found = look(&app).await;
    let url = format!("/admin/providers/findings/{}/repair", found[0]["id"].as_str().unwrap());
    let page = app.get("/admin/providers", OPERATOR).await;
    assert!(page.body.contains("ai-diy-acme") && page.body.contains(&url), "{}", page.body);
    let asked = app.get(&url, OPERATOR).await;
    assert!(asked.body.contains("Remove it for good"), "{}", asked.body);
    assert_eq!(app.host.projects().len(), 1);
    let answer = app.browser(Method::POST, &url, OPERATOR, &[]).await;
    let workflow = answer.location.unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(app.settled(&workflow).await, "done");
    let page = app.get("/admin/providers", OPERATOR).await;
    assert!(page.body.contains("Nothing is left behind"), "{}", page.body);
}

fn ceiling(used: u64, limit: u64) -> Ceiling {
    Ceiling { name: "rooms", used, limit, per_instance: 1, renews_at: None, advice: "rent another house" }
}

#[tokio::test]
async fn whoever_does_not_fit_below_a_ceiling_is_turned_away_before_anything_is_made() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = TestApp::start_with(engine, Faults::none()).await;
        app.host.limit(vec![
            ceiling(1, 2),
            Ceiling { name: "calls in this hour", renews_at: Some(app.clock.now()), ..ceiling(9, 9) },
        ]);
        look(&app).await;
        let order = |name: &str| json!({"customer_email": format!("{name}@example.com"), "subdomain": name});
        let (status, first) = app.order("first", order("acme")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{first}");
        app.settled(first["workflow_id"].as_str().unwrap()).await;
        // The provider shows nothing of it yet, and still there is no room for two.
        let (status, problem) = app.order("second", order("zoo")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert!(problem["title"].as_str().unwrap().contains("1 of 2 rooms"), "{problem}");
        assert_eq!(problem["next_step"], "Rent another house.");
        let form = [
            ("name", "Zoe"),
            ("email", "zoe@example.com"),
            ("subdomain", "zoo"),
            ("card_number", "4242424242424242"),
            ("card_expiry", "12/49"),
            ("card_cvc", "123"),
            ("card_name", "Zoe"),
            ("agree_terms", "on"),
            ("agree_privacy", "on"),
            ("agree_acceptable_use", "on"),
            ("agree_billing", "on"),
        ];
        let page = app.browser(Method::POST, "/signup", None, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("take new workspaces at this moment"), "{}", page.body);
        assert_eq!(app.count("select count(*) from instances").await, 1);
        assert_eq!(app.count("select count(*) from customers").await, 1);
        let (status, same) = app.order("first", order("acme")).await;
        assert_eq!((status, &same["id"]), (StatusCode::ACCEPTED, &first["id"]), "it was ordered before");
        let told = app.mails_to("operator@localhost").await;
        assert_eq!(told.iter().filter(|subject| subject.contains("turned away")).count(), 1, "{told:?}");

        app.host.limit(vec![ceiling(2, 10)]);
        look(&app).await;
        let (status, problem) = app.order("second", order("zoo")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{problem}");
    }
}

#[tokio::test]
async fn a_ceiling_that_comes_near_is_told_once() {
    let app = TestApp::start().await;
    app.host.limit(vec![ceiling(8, 10)]);
    look(&app).await;
    look(&app).await;
    let told = app.mails_to("operator@localhost").await;
    assert_eq!(told.iter().filter(|subject| subject.contains("nearly reached")).count(), 1, "{told:?}");
    let (_, page) = app.api(Method::GET, "/providers", None).await;
    let shown = &page["data"][0]["ceilings"][0];
    assert_eq!((&shown["used"], &shown["limit"]), (&json!(8), &json!(10)));
}
