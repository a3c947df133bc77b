//! A period that is over gets one invoice, whatever happens on the way.

use control_plane::{BillingCycle, BillingSettings};
use domain::{Cents, Plan};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults};

use crate::support::{TestApp, once, points};

const START: &str = "2026-11-16T00:00:00Z";
const AFTER_NOVEMBER: &str = "2026-12-01T08:00:00Z";
const STEPS: [&str; 3] = ["issue invoices", "check the books", "tell the operator"];

async fn with_three_hours(engine: Engine, faults: Faults) -> TestApp {
    let app = TestApp::start_at(START, engine, faults).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z", "2026-11-17T10:10:00Z", "2026-11-20T11:00:00Z"]).await;
    app
}

fn amounts(invoice: &Value) -> Vec<(&str, i64)> {
    let lines = invoice["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["kind"].as_str().unwrap(), line["amount"].as_i64().unwrap())).collect()
}

async fn a_duplicate_close_issues_no_second_invoice(engine: Engine) {
    let app = with_three_hours(engine, Faults::none()).await;
    app.go_to(AFTER_NOVEMBER);
    for month in [None, Some("2026-11"), Some("2026-11"), None] {
        app.close(month).await;
        app.used("acme", &["2026-11-17T09:20:00Z"]).await;
    }
    let invoices = app.invoices().await;
    assert_eq!(invoices.len(), 1);
    // The half of November that was left when the service began, and three hours.
    assert_eq!(amounts(&invoices[0]), [("base_fee", 250), ("hours", 300)]);
    assert_eq!((&invoices[0]["number"], &invoices[0]["state"]), (&json!("2026-000001"), &json!("open")));
    assert_eq!((&invoices[0]["issued_on"], &invoices[0]["due_on"]), (&json!("2026-12-01"), &json!("2026-12-15")));
    let ledger = app.ledger("acme").await;
    assert_eq!((&ledger["owed"], ledger["entries"].as_array().unwrap().len()), (&json!(550), 1), "{ledger}");
    let told = format!("Invoice 2026-000001 for {}: $5.50", app.shown("acme"));
    assert_eq!(app.mails_to("ada@example.com").await[1..], [told]);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_duplicate_close_issues_no_second_invoice_on_sqlite() {
    a_duplicate_close_issues_no_second_invoice(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_duplicate_close_issues_no_second_invoice_on_postgres() {
    a_duplicate_close_issues_no_second_invoice(Engine::Postgres).await;
}

#[tokio::test]
async fn dying_at_any_step_of_a_closing_comes_to_the_same_books() {
    for point in points("close.v1", &STEPS) {
        let app = with_three_hours(Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        app.go_to(AFTER_NOVEMBER);
        app.close(None).await;
        let invoices = app.invoices().await;
        assert_eq!((invoices.len(), &invoices[0]["total"]), (1, &json!(550)), "{point:?}");
        assert_eq!(app.ledger("acme").await["owed"], 550, "{point:?}");
        assert_eq!(app.problems().await, [""; 0], "{point:?}");
    }
}

#[tokio::test]
async fn an_invoice_that_can_not_be_booked_leaves_nothing_behind_and_no_gap() {
    let app = with_three_hours(Engine::Sqlite, Faults::none()).await;
    app.provision("eve@example.com", "zoo").await;
    app.go_to(AFTER_NOVEMBER);
    // The last write of the transaction fails, for one of two customers.
    app.change(
        "create trigger broken before insert on messages when new.recipient = 'ada@example.com'
         begin select raise(abort, 'the disk is full'); end",
    )
    .await;
    let id = app.ask_to_close(None).await;
    app.until(async || {
        app.count("select count(*) from workflow_steps where name = 'issue invoices' and state = 'failed'").await == 1
    })
    .await;
    assert_eq!(app.count("select count(*) from ledger_transactions where document like '%550%'").await, 0);
    assert_eq!(app.count("select count(*) from invoices where total = 550").await, 0);
    app.change("drop trigger broken").await;
    assert_eq!(app.settled_as_time_passes(&id).await, "done");
    let invoices = app.invoices().await;
    let numbers: Vec<_> = invoices.iter().map(|invoice| invoice["number"].clone()).collect();
    assert_eq!(numbers, ["2026-000001", "2026-000002"]);
    assert_eq!(app.problems().await, [""; 0]);
}

async fn closers_at_once_issue_each_invoice_once(engine: Engine) {
    let app = with_three_hours(engine, Faults::none()).await;
    for (name, customer) in [("bob-1", "bob"), ("bob-2", "bob"), ("bob-3", "bob"), ("cleo", "cleo"), ("dan", "dan")] {
        app.provision(&format!("{customer}@example.com"), name).await;
        app.used(name, &["2026-11-20T12:00:00Z"]).await;
    }
    app.go_to("2027-01-01T08:00:00Z");
    let closers = [None, Some("2026-11"), Some("2026-12"), None, Some("2026-12")];
    let ids = futures_util::future::join_all(closers.map(|month| app.ask_to_close(month))).await;
    for id in ids {
        assert_eq!(app.settled_as_time_passes(&id).await, "done");
    }
    let invoices = app.invoices().await;
    let numbers: Vec<_> = invoices.iter().map(|invoice| invoice["number"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = (1..=12).map(|number| format!("2027-{number:06}")).collect();
    assert_eq!(numbers, expected, "two months of six instances");
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn closers_at_once_issue_each_invoice_once_on_sqlite() {
    closers_at_once_issue_each_invoice_once(Engine::Sqlite).await;
}

#[tokio::test]
async fn closers_at_once_issue_each_invoice_once_on_postgres() {
    closers_at_once_issue_each_invoice_once(Engine::Postgres).await;
}

#[tokio::test]
async fn a_period_waits_for_late_reports_and_what_comes_later_is_on_the_next_invoice() {
    let app = with_three_hours(Engine::Sqlite, Faults::none()).await;
    app.go_to("2026-12-01T05:59:00Z");
    app.close(None).await;
    assert_eq!(app.invoices().await, Vec::<Value>::new(), "it did not wait");
    app.used("acme", &["2026-11-30T23:30:00Z"]).await;
    app.go_to("2026-12-01T06:01:00Z");
    app.close(None).await;
    assert_eq!(amounts(&app.invoices().await[0]), [("base_fee", 250), ("hours", 400)]);
    app.used("acme", &["2026-11-29T08:00:00Z", "2026-11-30T23:40:00Z"]).await;
    app.go_to("2027-01-02T00:00:00Z");
    app.close(None).await;
    let invoices = app.invoices().await;
    assert_eq!(amounts(&invoices[1]), [("base_fee", 500), ("hours", 0), ("late_hours", 100)]);
    assert_eq!(invoices[1]["lines"][2]["hours"], json!(["2026-11-29T08:00:00Z"]));
    assert_eq!(app.problems().await, [""; 0]);
}

async fn an_hour_waived_before_its_close_is_not_billed_and_one_waived_after_it_is_credited(engine: Engine) {
    let app = with_three_hours(engine, Faults::none()).await;
    let waive = |hour: &'static str| {
        let body = json!({"hours": [hour], "reason": "We had an outage."});
        app.api(Method::POST, "/instances/acme/usage/waive", Some(body))
    };
    assert_eq!(waive("2026-11-17T09:30:00Z").await, (StatusCode::OK, json!({"added": 1})));
    assert_eq!(waive("2026-11-17T09:00:00Z").await.1, json!({"added": 0}), "it is the same hour");
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!((usage["hours"].as_array().unwrap().len(), &usage["bill"]["total"]), (2, &json!(700)));
    app.go_to(AFTER_NOVEMBER);
    app.close(None).await;
    assert_eq!(amounts(&app.invoices().await[0]), [("base_fee", 250), ("hours", 200)]);
    waive("2026-11-20T11:00:00Z").await;
    app.go_to("2027-01-02T00:00:00Z");
    app.close(None).await;
    let invoice = &app.invoices().await[1];
    assert_eq!((&invoice["total"], &invoice["amount_due"]), (&json!(500), &json!(400)), "{invoice}");
    assert_eq!(invoice["credits"][0]["amount"], 100);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn an_hour_waived_before_its_close_is_not_billed_and_one_waived_after_it_is_credited_on_sqlite() {
    an_hour_waived_before_its_close_is_not_billed_and_one_waived_after_it_is_credited(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_hour_waived_before_its_close_is_not_billed_and_one_waived_after_it_is_credited_on_postgres() {
    an_hour_waived_before_its_close_is_not_billed_and_one_waived_after_it_is_credited(Engine::Postgres).await;
}

#[tokio::test]
async fn a_new_price_reaches_into_no_period_that_has_begun() {
    let app = with_three_hours(Engine::Sqlite, Faults::none()).await;
    let dearer = Plan { base_cents: Cents::new(900), hour_cents: Cents::new(300), ..Plan::default() };
    let app = app.restarted_with(dearer.clone(), BillingSettings::default()).await;
    let app = app.restarted_with(dearer, BillingSettings::default()).await;
    assert_eq!(app.count("select count(*) from plan_versions").await, 2);
    app.go_to("2026-11-21T00:00:00Z");
    app.provision("bob@example.com", "late").await;
    app.go_to("2026-12-02T00:00:00Z");
    app.used("late", &["2026-11-21T01:00:00Z", "2026-12-01T01:00:00Z"]).await;
    app.close(None).await;
    app.go_to("2027-01-02T00:00:00Z");
    app.close(None).await;
    let invoices = app.invoices().await;
    let of = |name: &'static str| {
        let app = &app;
        let invoices = &invoices;
        async move {
            let id = app.instance(name).await["id"].clone();
            invoices.iter().filter(|it| it["instance_id"] == id).map(amounts).collect::<Vec<_>>()
        }
    };
    assert_eq!(of("acme").await, [[("base_fee", 250), ("hours", 300)], [("base_fee", 900), ("hours", 0)]]);
    assert_eq!(of("late").await, [[("base_fee", 300), ("hours", 300)], [("base_fee", 900), ("hours", 300)]]);
}

#[tokio::test]
async fn by_anniversary_a_period_lasts_to_the_same_day_and_hour_of_the_next_month() {
    let app = TestApp::start_at("2026-11-16T05:10:00Z", Engine::Sqlite, Faults::none()).await;
    let anniversary =
        BillingSettings { cycle: BillingCycle::Anniversary, grace_hours: 2, ..BillingSettings::default() };
    let app = app.restarted_with(Plan::default(), anniversary).await;
    app.provision("ada@example.com", "acme").await;
    app.go_to("2026-12-16T06:59:00Z");
    app.used("acme", &["2026-12-16T04:59:00Z", "2026-12-16T05:00:00Z"]).await;
    app.close(None).await;
    assert_eq!(app.invoices().await, Vec::<Value>::new(), "it did not wait");
    app.go_to("2027-01-16T07:00:00Z");
    app.close(None).await;
    let invoices = app.invoices().await;
    let both = [[("base_fee", 500), ("hours", 100)], [("base_fee", 500), ("hours", 100)]];
    assert_eq!(invoices.iter().map(amounts).collect::<Vec<_>>(), both);
    assert_eq!(
        (&invoices[1]["period_start"], &invoices[1]["period_end"]),
        (&json!("2026-12-16T05:00:00Z"), &json!("2027-01-16T05:00:00Z"))
    );
    assert_eq!(app.problems().await, [""; 0]);
}

async fn a_deleted_instance_gets_its_last_invoice_and_no_other(engine: Engine) {
    let app = with_three_hours(engine, Faults::none()).await;
    assert_eq!(app.delete("acme").await, "done");
    app.go_to("2027-03-01T08:00:00Z");
    app.close(None).await;
    let invoices = app.invoices().await;
    assert_eq!(invoices.iter().map(amounts).collect::<Vec<_>>(), [[("base_fee", 250), ("hours", 300)]]);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_deleted_instance_gets_its_last_invoice_and_no_other_on_sqlite() {
    a_deleted_instance_gets_its_last_invoice_and_no_other(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_deleted_instance_gets_its_last_invoice_and_no_other_on_postgres() {
    a_deleted_instance_gets_its_last_invoice_and_no_other(Engine::Postgres).await;
}

#[tokio::test]
async fn an_order_that_came_to_nothing_is_never_billed() {
    let faults = Faults::by(|here| (here.step == "wait until healthy").then_some(Fault::Permanent));
    let app = TestApp::start_at(START, Engine::Sqlite, faults).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "failed");
    app.go_to(AFTER_NOVEMBER);
    app.close(None).await;
    assert_eq!(app.delete("acme").await, "done");
    app.go_to("2027-03-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(app.invoices().await, Vec::<Value>::new());
}

async fn a_dry_run_shows_every_invoice_and_stores_nothing(engine: Engine) {
    let app = with_three_hours(engine, Faults::none()).await;
    let dry =
        |month: &'static str| app.api(Method::POST, "/billing/close", Some(json!({"month": month, "dry_run": true})));
    let (status, preview) = dry("2026-11").await;
    assert_eq!((status, &preview["total"]), (StatusCode::OK, &json!(550)), "{preview}");
    app.go_to(AFTER_NOVEMBER);
    app.close(None).await;
    app.used("acme", &["2026-12-01T07:00:00Z"]).await;
    let (_, preview) = dry("2026-12").await;
    let invoices = preview["invoices"].as_array().unwrap();
    assert_eq!(invoices.len(), 1, "{preview}");
    let shown = ["total", "previous_total", "hours", "previous_hours"].map(|name| invoices[0][name].as_i64().unwrap());
    assert_eq!(shown, [600, 550, 1, 3]);
    assert_eq!(app.invoices().await.len(), 1);
    assert_eq!(app.mails_to("ada@example.com").await.len(), 2);
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    let invoices = app.invoices().await;
    assert_eq!((&invoices[1]["number"], &invoices[1]["total"]), (&json!("2027-000002"), &json!(600)));
}

#[tokio::test]
async fn a_dry_run_shows_every_invoice_and_stores_nothing_on_sqlite() {
    a_dry_run_shows_every_invoice_and_stores_nothing(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_dry_run_shows_every_invoice_and_stores_nothing_on_postgres() {
    a_dry_run_shows_every_invoice_and_stores_nothing(Engine::Postgres).await;
}

async fn a_day_is_closed_once_by_however_many_replicas(engine: Engine) {
    let app = with_three_hours(engine, Faults::none()).await;
    let closings = async || app.count("select count(*) from workflows where kind = 'close.v1'").await;
    let replicas = async || {
        let core = app.app().core();
        let started = futures_util::future::join_all((0..6).map(|_| control_plane::close_if_due(&core))).await;
        started.into_iter().for_each(|started| started.unwrap());
    };
    for (moment, number, invoices) in [
        ("2026-12-01T05:59:00Z", 1, 0),
        ("2026-12-01T06:00:00Z", 2, 1),
        ("2026-12-01T20:00:00Z", 2, 1),
        ("2026-12-02T05:00:00Z", 2, 1),
        ("2026-12-02T06:00:00Z", 3, 1),
    ] {
        app.go_to(moment);
        replicas().await;
        app.until(async || app.count("select count(*) from workflows where state = 'running'").await == 0).await;
        assert_eq!((closings().await, app.invoices().await.len()), (number, invoices), "{moment}");
    }
}

#[tokio::test]
async fn a_day_is_closed_once_by_however_many_replicas_on_sqlite() {
    a_day_is_closed_once_by_however_many_replicas(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_day_is_closed_once_by_however_many_replicas_on_postgres() {
    a_day_is_closed_once_by_however_many_replicas(Engine::Postgres).await;
}

#[tokio::test]
async fn a_month_that_is_not_over_is_not_closed() {
    let app = with_three_hours(Engine::Sqlite, Faults::none()).await;
    for month in ["2026-11", "2027-01"] {
        let (status, problem) = app.api(Method::POST, "/billing/close", Some(json!({"month": month}))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    }
    let (status, _) = app.api(Method::POST, "/billing/close", Some(json!({"month": "2026-13"}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.count("select count(*) from workflows where kind = 'close.v1'").await, 0);
}
