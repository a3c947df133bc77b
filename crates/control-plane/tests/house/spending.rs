//! A cap closes a workspace and a budget only tells; nobody pays for more than they wanted.

use reqwest::{Method, StatusCode};
use serde_json::json;
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const ADA: Option<&str> = Some("ada@example.com");
const BILLS: &str = "/portal/instances/acme/bills";

async fn in_use(engine: Engine) -> TestApp {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

async fn cap(app: &TestApp, kind: &str, value: &str) -> StatusCode {
    let form = [("cap", kind), ("value", value)];
    app.browser(Method::POST, &format!("{BILLS}/cap"), ADA, &form).await.status
}

async fn watched_at(app: &TestApp, moment: &str) {
    app.go_to(moment);
    control_plane::watch_spending(app.app()).await.unwrap();
}

async fn is(app: &TestApp, state: &str) {
    app.until(async || app.instance("acme").await["state"] == state).await;
}

/// A cap of two hours: it is reached in the second one, which may go on.
async fn a_cap_closes_after_the_hour_and_opens_with_the_period(engine: Engine) {
    let app = in_use(engine).await;
    assert_eq!(cap(&app, "hours", "2").await, StatusCode::SEE_OTHER);
    app.go_to("2026-11-02T09:20:00Z");
    app.used("acme", &["2026-11-02T09:10:00Z"]).await;
    watched_at(&app, "2026-11-02T09:20:00Z").await;
    assert!(app.mails_to("ada@example.com").await.iter().all(|subject| !subject.contains("cap")));

    app.go_to("2026-11-02T10:15:00Z");
    app.used("acme", &["2026-11-02T10:10:00Z"]).await;
    watched_at(&app, "2026-11-02T10:20:00Z").await;
    let told = format!("The spending cap of {} is reached", app.shown("acme"));
    let reached = async |app: &TestApp| app.mails_to("ada@example.com").await.iter().filter(|it| **it == told).count();
    assert_eq!((reached(&app).await, &app.instance("acme").await["state"]), (1, &json!("active")));

    watched_at(&app, "2026-11-02T11:00:00Z").await;
    is(&app, "suspended").await;
    let page = app.get(BILLS, ADA).await.body;
    assert!(page.contains("Reached") && page.contains("at most 2 hours"), "{page}");

    app.go_to("2026-11-02T11:04:00Z");
    // The guard had not heard of it yet: what began all the same is not charged.
    app.used("acme", &["2026-11-02T11:00:30Z"]).await;
    // Heard of late, an hour before pushes the last one out.
    app.used("acme", &["2026-11-01T08:00:00Z"]).await;
    watched_at(&app, "2026-11-02T11:05:00Z").await;
    watched_at(&app, "2026-12-01T00:00:00Z").await;
    is(&app, "active").await;
    assert_eq!(reached(&app).await, 1, "told once");
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(app.invoices().await[0]["total"], 700);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_cap_closes_after_the_hour_and_opens_with_the_period_on_sqlite() {
    a_cap_closes_after_the_hour_and_opens_with_the_period(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_cap_closes_after_the_hour_and_opens_with_the_period_on_postgres() {
    a_cap_closes_after_the_hour_and_opens_with_the_period(Engine::Postgres).await;
}

#[tokio::test]
async fn raising_the_cap_opens_at_once_and_a_lower_one_makes_nothing_free() {
    let app = in_use(Engine::Sqlite).await;
    app.go_to("2026-11-02T12:00:00Z");
    app.used("acme", &["2026-11-02T09:10:00Z", "2026-11-02T10:10:00Z"]).await;
    // Base fee and one hour; two are used already.
    assert_eq!(cap(&app, "money", "6.00").await, StatusCode::SEE_OTHER);
    is(&app, "suspended").await;
    assert_eq!(cap(&app, "money", "8").await, StatusCode::SEE_OTHER);
    is(&app, "active").await;
    assert_eq!(cap(&app, "none", "").await, StatusCode::SEE_OTHER);
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(app.invoices().await[0]["total"], 700);
}

#[tokio::test]
async fn a_cap_opens_nothing_that_the_operator_closed() {
    let app = in_use(Engine::Sqlite).await;
    let (status, _) = app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": "Abuse."}))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    is(&app, "suspended").await;
    assert_eq!(cap(&app, "hours", "0").await, StatusCode::SEE_OTHER);
    assert_eq!(cap(&app, "hours", "50").await, StatusCode::SEE_OTHER);
    watched_at(&app, "2026-11-02T09:20:00Z").await;
    assert_eq!(app.instance("acme").await["state"], "suspended");
}

#[tokio::test]
async fn a_cap_is_explained_before_it_is_set_and_refused_with_what_was_entered() {
    let app = in_use(Engine::Sqlite).await;
    let shown = app.get(&format!("{BILLS}/cap?cap=money&hours=&amount=15.00"), ADA).await;
    assert!(shown.body.contains("the base fee and 10 hours") && shown.body.contains("Your data is kept."));
    assert_eq!(app.count("select count(*) from caps").await, 0, "reading sets nothing");
    let zero = app.get(&format!("{BILLS}/cap?cap=hours&hours=0&amount="), ADA).await;
    assert!(zero.body.contains("reached at once"), "{}", zero.body);
    for (query, entered) in [("cap=hours&hours=many&amount=", "many"), ("cap=money&hours=&amount=-1", "-1")] {
        let refused = app.get(&format!("{BILLS}/cap?{query}"), ADA).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(refused.body.contains(&format!("value=\"{entered}\"")), "{}", refused.body);
    }
    for (kind, value) in [("hours", "745"), ("hours", ""), ("money", "x"), ("gold", "1")] {
        assert_eq!(cap(&app, kind, value).await, StatusCode::UNPROCESSABLE_ENTITY, "{kind} {value}");
    }
    for _ in 0..2 {
        assert_eq!(cap(&app, "hours", "40").await, StatusCode::SEE_OTHER);
    }
    assert_eq!(app.count("select count(*) from caps").await, 1, "sent twice");
    assert!(app.get(BILLS, ADA).await.body.contains("at most 40 hours in each period."));
}

#[tokio::test]
async fn a_budget_tells_each_part_once_in_a_period() {
    let app = in_use(Engine::Sqlite).await;
    let budget =
        async |fields: &[(&str, &str)]| app.browser(Method::POST, &format!("{BILLS}/budget"), ADA, fields).await.status;
    let ticked = [("amount", "10.00"), ("threshold", "50"), ("threshold", "80"), ("threshold", "100")];
    for refused in
        [&[("amount", "ten"), ("threshold", "50")][..], &[("amount", "10")], &[("amount", "10"), ("threshold", "51")]]
    {
        assert_eq!(budget(refused).await, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    }
    assert_eq!(budget(&ticked).await, StatusCode::SEE_OTHER);
    let told = async || {
        let mails = app.mails_to("ada@example.com").await;
        mails.into_iter().filter(|subject| subject.contains("of your budget")).collect::<Vec<_>>()
    };
    // The base fee alone is half of it.
    let half = format!("50 % of your budget for {} is spent", app.shown("acme"));
    assert_eq!(told().await, std::slice::from_ref(&half));
    let hours: Vec<String> = (0..6).map(|hour| format!("2026-11-03T{hour:02}:05:00Z")).collect();
    app.go_to("2026-11-03T06:30:00Z");
    app.used("acme", &hours.iter().map(String::as_str).collect::<Vec<_>>()).await;
    watched_at(&app, "2026-11-03T07:00:00Z").await;
    watched_at(&app, "2026-11-03T07:01:00Z").await;
    assert_eq!(told().await, [half, format!("100 % of your budget for {} is spent", app.shown("acme"))]);
    assert_eq!(budget(&[("amount", "")]).await, StatusCode::SEE_OTHER);
    assert_eq!(app.instance("acme").await["state"], "active");
}
