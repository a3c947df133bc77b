//! An instance is closed without losing anything, and opened again.

use reqwest::{Method, StatusCode};
use serde_json::json;
use workflow::Faults;

use crate::support::TestApp;

async fn ask(app: &TestApp, what: &str, body: Option<serde_json::Value>) -> String {
    let (status, accepted) = app.api(Method::POST, &format!("/instances/acme/{what}"), body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    app.settled(accepted["workflow_id"].as_str().unwrap()).await
}

fn unpaid() -> Option<serde_json::Value> {
    Some(json!({"reason": "The last invoice is unpaid."}))
}

#[tokio::test]
async fn a_suspended_instance_rests_explains_itself_and_comes_back_with_everything() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    assert_eq!(ask(&app, "suspend", unpaid()).await, "done");
    let instance = app.instance("acme").await;
    assert_eq!(
        (&instance["state"], &instance["suspended_because"]),
        (&json!("suspended"), &unpaid().unwrap()["reason"])
    );
    let page = app.get("/portal/instances/acme", Some("ada@example.com")).await;
    assert!(page.body.contains("The last invoice is unpaid."), "{}", page.body);
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(true));
    let told = app.host.lists_of("ai-diy-acme");
    assert!(told >= 1);
    let visit = app.visit("acme").await;
    assert_eq!(visit.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(visit.body.contains("suspended"), "{}", visit.body);
    assert_eq!(ask(&app, "resume", None).await, "done");
    let instance = app.instance("acme").await;
    assert_eq!((&instance["state"], instance.get("suspended_because")), (&json!("active"), None));
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    assert!(app.host.lists_of("ai-diy-acme") > told);
    assert_ne!(app.visit("acme").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let mails = app.mails_to("ada@example.com").await;
    assert_eq!(
        mails[1..],
        [format!("{} is suspended", app.shown("acme")), format!("{} is open again", app.shown("acme"))]
    );
    assert_eq!(app.host.times_created("ai-diy-acme"), 1);
}

#[tokio::test]
async fn asking_twice_closes_once_and_what_makes_no_sense_is_refused_in_words() {
    let app = TestApp::start().await;
    let (status, _) = app.api(Method::POST, "/instances/acme/suspend", unpaid()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    app.provision("ada@example.com", "acme").await;
    let (status, problem) = app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": " "}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (status, problem) = app.api(Method::POST, "/instances/acme/resume", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(ask(&app, "suspend", unpaid()).await, "done");
    assert_eq!(ask(&app, "suspend", unpaid()).await, "done");
    assert_eq!(app.instance("acme").await["state"], "suspended");
    let told = app.mails_to("ada@example.com").await;
    assert_eq!(told.iter().filter(|subject| subject.ends_with("is suspended")).count(), 1, "{told:?}");
    assert_eq!(app.delete("acme").await, "done");
    let (status, problem) = app.api(Method::POST, "/instances/acme/resume", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn closing_and_opening_survive_death_and_unavailable_providers_at_every_step() {
    use workflow::{Fault, Moment};
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let faults = Faults::by(move |point| {
        let ours = point.kind == "suspend.v1" || point.kind == "resume.v1";
        let first = ours && seen.lock().unwrap().insert(point.clone());
        first.then_some(if point.moment == Moment::After { Fault::Death } else { Fault::Temporary })
    });
    let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
    app.provision("ada@example.com", "acme").await;
    assert_eq!(ask(&app, "suspend", unpaid()).await, "done");
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(true));
    assert_eq!(ask(&app, "resume", None).await, "done");
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    let mails = app.mails_to("ada@example.com").await;
    assert_eq!(mails.len(), 3, "{mails:?}");
}

#[tokio::test]
async fn whoever_asks_last_gets_what_they_asked_for_however_the_work_overlaps() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    for _ in 0..5 {
        let (status, _) = app.api(Method::POST, "/instances/acme/suspend", unpaid()).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        let (status, _) = app.api(Method::POST, "/instances/acme/resume", None).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    app.until(async || app.count("select count(*) from workflows where state in ('running', 'undoing')").await == 0)
        .await;
    assert_eq!(app.instance("acme").await["state"], "active");
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    assert_ne!(app.visit("acme").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_operator_suspends_and_resumes_in_the_console() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let operator = Some("operator@localhost");
    let path = format!("/admin/instances/{}", app.instance("acme").await["id"].as_str().unwrap());
    let page = app.get(&path, operator).await;
    assert!(page.body.contains("/suspend") && !page.body.contains("/resume"), "{}", page.body);
    let post = async |what: &str, form: &[(&str, &str)]| {
        app.browser(Method::POST, &format!("{path}/{what}"), operator, form).await
    };
    assert_eq!(post("suspend", &[("reason", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let asked = post("suspend", &[("reason", "You asked us to.")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    app.settled(asked.location.unwrap().rsplit('/').next().unwrap()).await;
    let page = app.get(&path, operator).await;
    assert!(page.body.contains("/resume") && !page.body.contains("/suspend"), "{}", page.body);
    let asked = post("resume", &[]).await;
    app.settled(asked.location.unwrap().rsplit('/').next().unwrap()).await;
    assert_eq!(app.instance("acme").await["state"], "active");
}
