//! A coupon is had once, gives what it is worth, and no more.

use domain::Plan;
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults};

use crate::support::{TestApp, once, points};

const START: &str = "2026-11-01T00:00:00Z";
const ADA: Option<&str> = Some("ada@example.com");
const BILLS: &str = "/portal/instances/acme/bills";
const COUPONS: &str = "/portal/instances/acme/bills/coupons";

async fn in_use(engine: Engine, faults: Faults) -> TestApp {
    let app = TestApp::start_at(START, engine, faults).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

async fn offer(app: &TestApp, code: &str, worth: Value) -> (StatusCode, Value) {
    let mut new = json!({"code": code});
    new.as_object_mut().unwrap().extend(worth.as_object().unwrap().clone());
    app.api(Method::POST, "/coupons", Some(new)).await
}

async fn offered(app: &TestApp, code: &str, worth: Value) {
    let (status, answer) = offer(app, code, worth).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn redeem(app: &TestApp, code: &str) -> StatusCode {
    app.browser(Method::POST, COUPONS, ADA, &[("code", code)]).await.status
}

async fn give(app: &TestApp, customer: &str, code: &str) -> StatusCode {
    app.api(Method::POST, &format!("/customers/{customer}/coupons"), Some(json!({"code": code}))).await.0
}

async fn customer(app: &TestApp, subdomain: &str) -> String {
    app.instance(subdomain).await["customer_id"].as_str().unwrap().to_owned()
}

async fn totals(app: &TestApp) -> Vec<i64> {
    app.invoices().await.iter().map(|invoice| invoice["total"].as_i64().unwrap()).collect()
}

async fn closed_at(app: &TestApp, moment: &str) {
    app.go_to(moment);
    app.close(None).await;
}

async fn a_percentage_lasts_for_its_periods(engine: Engine) {
    let app = in_use(engine, Faults::none()).await;
    offered(&app, "launch", json!({"name": "Launch offer", "percent": "20", "periods": 2})).await;
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z"]).await;
    for code in ["LAUNCH", " launch ", "Launch"] {
        assert_eq!(redeem(&app, code).await, StatusCode::SEE_OTHER, "{code}");
    }
    assert_eq!(app.api(Method::GET, "/coupons/LAUNCH", None).await.1["redeemed"], 1, "had once");
    let page = app.get(BILLS, ADA).await.body;
    assert!(page.contains("Launch offer") && page.contains("20 % off for 2 periods"), "{page}");
    assert!(page.contains("until 1 January 2027"), "{page}");
    // Base fee and hour so far, less a fifth.
    assert!(page.contains("-$1.20") && page.contains("$4.80"), "{page}");
    for moment in ["2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-02-01T08:00:00Z"] {
        closed_at(&app, moment).await;
    }
    assert_eq!(totals(&app).await, [480, 400, 500]);
    let first = &app.invoices().await[0]["document"];
    assert_eq!(first["discounts"][0]["description"], "Launch offer: 20 % off");
    assert!(app.get(BILLS, ADA).await.body.contains("over since 1 January 2027"));
    assert_eq!(app.problems().await, [""; 0]);
    assert_eq!(app.count("select count(*) from audit_events where action = 'coupon.redeemed'").await, 1);
}

#[tokio::test]
async fn a_percentage_lasts_for_its_periods_on_sqlite() {
    a_percentage_lasts_for_its_periods(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_percentage_lasts_for_its_periods_on_postgres() {
    a_percentage_lasts_for_its_periods(Engine::Postgres).await;
}

async fn amounts_and_hours_are_used_up_over_all_workspaces(engine: Engine) {
    let app = in_use(engine, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "second").await, "done");
    offered(&app, "HOURS", json!({"hours": 3})).await;
    offered(&app, "MONEY", json!({"amount": 1700})).await;
    app.go_to("2026-11-20T12:00:00Z");
    for name in ["acme", "second"] {
        app.used(name, &["2026-11-17T09:10:00Z", "2026-11-18T09:10:00Z"]).await;
    }
    for code in ["HOURS", "MONEY"] {
        assert_eq!(give(&app, &customer(&app, "acme").await, code).await, StatusCode::OK);
    }
    // A dry run takes nothing.
    let dry = json!({"month": "2026-11", "dry_run": true});
    for _ in 0..2 {
        let (_, found) = app.api(Method::POST, "/billing/close", Some(dry.clone())).await;
        assert_eq!(found["total"], 0, "{found}");
    }
    closed_at(&app, "2026-12-01T08:00:00Z").await;
    // Three of four hours are free; 1100 of 1700 are taken.
    assert_eq!(totals(&app).await, [0, 0]);
    let held = format!("/customers/{}/coupons", customer(&app, "acme").await);
    let (_, held) = app.api(Method::GET, &held, None).await;
    let taken = |code: &str| {
        let all = held["data"].as_array().unwrap();
        let coupon = all.iter().find(|coupon| coupon["code"] == code).unwrap();
        (coupon["taken"].as_i64().unwrap(), coupon["hours_taken"].as_i64().unwrap())
    };
    assert_eq!((taken("HOURS"), taken("MONEY")), ((300, 3), (1100, 0)), "{held}");
    let page = app.get(BILLS, ADA).await.body;
    assert!(page.contains("used up") && page.contains(">$6.00</td>"), "{page}");
    closed_at(&app, "2027-01-01T08:00:00Z").await;
    closed_at(&app, "2027-02-01T08:00:00Z").await;
    assert_eq!(totals(&app).await.iter().sum::<i64>(), 400 + 1000, "the rest of it, and then nothing");
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn amounts_and_hours_are_used_up_over_all_workspaces_on_sqlite() {
    amounts_and_hours_are_used_up_over_all_workspaces(Engine::Sqlite).await;
}

#[tokio::test]
async fn amounts_and_hours_are_used_up_over_all_workspaces_on_postgres() {
    amounts_and_hours_are_used_up_over_all_workspaces(Engine::Postgres).await;
}

async fn of_many_at_the_last_one_of_a_coupon_one_gets_it(engine: Engine) {
    let app = in_use(engine, Faults::none()).await;
    for number in 0..6 {
        app.provision(&format!("c{number}@example.com"), &format!("w{number}x")).await;
    }
    offered(&app, "FEW", json!({"amount": 500, "most": 2})).await;
    let mut customers = Vec::new();
    for number in 0..6 {
        customers.push(customer(&app, &format!("w{number}x")).await);
    }
    // Each sends it twice, at the same time.
    let both: Vec<&String> = customers.iter().chain(&customers).collect();
    let answers = join_all(both.into_iter().map(|customer| give(&app, customer, "FEW"))).await;
    assert!(answers.iter().all(|status| [StatusCode::OK, StatusCode::CONFLICT].contains(status)), "{answers:?}");
    assert_eq!(app.count("select count(*) from customer_coupons").await, 2, "{answers:?}");
    assert_eq!(app.count("select redeemed from coupons where code = 'FEW'").await, 2);
    assert_eq!(app.count("select count(*) from audit_events where action = 'coupon.redeemed'").await, 2);
    let refused = app.browser(Method::POST, COUPONS, ADA, &[("code", "few")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("All of coupon FEW are taken") && refused.body.contains("value=\"few\""));
}

#[tokio::test]
async fn of_many_at_the_last_one_of_a_coupon_one_gets_it_on_sqlite() {
    of_many_at_the_last_one_of_a_coupon_one_gets_it(Engine::Sqlite).await;
}

#[tokio::test]
async fn of_many_at_the_last_one_of_a_coupon_one_gets_it_on_postgres() {
    of_many_at_the_last_one_of_a_coupon_one_gets_it(Engine::Postgres).await;
}

#[tokio::test]
async fn dying_at_any_step_of_a_closing_takes_a_coupon_once() {
    for point in points("close.v1", &["issue invoices", "check the books", "tell the operator"]) {
        let app = in_use(Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        offered(&app, "MONEY", json!({"amount": 300})).await;
        assert_eq!(redeem(&app, "MONEY").await, StatusCode::SEE_OTHER);
        closed_at(&app, "2026-12-01T08:00:00Z").await;
        assert_eq!(totals(&app).await, [200], "{point:?}");
        assert_eq!(app.count("select count(*) from coupon_uses where amount = 300").await, 1, "{point:?}");
        assert_eq!(app.problems().await, [""; 0], "{point:?}");
    }
}

#[tokio::test]
async fn what_has_ended_is_kept_by_those_who_have_it_and_refused_to_others() {
    let app = in_use(Engine::Sqlite, Faults::none()).await;
    app.provision("eve@example.com", "zoo").await;
    offered(&app, "ENDS", json!({"percent": "100"})).await;
    offered(&app, "BY-MAY", json!({"hours": 1, "redeem_until": "2026-11-03T00:00:00Z"})).await;
    assert_eq!(redeem(&app, "ENDS").await, StatusCode::SEE_OTHER);
    for _ in 0..2 {
        let (status, ended) = app.api(Method::POST, "/coupons/ENDS/end", None).await;
        assert!(status == StatusCode::OK && ended["ended_at"].is_string(), "{ended}");
    }
    assert_eq!(app.count("select count(*) from audit_events where action = 'coupon.ended'").await, 1);
    let eve = customer(&app, "zoo").await;
    assert_eq!(give(&app, &eve, "ENDS").await, StatusCode::CONFLICT);
    assert_eq!(redeem(&app, "ENDS").await, StatusCode::SEE_OTHER, "they have it already");
    app.go_to("2026-11-03T00:00:00Z");
    let late = app.browser(Method::POST, COUPONS, ADA, &[("code", "BY-MAY")]).await;
    assert!(late.body.contains("could be redeemed until 3 November 2026"), "{}", late.body);
    for (code, told) in
        [("NOBODY-KNOWS", "There is no coupon NOBODY-KNOWS"), ("?", "is no coupon code"), ("", "is no coupon code")]
    {
        let refused = app.browser(Method::POST, COUPONS, ADA, &[("code", code)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}");
        assert!(refused.body.contains(told), "{}", refused.body);
    }
    let stranger = app.browser(Method::POST, COUPONS, Some("eve@example.com"), &[("code", "ENDS")]).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    closed_at(&app, "2026-12-01T08:00:00Z").await;
    assert_eq!(totals(&app).await.iter().sum::<i64>(), 500, "it gives what it promised to the one who has it");
}

#[tokio::test]
async fn a_coupon_is_offered_once_and_only_if_it_gives_something() {
    let app = in_use(Engine::Sqlite, Faults::none()).await;
    for _ in 0..2 {
        offered(&app, "SAME", json!({"percent": "7.5", "periods": 3, "most": 5})).await;
    }
    let (status, problem) = offer(&app, "same", json!({"percent": "8", "periods": 3, "most": 5})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem.to_string().contains("spinoff coupons show SAME"), "{problem}");
    for wrong in [
        json!({}),
        json!({"percent": "10", "hours": 1}),
        json!({"amount": 100, "periods": 2}),
        json!({"percent": "0"}),
        json!({"percent": "101"}),
        json!({"percent": "10", "periods": 0}),
        json!({"percent": "10", "periods": 121}),
        json!({"amount": -1}),
        json!({"amount": 0}),
        json!({"hours": 0}),
        json!({"hours": 1, "most": 0}),
        json!({"hours": 1, "name": " "}),
        json!({"hours": 1, "redeem_until": "2026-10-31T23:00:00Z"}),
        json!({"hours": 1, "discount": 2}),
    ] {
        let (status, problem) = offer(&app, "WRONG", wrong.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {problem}");
    }
    let (_, listed) = app.api(Method::GET, "/coupons", None).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["data"][0]["percent"], &listed["data"][0]["offer"]),
        (&json!("7.5"), &json!("7.5 % off for 3 periods"))
    );
    for missing in ["/coupons/WRONG", "/coupons/a%20b"] {
        assert_eq!(app.api(Method::GET, missing, None).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn the_periods_of_a_percentage_begin_when_the_customer_begins_to_pay() {
    let plan = Plan { trial_days: 45, ..Plan::default() };
    let app = TestApp::start_selling(START, Engine::Sqlite, plan, control_plane::BillingSettings::default()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    offered(&app, "HALF", json!({"percent": "50", "periods": 1})).await;
    assert_eq!(redeem(&app, "HALF").await, StatusCode::SEE_OTHER);
    assert!(app.get(BILLS, ADA).await.body.contains("from 1 December 2026 on"));
    for moment in ["2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-02-01T08:00:00Z"] {
        closed_at(&app, moment).await;
    }
    // December from the 16th on, less its half.
    assert_eq!(totals(&app).await, [0, 129, 500]);
}

#[tokio::test]
async fn a_coupon_that_was_tampered_with_is_found_by_the_check() {
    let app = in_use(Engine::Sqlite, Faults::none()).await;
    offered(&app, "MONEY", json!({"amount": 300})).await;
    assert_eq!(redeem(&app, "MONEY").await, StatusCode::SEE_OTHER);
    closed_at(&app, "2026-12-01T08:00:00Z").await;
    app.change("update coupon_uses set amount = 100").await;
    let problems = app.problems().await;
    assert!(problems.iter().any(|problem| problem.contains("coupon MONEY")), "{problems:?}");
}
