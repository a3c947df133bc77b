//! What operators see of money, and do about it.

use reqwest::{Method, StatusCode};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const OPERATOR: Option<&str> = Some("operator@localhost");
const READER: Option<&str> = Some("r@example.com");
const INVOICE: &str = "/admin/money/invoices/2026-000001";

async fn used() -> TestApp {
    let app = TestApp::start_at("2026-11-16T00:00:00Z", Engine::Sqlite, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app.go_to("2026-11-20T12:00:00Z");
    app.used("acme", &["2026-11-17T09:10:00Z", "2026-11-20T11:00:00Z"]).await;
    app
}

async fn with_a_reader(app: &TestApp) {
    app.change(
        "insert into operators (email, role, added_at, from_settings) values ('r@example.com', 'read_only', 0, 0)",
    )
    .await;
    app.app().admit_to_site(&domain::Email::parse("r@example.com").unwrap()).await.unwrap();
}

fn digest(page: &str) -> String {
    let rest = page.split_once("name=\"digest\" value=\"").unwrap().1;
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_month_is_closed_as_it_was_shown_or_shown_again() {
    let app = used().await;
    let early = app.get("/admin/money/close?month=2026-11", OPERATOR).await;
    assert!(early.body.contains("Not yet") && early.body.contains("$4.50"), "{}", early.body);
    app.go_to("2026-12-01T01:00:00Z");
    let shown = app.get("/admin/money/close", OPERATOR).await;
    assert!(shown.body.contains("Close of November 2026") && shown.body.contains("first invoice"), "{}", shown.body);
    let seen = digest(&shown.body);
    app.used("acme", &["2026-11-30T23:10:00Z"]).await;
    let form = [("month", "2026-11"), ("digest", seen.as_str())];
    let changed = app.browser(Method::POST, "/admin/money/close", OPERATOR, &form).await;
    assert_eq!(changed.status, StatusCode::CONFLICT, "{}", changed.body);
    assert!(changed.body.contains("Something changed") && changed.body.contains("$5.50"), "{}", changed.body);
    let now = digest(&changed.body);
    let form = [("month", "2026-11"), ("digest", now.as_str())];
    let begun = app.browser(Method::POST, "/admin/money/close", OPERATOR, &form).await;
    let workflow = begun.location.unwrap();
    let workflow = workflow.strip_prefix("/admin/workflows/").unwrap();
    assert_eq!(app.settled_as_time_passes(workflow).await, "done");
    let done = app.get("/admin/money/close?month=2026-11", OPERATOR).await;
    assert!(done.body.contains("Closed") && !done.body.contains("name=\"digest\""), "{}", done.body);
    let money = app.get("/admin/money", OPERATOR).await;
    assert!(money.body.contains("1 December 2026") && money.body.contains("$5.50"), "{}", money.body);
    let none = app.get("/admin/money/close?month=13", OPERATOR).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_contested_hour_is_shown_with_its_evidence_and_answered_once() {
    let app = used().await;
    let hour = "/portal/instances/acme/bills/hours/498585";
    app.browser(Method::POST, hour, Some("ada@example.com"), &[("reason", "Nobody was there.")]).await;
    let home = app.get("/admin", OPERATOR).await;
    assert!(home.body.contains("A customer contests an hour"), "{}", home.body);
    let money = app.get("/admin/money", OPERATOR).await;
    assert!(money.body.contains("Nobody was there.") && money.body.contains("a member was active, 09:10"));
    let action =
        money.body.split_once("action=\"/admin/money/contests/").unwrap().1.split('"').next().unwrap().to_owned();
    let url = format!("/admin/money/contests/{action}");
    for (decision, answer) in [("maybe", "x"), ("refuse", " ")] {
        let bad = app.browser(Method::POST, &url, OPERATOR, &[("decision", decision), ("answer", answer)]).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "{decision}");
    }
    for _ in 0..2 {
        let form = [("decision", "accept"), ("answer", "You are right.")];
        assert_eq!(app.browser(Method::POST, &url, OPERATOR, &form).await.status, StatusCode::SEE_OTHER);
    }
    let refused = app.browser(Method::POST, &url, OPERATOR, &[("decision", "refuse"), ("answer", "No.")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(app.get("/admin/money", OPERATOR).await.body.contains("waits for your answer"));
    assert!(app.get(hour, Some("ada@example.com")).await.body.contains("You are right."));
}

#[tokio::test]
async fn payments_credits_and_losses_are_booked_from_the_invoice() {
    let app = used().await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let page = app.get(INVOICE, OPERATOR).await;
    assert!(page.body.contains("$4.50") && page.body.contains("value=\"4.50\""), "{}", page.body);
    let pay = |amount: &'static str, on: &'static str| {
        let form = [("amount", amount), ("reference", "bank-1"), ("on", on)];
        let app = &app;
        async move { app.browser(Method::POST, &format!("{INVOICE}/payments"), OPERATOR, &form).await }
    };
    for (amount, on) in [("four", "2026-12-01"), ("0", "2026-12-01"), ("1", "yesterday"), ("1", "2026-12-02")] {
        let refused = pay(amount, on).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{amount} {on}");
        assert!(refused.body.contains(&format!("value=\"{amount}\"")), "what was entered is kept");
    }
    for _ in 0..2 {
        assert_eq!(pay("1.50", "2026-12-01").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(pay("1.60", "2026-12-01").await.status, StatusCode::UNPROCESSABLE_ENTITY, "same reference");
    assert_eq!(app.ledger("acme").await["owed"], 300);

    let url = format!("{INVOICE}/credits");
    for _ in 0..2 {
        let form = [("amount", "2"), ("reason", "The outage."), ("reference", "once")];
        assert_eq!(app.browser(Method::POST, &url, OPERATOR, &form).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(app.ledger("acme").await["credit"], 200);
    let money = app.get("/admin/money", OPERATOR).await;
    assert!(money.body.contains("The outage.") && money.body.contains("operator@localhost"), "{}", money.body);
    assert!(money.body.contains("$1.50"), "{}", money.body);
    // As those were recorded that are older than the column.
    let forgotten = "update ledger_transactions set brought_in = null";
    store::sqlx::query(forgotten).execute(app.db.db.write()).await.unwrap();
    assert_eq!(app.get("/admin/money", OPERATOR).await.body, money.body);

    let url = format!("{INVOICE}/write-off");
    assert!(app.get(&url, OPERATOR).await.body.contains("$3.00"));
    for (reason, confirmation) in [("Gone.", "2026-1"), (" ", "2026-000001")] {
        let form = [("reason", reason), ("confirmation", confirmation)];
        let refused = app.browser(Method::POST, &url, OPERATOR, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason:?}");
    }
    let form = [("reason", "Gone."), ("confirmation", "2026-000001")];
    assert_eq!(app.browser(Method::POST, &url, OPERATOR, &form).await.status, StatusCode::SEE_OTHER);
    let page = app.get(INVOICE, OPERATOR).await;
    assert!(page.body.contains("Written off") && page.body.contains("bank-1"), "{}", page.body);
    assert!(app.get("/admin/money/invoices?state=written_off", OPERATOR).await.body.contains("2026-000001"));
    assert!(app.problems().await.is_empty());
    let pdf = app.get(&format!("{INVOICE}/pdf"), OPERATOR).await;
    assert!(pdf.status == StatusCode::OK && pdf.body.starts_with("%PDF"));
}

#[tokio::test]
async fn who_may_only_look_books_nothing() {
    let app = used().await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    with_a_reader(&app).await;
    let page = app.get(INVOICE, READER).await;
    assert!(page.status == StatusCode::OK && !page.body.contains("Record payment"), "{}", page.body);
    for path in ["payments", "credits", "write-off"] {
        let form = [("amount", "1"), ("reference", "r"), ("reason", "r"), ("on", "2026-12-01"), ("confirmation", "x")];
        let refused = app.browser(Method::POST, &format!("{INVOICE}/{path}"), READER, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let form = [("month", "2026-11"), ("digest", "x")];
    let refused = app.browser(Method::POST, "/admin/money/close", READER, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(app.ledger("acme").await["owed"], 450);
}
