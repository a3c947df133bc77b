//! To whom invoices are made out, which taxes stand on them, and when a customer begins to pay.

use control_plane::BillingSettings;
use domain::Plan;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const START: &str = "2026-11-16T00:00:00Z";
const ADA: Option<&str> = Some("ada@example.com");
const BILLS: &str = "/portal/instances/acme/bills";
const DETAILS: &str = "/portal/instances/acme/bills/details";

fn taxes(taxes: Value) -> BillingSettings {
    serde_json::from_value(json!({"taxes": taxes})).unwrap()
}

fn german_and_austrian() -> BillingSettings {
    taxes(json!([
        {"country": "DE", "name": "VAT", "percent": "19"},
        {"country": "AT", "name": "VAT", "percent": "20", "exempt_with_tax_id": "Reverse charge"},
    ]))
}

async fn selling(engine: Engine, plan: Plan, billing: BillingSettings) -> TestApp {
    let app = TestApp::start_selling(START, engine, plan, billing).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

async fn moved(app: &TestApp, country: &str, tax_id: &str) {
    let form = [
        ("name", "Acme GmbH"),
        ("address", "Street 1\r\n12345 Town"),
        ("country", country),
        ("tax_id", tax_id),
        ("mail_to", "books@example.com"),
    ];
    for _ in 0..2 {
        let sent = app.browser(Method::POST, DETAILS, ADA, &form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
}

async fn customer(app: &TestApp) -> String {
    app.instance("acme").await["customer_id"].as_str().unwrap().to_owned()
}

/// What the newest invoice of a customer says in its document.
async fn newest(app: &TestApp) -> Value {
    app.invoices().await.last().unwrap()["document"].clone()
}

async fn an_invoice_keeps_the_buyer_it_was_issued_to(engine: Engine) {
    let app = selling(engine, Plan::default(), german_and_austrian()).await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let as_signed_up = newest(&app).await;
    assert_eq!(as_signed_up["buyer"]["address"], json!(["ada@example.com"]), "{as_signed_up}");
    assert_eq!((&as_signed_up["taxes"], &as_signed_up["total"]), (&json!([]), &json!(250)), "nobody knew the country");

    moved(&app, "DE", "de 123 456 789").await;
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    let german = newest(&app).await;
    let buyer = json!({"name": "Acme GmbH", "address": ["Street 1", "12345 Town", "Germany"], "tax_id": "DE123456789"});
    assert_eq!((&german["buyer"], &german["total"]), (&buyer, &json!(595)));
    assert_eq!(german["taxes"][0]["amount"], 95);

    moved(&app, "AT", "ATU12345678").await;
    app.go_to("2027-02-01T08:00:00Z");
    app.close(None).await;
    let austrian = newest(&app).await;
    assert_eq!((&austrian["tax_exempt"], &austrian["total"]), (&json!("Reverse charge"), &json!(500)));
    assert_eq!(app.invoices().await[1]["document"], german, "it stays as it was issued");
    assert_eq!(app.problems().await, [""; 0], "each computes to the same again, wherever the customer is now");
    assert_eq!(app.count("select count(*) from audit_events where action = 'customer.billing_changed'").await, 2);
    let copies = app.mails_to("books@example.com").await;
    assert_eq!(copies.len(), 2, "{copies:?}");
}

#[tokio::test]
async fn an_invoice_keeps_the_buyer_it_was_issued_to_on_sqlite() {
    an_invoice_keeps_the_buyer_it_was_issued_to(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_invoice_keeps_the_buyer_it_was_issued_to_on_postgres() {
    an_invoice_keeps_the_buyer_it_was_issued_to(Engine::Postgres).await;
}

#[tokio::test]
async fn what_is_wrong_with_details_is_told_at_the_field_and_nothing_is_changed() {
    let app = selling(Engine::Sqlite, Plan::default(), BillingSettings::default()).await;
    app.provision("eve@example.com", "zoo").await;
    let form = app.browser(Method::GET, DETAILS, ADA, &[]).await;
    assert!(form.status == StatusCode::OK && form.body.contains(">Germany</option>"), "{}", form.body);
    let wrong = [("name", ""), ("country", "DE"), ("tax_id", "DE12"), ("mail_to", "nobody"), ("address", "Street <1>")];
    let told = app.browser(Method::POST, DETAILS, ADA, &wrong).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    for id in ["name_error", "tax_id_error", "mail_to_error"] {
        assert!(told.body.contains(&format!("id=\"{id}\"")), "{id}: {}", told.body);
    }
    assert!(told.body.contains("value=\"DE\" selected") && told.body.contains("should look like DE999999999"));
    assert!(!told.body.contains("country_error\""), "{}", told.body);
    assert_eq!(app.count("select count(*) from billing_details").await, 0);
    for method in [Method::GET, Method::POST] {
        let stranger = app.browser(method, DETAILS, Some("eve@example.com"), &[("name", "x"), ("country", "DE")]).await;
        assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    }
    let bills = app.get(BILLS, ADA).await;
    assert!(bills.body.contains(DETAILS), "{}", bills.body);
}

#[tokio::test]
async fn the_operator_reads_and_sets_details() {
    let app = selling(Engine::Sqlite, Plan::default(), BillingSettings::default()).await;
    let path = format!("/customers/{}/billing", customer(&app).await);
    let (_, before) = app.api(Method::GET, &path, None).await;
    assert_eq!((&before["name"], &before["changed_at"]), (&json!("ada@example.com"), &Value::Null), "{before}");
    let details = json!({"name": "Acme", "address": ["Street 1"], "country": "ch", "tax_id": "CHE-123.456.789"});
    let (status, set) = app.api(Method::PUT, &path, Some(details)).await;
    assert_eq!(
        (status, &set["address"], &set["country"]),
        (StatusCode::OK, &json!(["Street 1", "Switzerland"]), &json!("CH"))
    );
    assert!(set["changed_at"].is_string());
    for wrong in [
        json!({"name": "Acme"}),
        json!({"name": "Acme", "country": "XX"}),
        json!({"name": " ", "country": "CH"}),
        json!({"name": "Acme", "country": "DE", "tax_id": "DE12"}),
        json!({"name": "Acme", "country": "DE", "city": "Town"}),
    ] {
        let (status, problem) = app.api(Method::PUT, &path, Some(wrong.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {problem}");
    }
    assert_eq!(app.api(Method::GET, &path, None).await.1, set, "refused, they stay as they were");
    let nobody = "/customers/cus_00000000000000000000000000/billing";
    assert_eq!(app.api(Method::GET, nobody, None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_new_rate_is_for_periods_that_begin_later() {
    let billing = |percent: &str| taxes(json!([{"name": "VAT", "percent": percent}]));
    let app = selling(Engine::Sqlite, Plan::default(), billing("19")).await;
    app.go_to("2026-12-10T10:00:00Z");
    let app = app.restarted_with(Plan::default(), billing("20")).await;
    app.go_to("2027-01-01T03:00:00Z");
    // Before December is closed, and yet not for it.
    let app = app.restarted_with(Plan::default(), billing("21")).await;
    let app = app.restarted_with(Plan::default(), billing("21")).await;
    assert_eq!(app.count("select count(*) from tax_versions").await, 3);
    app.go_to("2027-02-01T08:00:00Z");
    app.close(None).await;
    let rates: Vec<Value> =
        app.invoices().await.iter().map(|invoice| invoice["document"]["taxes"][0]["rate"].clone()).collect();
    assert_eq!(rates, [190_000, 190_000, 200_000]);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn taxes_that_come_to_a_business_under_way_leave_what_has_begun_alone() {
    let app = selling(Engine::Sqlite, Plan::default(), BillingSettings::default()).await;
    let app = app.restarted_with(Plan::default(), taxes(json!([{"name": "VAT", "percent": "20"}]))).await;
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    let totals: Vec<Value> = app.invoices().await.iter().map(|invoice| invoice["total"].clone()).collect();
    assert_eq!(totals, [250, 600]);
}

#[tokio::test]
async fn moving_to_another_country_waives_nothing_that_was_billed_under_a_cap() {
    let app = selling(Engine::Sqlite, Plan::default(), german_and_austrian()).await;
    // The half of November's base fee and two hours, without tax.
    let cap = [("cap", "money"), ("value", "4.50")];
    assert_eq!(app.browser(Method::POST, &format!("{BILLS}/cap"), ADA, &cap).await.status, StatusCode::SEE_OTHER);
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z", "2026-11-18T09:10:00Z"]).await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    moved(&app, "DE", "").await;
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    let invoices = app.invoices().await;
    assert_eq!((&invoices[0]["total"], &invoices[1]["document"]["credits"]), (&json!(450), &json!([])));
    assert_eq!(app.count("select count(*) from waived_hours").await, 0);
}

#[tokio::test]
async fn a_trial_is_free_to_the_hour_and_one_for_each_customer() {
    let plan = Plan { trial_days: 20, ..Plan::default() };
    let app = selling(Engine::Sqlite, plan, BillingSettings::default()).await;
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z"]).await;
    let bills = app.get(BILLS, ADA).await.body;
    assert!(bills.contains("Your trial runs until") && bills.contains("2026-12-06"), "{bills}");
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(app.invoices().await[0]["total"], 0, "all of it lies in the trial");
    app.go_to("2026-12-02T00:00:00Z");
    // What is left of the trial is for the second one too, and no more.
    assert_eq!(app.provision("ada@example.com", "second").await, "done");
    app.go_to("2026-12-20T00:00:00Z");
    app.used("second", &["2026-12-05T23:10:00Z", "2026-12-06T00:10:00Z"]).await;
    app.go_to("2027-02-01T08:00:00Z");
    app.close(None).await;
    let (_, of_second) = app.api(Method::GET, "/invoices?instance=second", None).await;
    let totals: Vec<&Value> = of_second["data"].as_array().unwrap().iter().map(|invoice| &invoice["total"]).collect();
    // 26 of 31 days of the base fee, and one of the two hours.
    assert_eq!(totals, [&json!(500), &json!(519)]);
    let (_, of_acme) = app.api(Method::GET, "/invoices?instance=acme", None).await;
    assert_eq!(of_acme["data"][1]["total"], 419);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_trial_that_is_offered_later_is_for_those_who_come_later() {
    let app = TestApp::start_at(START, Engine::Sqlite, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    let app = app.restarted_with(Plan { trial_days: 30, ..Plan::default() }, BillingSettings::default()).await;
    app.go_to("2026-11-17T00:00:00Z");
    assert_eq!(app.provision("eve@example.com", "zoo").await, "done");
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let totals: Vec<Value> = app.invoices().await.iter().map(|invoice| invoice["total"].clone()).collect();
    assert_eq!(totals.iter().map(|total| total.as_i64().unwrap()).sum::<i64>(), 250);
    let signup = app.get("/signup", None).await.body;
    assert!(signup.contains("30 days"), "{signup}");
}
