//! Mail leaves, or it is known why not; none of it is lost, and nobody is hammered.

use domain::Email;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use store::Engine;

use crate::support::{Refusal, TestApp};

const ADA: &str = "ada@example.com";
const OPERATOR: &str = "operator@localhost";

/// Lets time pass, and the outbox look.
async fn pass(app: &TestApp, hours: i64) {
    app.clock.advance(SignedDuration::from_hours(hours));
    app.app().mail_waiting.notify_one();
}

async fn messages(app: &TestApp, state: &str) -> Vec<Value> {
    let (status, page) = app.api(Method::GET, &format!("/messages?state={state}"), None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().unwrap().clone()
}

async fn to_ada(app: &TestApp, state: &str) -> Vec<Value> {
    messages(app, state).await.into_iter().filter(|mail| mail["to"] == ADA).collect()
}

async fn customer_page(app: &TestApp) -> (String, String) {
    let id = app.instance("acme").await["customer_id"].as_str().unwrap().to_owned();
    let url = format!("/admin/customers/{id}");
    let page = app.get(&url, Some(OPERATOR)).await;
    assert_eq!(page.status, StatusCode::OK);
    (url, page.body)
}

#[tokio::test]
async fn mail_to_a_mailbox_that_is_gone_is_tried_once_a_day_until_it_is_back() {
    a_mailbox_is_gone(Engine::Sqlite).await;
}

#[tokio::test]
async fn mail_to_a_mailbox_that_is_gone_is_tried_once_a_day_until_it_is_back_on_postgres() {
    a_mailbox_is_gone(Engine::Postgres).await;
}

async fn a_mailbox_is_gone(engine: Engine) {
    let app = TestApp::start_on_a_still_clock(engine).await;
    app.given.post.refuse(ADA, Refusal::NoSuchMailbox);
    app.provision(ADA, "acme").await;
    let told = || {
        let bounces = |subject: &&String| subject.contains("bounces");
        app.given.post.taken(OPERATOR).iter().filter(bounces).count()
    };
    app.until(async || told() == 1).await;
    assert!(customer_page(&app).await.1.contains("550 5.1.1 no such mailbox"));
    for _ in 0..2 {
        pass(&app, 1).await;
        app.api(Method::POST, "/instances/acme/suspend", Some(serde_json::json!({"reason": "Unpaid."}))).await;
        app.until(async || to_ada(&app, "waiting").await.len() == 2).await;
    }
    app.until(async || to_ada(&app, "waiting").await.iter().all(|mail| !mail["error"].is_null())).await;
    assert_eq!(app.given.post.tries(ADA), 1, "one bounce speaks for all");
    pass(&app, 24).await;
    app.until(async || app.given.post.tries(ADA) == 2).await;
    app.given.post.take_all();
    pass(&app, 24).await;
    app.until(async || app.given.post.taken(ADA).len() == 2).await;
    assert_eq!(app.given.post.tries(ADA), 4);
    assert!(!customer_page(&app).await.1.contains("bounces"));
    assert_eq!(told(), 1, "the operator was told once");
}

#[tokio::test]
async fn a_sign_in_code_is_tried_at_once_and_never_too_late() {
    let app = TestApp::start_on_a_still_clock(Engine::Sqlite).await;
    app.given.post.refuse(ADA, Refusal::NoSuchMailbox);
    app.provision(ADA, "acme").await;
    app.until(async || app.given.post.tries(ADA) == 1).await;
    app.given.post.refuse(ADA, Refusal::NotNow);
    app.send_code(&Email::parse(ADA).unwrap()).await;
    app.until(async || app.given.post.tries(ADA) == 2).await;
    let code = |mail: &Value| mail["subject"] == "(a sign-in code)";
    app.until(async || to_ada(&app, "waiting").await.iter().any(|mail| code(mail) && mail["attempts"] == 1)).await;
    let stored = app.count("select count(*) from messages where subject like '%123456%'").await;
    assert_eq!(stored, 0, "a code rests sealed");
    app.given.post.take_all();
    pass(&app, 1).await;
    app.until(async || to_ada(&app, "failed").await.iter().any(code)).await;
    assert_eq!(app.given.post.tries(ADA), 2, "nobody waits for it any more");
    let late = to_ada(&app, "failed").await[0]["id"].as_str().unwrap().to_owned();
    let (status, problem) = app.api(Method::POST, &format!("/messages/{late}/retry"), None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn a_server_that_refuses_us_loses_no_mail_and_is_not_hammered() {
    a_server_refuses_us(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_server_that_refuses_us_loses_no_mail_and_is_not_hammered_on_postgres() {
    a_server_refuses_us(Engine::Postgres).await;
}

async fn a_server_refuses_us(engine: Engine) {
    let app = TestApp::start_on_a_still_clock(engine).await;
    app.given.post.refuse("*", Refusal::NothingOfOurs);
    for (customer, name) in [(ADA, "acme"), ("bob@example.com", "zoo"), ("eve@example.com", "bar")] {
        app.provision(customer, name).await;
    }
    app.until(async || messages(&app, "waiting").await.iter().all(|mail| !mail["error"].is_null())).await;
    let overview = app.get("/admin", Some(OPERATOR)).await.body;
    assert!(overview.contains("The mail server takes nothing of ours; 3 mails wait"), "{overview}");
    assert!(overview.contains("535 5.7.8 wrong password"), "{overview}");
    let all = || ["ada", "bob", "eve"].map(|name| app.given.post.tries(&format!("{name}@example.com")));
    let before: usize = all().iter().sum();
    pass(&app, 24 * 30).await;
    app.until(async || all().iter().sum::<usize>() == before + 1).await;
    assert!(messages(&app, "failed").await.is_empty(), "nothing is given up");
    app.given.post.take_all();
    pass(&app, 1).await;
    app.until(async || messages(&app, "delivered").await.len() == 3).await;
    assert!(!app.get("/admin", Some(OPERATOR)).await.body.contains("takes nothing of ours"));
}

#[tokio::test]
async fn a_mail_that_is_refused_for_what_it_says_waits_for_a_person() {
    let app = TestApp::start_on_a_still_clock(Engine::Sqlite).await;
    app.given.post.refuse(ADA, Refusal::NotThisMail);
    app.provision(ADA, "acme").await;
    app.until(async || to_ada(&app, "failed").await.len() == 1).await;
    app.until(async || app.given.post.taken(OPERATOR).len() == 1).await;
    pass(&app, 48).await;
    let mail = to_ada(&app, "failed").await.remove(0);
    assert!(mail["error"].as_str().unwrap().contains("554 5.6.0"), "{mail}");
    assert_eq!((&mail["attempts"], app.given.post.tries(ADA)), (&Value::from(1), 1));
    app.given.post.take_all();
    let retry = format!("/messages/{}/retry", mail["id"].as_str().unwrap());
    let (status, _) = app.api(Method::POST, &retry, None).await;
    assert_eq!(status, StatusCode::OK);
    app.until(async || app.given.post.taken(ADA).len() == 1).await;
    app.until(async || !to_ada(&app, "delivered").await.is_empty()).await;
    let (status, problem) = app.api(Method::POST, &retry, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (status, _) = app.api(Method::POST, "/messages/msg_00000000000000000000000000/retry", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, audit) = app.api(Method::GET, "/audit-events", None).await;
    let retried = |entry: &Value| entry["action"] == "mail.retried" && entry["detail"] == format!("to {ADA}");
    assert!(audit["data"].as_array().unwrap().iter().any(retried), "{audit}");
}

#[tokio::test]
async fn an_operator_clears_a_bounce_and_what_waited_leaves() {
    let app = TestApp::start_on_a_still_clock(Engine::Sqlite).await;
    app.given.post.refuse(ADA, Refusal::NoSuchMailbox);
    app.provision(ADA, "acme").await;
    app.until(async || app.given.post.tries(ADA) == 1 && !to_ada(&app, "waiting").await[0]["error"].is_null()).await;
    app.given.post.take_all();
    let (url, _) = customer_page(&app).await;
    let done = app.browser(Method::POST, &format!("{url}/bounce/clear"), Some(OPERATOR), &[]).await;
    assert_eq!(done.location.as_deref(), Some(url.as_str()));
    app.until(async || app.given.post.taken(ADA).len() == 1).await;
    assert!(!customer_page(&app).await.1.contains("bounces"));
}
