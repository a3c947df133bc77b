use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

fn entry(outcome: &str, source: Option<&str>, first: Timestamp, count: u32) -> Value {
    let last = first + SignedDuration::from_secs(90);
    json!({"source": source, "user": "root", "outcome": outcome, "first": first, "last": last, "count": count})
}

async fn send(app: &TestApp, entries: &[Value]) -> (StatusCode, Value) {
    let token = app.host.token_of("ai-diy-acme");
    app.api_as(Some(&token), Method::POST, "/activity/emergency", Some(json!({ "entries": entries }))).await
}

/// What the audit log says about emergency doors, oldest first.
async fn told(app: &TestApp) -> Vec<(String, String)> {
    let (_, page) = app.api(Method::GET, "/audit-events?limit=200", None).await;
    let word = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    let ours = page["data"].as_array().unwrap().iter().rev().filter(|event| word(event, "actor") == "guard");
    ours.map(|event| (word(event, "action"), word(event, "detail"))).collect()
}

async fn the_audit_log_tells_of_each_use_and_attempt_once(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let at: Timestamp = "2026-11-25T10:00:01Z".parse().unwrap();
    let entries = [
        entry("accepted", Some("10.0.0.9"), at, 1),
        entry("refused", Some("2001:db8::1"), at, 4),
        entry("throttled", None, at, 900),
    ];
    for _ in 0..3 {
        let (status, answer) = send(&app, &entries).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert!(answer["members"]["signature"].is_string());
    }
    let mut first = told(&app).await;
    first.sort();
    let expected = [
        ("emergency.accepted", "emergency access to acme by `root` from 10.0.0.9, once, at 2026-11-25 10:00:01 UTC"),
        (
            "emergency.refused",
            "wrong credentials for emergency access to acme from 2001:db8::1, 4 times between 2026-11-25 10:00:01 \
             and 10:01:31 UTC",
        ),
        (
            "emergency.throttled",
            "attempts at emergency access to acme that were not looked at from many other addresses, 900 times \
             between 2026-11-25 10:00:01 and 10:01:31 UTC",
        ),
    ];
    assert_eq!(first, expected.map(|(action, detail)| (action.to_owned(), detail.to_owned())));

    // More of the same hour, then an old report that was under way, then another hour.
    for (entry, new) in [
        (entry("accepted", Some("10.0.0.9"), at, 3), 1),
        (entry("accepted", Some("10.0.0.9"), at, 2), 0),
        (entry("accepted", Some("10.0.0.9"), at + SignedDuration::from_hours(1), 1), 1),
    ] {
        let before = told(&app).await.len();
        assert_eq!(send(&app, &[entry]).await.0, StatusCode::OK);
        assert_eq!(told(&app).await.len() - before, new);
    }
    let all = told(&app).await;
    assert!(all.iter().any(|(_, detail)| detail.contains("10.0.0.9, 3 times between")), "{all:?}");
}

#[tokio::test]
async fn the_audit_log_tells_of_each_use_and_attempt_once_on_sqlite() {
    the_audit_log_tells_of_each_use_and_attempt_once(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn the_audit_log_tells_of_each_use_and_attempt_once_on_postgres() {
    the_audit_log_tells_of_each_use_and_attempt_once(store::Engine::Postgres).await;
}

async fn parallel_reports_are_one_entry(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let report = [entry("accepted", Some("10.0.0.9"), app.clock.now(), 2)];
    let answers = futures_util::future::join_all((0..12).map(|_| send(&app, &report))).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK), "{answers:?}");
    assert_eq!(told(&app).await.len(), 1);
}

#[tokio::test]
async fn parallel_reports_are_one_entry_on_sqlite() {
    parallel_reports_are_one_entry(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn parallel_reports_are_one_entry_on_postgres() {
    parallel_reports_are_one_entry(store::Engine::Postgres).await;
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_whole() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let now = app.clock.now();
    let good = entry("accepted", Some("10.0.0.9"), now, 1);
    let with = |name: &str, value: Value| {
        let mut entry = good.clone();
        entry[name] = value;
        entry
    };
    for wrong in [
        with("count", json!(0)),
        with("user", json!("")),
        with("user", json!("u".repeat(256))),
        with("user", json!("root\nadmin")),
        with("source", json!("nowhere")),
        with("outcome", json!("rescued")),
        with("last", json!(now - SignedDuration::from_secs(1))),
    ] {
        let (status, problem) = send(&app, &[good.clone(), wrong.clone()]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {problem}");
    }
    assert_eq!(send(&app, &vec![good.clone(); 1_001]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(told(&app).await.is_empty());
}

#[tokio::test]
async fn a_guard_that_lost_its_mind_cannot_bury_the_audit_log() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let mut hour = app.clock.now();
    let mut last = StatusCode::OK;
    for _ in 0..4 {
        let next = |number: u32| {
            let source = std::net::Ipv4Addr::from(number).to_string();
            entry("refused", Some(&source), hour, 1)
        };
        last = send(&app, &(0..900).map(next).collect::<Vec<_>>()).await.0;
        hour += SignedDuration::from_hours(1);
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let later = store::sqlx::query("update audit_events set at = at - 3660000").execute(app.db.db.write()).await;
    later.unwrap();
    assert_eq!(send(&app, &[entry("accepted", Some("10.0.0.9"), hour, 1)]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn only_a_guard_tells_and_only_of_its_own_instance() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "zoo").await;
    let report = json!({ "entries": [entry("accepted", Some("10.0.0.9"), app.clock.now(), 1)] });
    let (status, _) = app.api(Method::POST, "/activity/emergency", Some(report.clone())).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "an operator's token");
    let theirs = app.host.token_of("ai-diy-zoo");
    app.api_as(Some(&theirs), Method::POST, "/activity/emergency", Some(report)).await;
    let told = told(&app).await;
    assert!(told.len() == 1 && told[0].1.contains("access to zoo"), "{told:?}");
}
