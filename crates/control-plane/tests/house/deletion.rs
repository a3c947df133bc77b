use reqwest::{Method, StatusCode};
use serde_json::json;
use workflow::Fault;

use crate::support::{TestApp, once, points};

const KIND: &str = "delete.v1";
const STEPS: [&str; 6] =
    ["refuse entry", "remove compute", "remove address", "end subscription", "forget members", "record"];

async fn gone(app: &TestApp, context: &str) {
    assert_eq!(app.host.projects(), Vec::<String>::new(), "{context}");
    assert_eq!(app.hostnames().await, Vec::<String>::new(), "{context}");
    assert_eq!(app.count("select count(*) from members").await, 0, "{context}");
    let instance = app.instance("acme").await;
    assert_eq!(instance["state"], "deleted", "{context}");
    let kinds: Vec<_> =
        instance["removal"]["removed"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["project", "hostname", "access rules", "subscription", "member list"], "{context}");
    let (_, list) = app.api(Method::GET, "/instances", None).await;
    assert_eq!(list["data"], json!([]), "{context}");
}

#[tokio::test]
async fn a_deleted_instance_is_gone_everywhere_and_leaves_a_record() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    assert_eq!(app.delete("acme").await, "done");
    gone(&app, "plain").await;
    assert_eq!(app.mails_to("ada@example.com").await.len(), 2, "welcome and goodbye");
    assert_eq!(app.provision("eve@example.com", "acme").await, "done", "the name is free again");
}

#[tokio::test]
async fn dying_at_any_step_of_a_deletion_still_removes_everything_once() {
    for point in points(KIND, &STEPS) {
        let app = TestApp::start_with(store::Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        app.provision("ada@example.com", "acme").await;
        assert_eq!(app.delete("acme").await, "done", "{point:?}");
        gone(&app, &format!("{point:?}")).await;
        assert_eq!(app.mails_to("ada@example.com").await.len(), 2, "{point:?}");
    }
}

#[tokio::test]
async fn a_deletion_needs_the_name_typed_exactly() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    for wrong in ["", "acm", "ACME", "acme.localhost"] {
        let (status, _) = app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": wrong}))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
    }
    let page = app
        .browser(Method::POST, "/portal/instances/acme/delete", Some("ada@example.com"), &[("confirmation", "other")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("Type acme"), "the page does not say what to type");
    assert_eq!(app.instance("acme").await["state"], "active");
}

#[tokio::test]
async fn asking_twice_gives_the_same_deletion() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    app.host.be_unavailable(3);
    let ask = || app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"})));
    let (first, second) = (ask().await, ask().await);
    assert_eq!(first.0, StatusCode::ACCEPTED);
    assert_eq!(first.1["workflow_id"], second.1["workflow_id"]);
    app.settled(first.1["workflow_id"].as_str().unwrap()).await;
    let (status, _) = ask().await;
    assert_eq!(status, StatusCode::CONFLICT, "what is gone can't be deleted again");
}

#[tokio::test]
async fn an_old_deletion_that_is_tried_again_leaves_the_next_customer_alone() {
    let broken = std::sync::Arc::new(std::sync::Mutex::new(true));
    let seen = std::sync::Arc::clone(&broken);
    let faults = workflow::Faults::by(move |here| {
        (here.kind == KIND && here.step == "end subscription" && *seen.lock().unwrap()).then_some(Fault::Permanent)
    });
    let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
    app.provision("ada@example.com", "acme").await;
    assert_eq!(app.delete("acme").await, "stuck");
    let old = app.instance("acme").await["workflow_id"].as_str().unwrap().to_owned();
    app.until(async || app.mails_to("operator@localhost").await.len() == 1).await;

    *broken.lock().unwrap() = false;
    assert_eq!(app.delete("acme").await, "done", "asking again lets the stuck deletion go on");
    assert_eq!(app.instance("acme").await["workflow_id"], old.as_str(), "a second deletion was started");

    app.provision("eve@example.com", "acme").await;
    let sql = "update workflows set state = 'stuck', finished_at = null where kind = 'delete.v1'";
    store::sqlx::query(sql).execute(app.db.db.write()).await.unwrap();
    store::sqlx::query("delete from workflow_steps where workflow_id = $1")
        .bind(&old)
        .execute(app.db.db.write())
        .await
        .unwrap();
    let (status, _) = app.api(Method::POST, &format!("/workflows/{old}/retry"), None).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(app.settled(&old).await, "done");
    assert_eq!(app.host.projects(), ["ai-diy-acme"], "the next customer's project was removed");
    assert_eq!(app.hostnames().await, ["acme.localhost"], "the next customer's hostname was removed");
    let (_, members) = app.api(Method::GET, "/instances/acme/members", None).await;
    assert_eq!(members["data"][0]["email"], "eve@example.com");
}

#[tokio::test]
async fn what_an_abandoned_provisioning_left_can_be_deleted() {
    let faults = workflow::Faults::by(|here| {
        let fails = here.step == "wait until healthy" || here.step == "undo create project";
        fails.then_some(Fault::Permanent)
    });
    let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "stuck");
    let id = app.instance("acme").await["workflow_id"].as_str().unwrap().to_owned();
    let ask = || app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"})));
    assert_eq!(ask().await.0, StatusCode::CONFLICT, "it is still being made, as far as anybody knows");
    app.api(Method::POST, &format!("/workflows/{id}/abandon"), None).await;
    assert_eq!(app.delete("acme").await, "done");
    assert_eq!(app.host.projects(), Vec::<String>::new());
}

#[tokio::test]
async fn two_deletions_asked_for_at_once_are_one() {
    let app = TestApp::start_with(store::Engine::Postgres, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let ask = || app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"})));
    let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
    assert!(answers.iter().any(|(status, _)| *status == StatusCode::ACCEPTED));
    for (status, answer) in &answers {
        assert!(matches!(*status, StatusCode::ACCEPTED | StatusCode::CONFLICT), "{status} {answer}");
    }
    assert_eq!(app.count("select count(*) from workflows where kind = 'delete.v1'").await, 1);
}
