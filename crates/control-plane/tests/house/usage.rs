use domain::{Evidence, Month, Signal, UsageHour, UsageHours};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

fn report(at: Timestamp, count: u32) -> Value {
    let mut hours = UsageHours::none(Month::of(at));
    hours.insert(UsageHour::of(at)).unwrap();
    let evidence = Evidence { count, ..Evidence::seen(Signal::Member, at) };
    json!({"month": Month::of(at), "hours": hours.encode(), "source": "guard", "evidence": [evidence]})
}

async fn send(app: &TestApp, report: Value) -> (StatusCode, Value) {
    let token = app.host.token_of("ai-diy-acme");
    app.api_as(Some(&token), Method::POST, "/activity", Some(report)).await
}

async fn a_duplicate_report_bills_no_second_hour(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let now = app.clock.now();
    for count in [1, 5, 5, 2] {
        let (status, answer) = send(&app, report(now, count)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert!(answer["members"]["signature"].is_string());
    }
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["hours"].as_array().unwrap().len(), 1);
    assert_eq!(usage["hours"][0]["evidence"][0]["count"], 5, "the largest count stands");
    assert_eq!(usage["bill"]["total"], 600);
}

#[tokio::test]
async fn a_duplicate_report_bills_no_second_hour_on_sqlite() {
    a_duplicate_report_bills_no_second_hour(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn a_duplicate_report_bills_no_second_hour_on_postgres() {
    a_duplicate_report_bills_no_second_hour(store::Engine::Postgres).await;
}

/// More than any statement takes at once.
async fn a_long_report_arrives_whole(engine: store::Engine) {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.go_to("2026-11-16T12:00:00Z");
    let month = Month::parse("2026-11").unwrap();
    let mut hours = UsageHours::none(month);
    let first = month.first_hour().start();
    let moments: Vec<Timestamp> = (1..365).map(|hour| first + SignedDuration::from_hours(hour)).collect();
    moments.iter().for_each(|at| hours.insert(UsageHour::of(*at)).unwrap());
    let evidence: Vec<Evidence> = moments.iter().map(|at| Evidence::seen(Signal::Member, *at)).collect();
    let whole = json!({"month": month, "hours": hours.encode(), "source": "guard", "evidence": evidence});
    for _ in 0..2 {
        assert_eq!(send(&app, whole.clone()).await.0, StatusCode::OK);
    }
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage?month=2026-11", None).await;
    let shown = usage["hours"].as_array().unwrap();
    assert_eq!(shown.len(), 364);
    assert!(shown.iter().all(|hour| hour["evidence"].as_array().unwrap().len() == 1), "{usage}");
}

#[tokio::test]
async fn a_long_report_arrives_whole_on_sqlite() {
    a_long_report_arrives_whole(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn a_long_report_arrives_whole_on_postgres() {
    a_long_report_arrives_whole(store::Engine::Postgres).await;
}

async fn who_was_seen_is_told_by_the_report_that_saw_most(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let now = app.clock.now();
    let seen = |count, names: &[&str]| {
        let mut told = report(now, count);
        told["evidence"][0]["who"] = json!({"names": names});
        told
    };
    // The second comes late and is told again; the last is of a guard that does not name anybody yet.
    let (both, one) = (seen(7, &["ada@example.com", "zoe@example.com"]), seen(2, &["ada@example.com"]));
    for told in [one.clone(), both.clone(), one, both, report(now, 3)] {
        assert_eq!(send(&app, told).await.0, StatusCode::OK);
    }
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    let who = &usage["hours"][0]["evidence"][0]["who"];
    assert_eq!(*who, json!({"names": ["ada@example.com", "zoe@example.com"]}));
    let hour = now.strftime("%Y-%m-%dT%H:00:00Z");
    let (_, hour) = app.api(Method::GET, &format!("/instances/acme/usage/hours/{hour}"), None).await;
    assert_eq!(hour["evidence"][0]["who"], *who);
    let nine: Vec<String> = (0..9).map(|number| format!("m{number}@example.com")).collect();
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    let (status, refusal) = send(&app, seen(9, &nine)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refusal}");
}

#[tokio::test]
async fn who_was_seen_is_told_by_the_report_that_saw_most_on_sqlite() {
    who_was_seen_is_told_by_the_report_that_saw_most(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn who_was_seen_is_told_by_the_report_that_saw_most_on_postgres() {
    who_was_seen_is_told_by_the_report_that_saw_most(store::Engine::Postgres).await;
}

async fn parallel_reports_lose_no_hour(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let now = app.clock.now();
    let answers = futures_util::future::join_all((0..16).map(|count| send(&app, report(now, count)))).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK));
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["hours"].as_array().unwrap().len(), 1);
    assert_eq!(usage["hours"][0]["evidence"][0]["count"], 15);
}

#[tokio::test]
async fn parallel_reports_lose_no_hour_on_sqlite() {
    parallel_reports_lose_no_hour(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn parallel_reports_lose_no_hour_on_postgres() {
    parallel_reports_lose_no_hour(store::Engine::Postgres).await;
}

/// Twelve instances, each of which tells an hour three times, all at once.
async fn everybody_reports(app: &TestApp, names: &[String]) -> Vec<(String, StatusCode)> {
    let reports = (0..3).flat_map(|_| names).map(async |name| {
        let token = app.host.token_of(&format!("ai-diy-{name}"));
        let report = report(app.clock.now(), 1);
        (name.clone(), app.api_as(Some(&token), Method::POST, "/activity", Some(report)).await.0)
    });
    futures_util::future::join_all(reports).await
}

async fn reports_that_come_at_once_are_stored_before_they_are_answered(engine: store::Engine) {
    let app = TestApp::start_on_a_still_clock(engine).await;
    let names: Vec<String> = (0..12).map(|number| format!("used{number}x")).collect();
    for name in &names {
        app.provision(&format!("{name}@example.com"), name).await;
    }
    let answers = everybody_reports(&app, &names).await;
    assert!(answers.iter().all(|(_, status)| *status == StatusCode::OK), "{answers:?}");
    assert_eq!(app.count("select count(*) from usage_evidence").await, 12);
    for name in &names {
        let (_, usage) = app.api(Method::GET, &format!("/instances/{name}/usage"), None).await;
        assert_eq!(usage["hours"].as_array().unwrap().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn reports_that_come_at_once_are_stored_before_they_are_answered_on_sqlite() {
    reports_that_come_at_once_are_stored_before_they_are_answered(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn reports_that_come_at_once_are_stored_before_they_are_answered_on_postgres() {
    reports_that_come_at_once_are_stored_before_they_are_answered(store::Engine::Postgres).await;
}

#[tokio::test]
async fn a_report_that_can_not_be_stored_takes_no_other_with_it() {
    let app = TestApp::start_on_a_still_clock(store::Engine::Sqlite).await;
    let names: Vec<String> = (0..4).map(|number| format!("used{number}x")).collect();
    for name in &names {
        app.provision(&format!("{name}@example.com"), name).await;
    }
    app.change(
        "create trigger broken before insert on usage_evidence
         when new.instance_id = (select id from instances where subdomain = 'used2x')
         begin select raise(abort, 'the disk is full'); end",
    )
    .await;
    for (name, status) in everybody_reports(&app, &names).await {
        let expected = if name == "used2x" { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        assert_eq!(status, expected, "{name}");
    }
    assert_eq!(app.count("select count(*) from usage_evidence").await, 3);
    assert_eq!(app.count("select count(*) from usage_months").await, 3, "nothing is half stored");
    app.change("drop trigger broken").await;
    everybody_reports(&app, &names).await;
    assert_eq!(app.count("select count(*) from usage_months").await, 4);
}

#[tokio::test]
async fn an_impossible_hour_bills_nothing_and_takes_no_other_hour_with_it() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let now = app.clock.now();
    let hour = SignedDuration::from_hours(1);
    for impossible in [now + hour, now - hour * 48] {
        let (status, answer) = send(&app, report(impossible, 1)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let mut both = report(now, 1);
    let mut hours = UsageHours::decode(Month::of(now), both["hours"].as_str().unwrap()).unwrap();
    let first = Month::of(now).first_hour();
    let before_its_time =
        if UsageHour::of(now) == first { first } else { UsageHour::from_number(first.get()).unwrap() };
    hours.insert(before_its_time).unwrap();
    both["hours"] = json!(hours.encode());
    send(&app, both).await;
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["bill"]["total"], 600, "{usage}");
}

#[tokio::test]
async fn evidence_for_an_hour_that_is_not_reported_counts_for_nothing() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let mut unexplained = report(app.clock.now(), 1);
    unexplained["hours"] = json!("");
    assert_eq!(send(&app, unexplained).await.0, StatusCode::OK);
    assert_eq!(app.count("select count(*) from usage_evidence").await, 0);
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    for (wrong, why) in [
        (json!({"month": "2026-13", "hours": "", "source": "guard", "evidence": []}), "month"),
        (json!({"month": "2026-11", "hours": "!!", "source": "guard", "evidence": []}), "base64url"),
        (json!({"month": "2026-11", "hours": "A".repeat(500), "source": "guard", "evidence": []}), "base64url"),
        (json!({"month": "2026-11", "hours": "", "source": "nobody", "evidence": []}), "nobody"),
    ] {
        let (status, problem) = send(&app, wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{why}: {problem}");
        assert!(problem["title"].as_str().unwrap().contains(why), "{why}: {problem}");
    }
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["bill"]["total"], 500);
}

#[tokio::test]
async fn one_instances_token_reports_for_no_other() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "zoo").await;
    let theirs = app.host.token_of("ai-diy-zoo");
    let acme = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let zoo = app.instance("zoo").await["id"].as_str().unwrap().to_owned();
    let forged = theirs.replace(&zoo, &acme);
    let (status, _) = app.api_as(Some(&forged), Method::POST, "/activity", Some(report(app.clock.now(), 1))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    app.api_as(Some(&theirs), Method::POST, "/activity", Some(report(app.clock.now(), 1))).await;
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["hours"], json!([]));
}

#[tokio::test]
async fn sign_ins_at_the_edge_are_shown_beside_the_hours_and_never_billed() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    app.provision("ada@example.com", "zoo").await;
    app.provision("bob@example.com", "bar").await;
    let now = app.clock.now();
    let row = |email: &str, hostname: Option<&str>, allowed| providers::edge::SignIn {
        email: domain::Email::parse(email).unwrap(),
        hostname: hostname.map(str::to_owned),
        at: now,
        allowed,
    };
    *app.given.log.lock().unwrap() = Some(vec![
        row("ada@example.com", Some("acme.localhost"), true),
        row("ada@example.com", Some("acme.localhost"), true),
        row("eve@example.com", Some("acme.localhost"), false),
        row("ada@example.com", Some("else.where"), true),
        // Of two instances it can't be told which.
        row("ada@example.com", None, true),
        row("bob@example.com", None, true),
    ]);
    let mut app = app;
    for _ in 0..2 {
        app = app.restarted_for(domain::Email::parse("operator@localhost").unwrap()).await;
        app.until(async || app.count("select count(*) from sign_ins").await == 2).await;
    }
    for (instance, times) in [("acme", Some(2)), ("zoo", None), ("bar", Some(1))] {
        let (_, usage) = app.api(Method::GET, &format!("/instances/{instance}/usage"), None).await;
        assert_eq!(usage["sign_ins"][0]["count"].as_i64(), times, "{usage}");
        assert_eq!((&usage["hours"], &usage["bill"]["total"]), (&json!([]), &json!(500)), "{usage}");
    }
}
