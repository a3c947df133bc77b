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
        .browser(Method::POST, "/portal/instances/acme/delete", Some("ada@example.com"), &[("confirm", "other")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
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
