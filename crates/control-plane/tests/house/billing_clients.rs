//! What programs can do about bills is what people can, by the same rules.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const ADA: Option<&str> = Some("ada@example.com");

async fn in_use(engine: Engine) -> TestApp {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

async fn cap(app: &TestApp, cap: Value) -> (StatusCode, Value) {
    app.api(Method::PUT, "/instances/acme/spending/cap", Some(cap)).await
}

async fn show(app: &TestApp, path: &str) -> Value {
    let (status, shown) = app.api(Method::GET, path, None).await;
    assert_eq!(status, StatusCode::OK, "{path}: {shown}");
    shown
}

async fn is(app: &TestApp, state: &str) {
    app.until(async || app.instance("acme").await["state"] == state).await;
}

async fn a_cap_is_stated_before_it_is_set_and_set_once(engine: Engine) {
    let app = in_use(engine).await;
    app.go_to("2026-11-02T12:00:00Z");
    app.used("acme", &["2026-11-02T09:10:00Z", "2026-11-02T10:10:00Z"]).await;
    let (status, meant) = cap(&app, json!({"amount": 1500, "dry_run": true})).await;
    assert_eq!(status, StatusCode::OK, "{meant}");
    let meaning = meant["meaning"].as_str().unwrap();
    assert!(meaning.contains("the base fee and 10 hours") && meaning.contains("Your data is kept."), "{meaning}");
    assert_eq!((&meant["hours_allowed"], &meant["reached"]), (&json!(10), &json!(false)));
    let (_, reached) = cap(&app, json!({"hours": 2, "dry_run": true})).await;
    assert_eq!(reached["reached"], true, "{reached}");
    assert_eq!(app.count("select count(*) from caps").await, 0, "to ask sets nothing");
    assert_eq!(show(&app, "/instances/acme/spending").await["cap"], Value::Null);

    for _ in 0..2 {
        let (status, set) = cap(&app, json!({"amount": 1500})).await;
        assert_eq!((status, &set["meaning"]), (StatusCode::OK, &meant["meaning"]), "{set}");
    }
    assert_eq!(app.count("select count(*) from caps").await, 1, "sent twice");
    let shown = show(&app, "/instances/acme/spending").await;
    let figures = ["hours", "amount", "most_hours", "most_amount"].map(|field| shown[field].as_i64().unwrap());
    assert_eq!(figures, [2, 700, 10, 1500], "{shown}");
    assert_eq!(shown["cap"]["amount"], 1500, "{shown}");
    let page = app.get("/portal/instances/acme/bills", ADA).await.body;
    assert!(page.contains("You pay at most $15.00 for each period"), "the portal says the same");
    for _ in 0..2 {
        let (status, _) = app.api(Method::DELETE, "/instances/acme/spending/cap", None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let audited = "select count(*) from audit_events where action = 'cap.set' and actor = 'api'";
    assert_eq!(app.count(audited).await, 2, "set, and lifted");
}

#[tokio::test]
async fn a_cap_is_stated_before_it_is_set_and_set_once_on_sqlite() {
    a_cap_is_stated_before_it_is_set_and_set_once(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_cap_is_stated_before_it_is_set_and_set_once_on_postgres() {
    a_cap_is_stated_before_it_is_set_and_set_once(Engine::Postgres).await;
}

async fn the_same_sent_eight_times_at_once_is_set_once(engine: Engine) {
    let app = in_use(engine).await;
    let caps = (0..8).map(|_| cap(&app, json!({"hours": 40})));
    for (status, answer) in futures_util::future::join_all(caps).await {
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let budget = || app.api(Method::PUT, "/instances/acme/spending/budget", Some(json!({"amount": 2500})));
    for (status, answer) in futures_util::future::join_all((0..8).map(|_| budget())).await {
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let audited = "select count(*) from audit_events where action in ('cap.set', 'budget.set')";
    assert_eq!((app.count("select count(*) from caps").await, app.count(audited).await), (1, 2));
}

#[tokio::test]
async fn the_same_sent_eight_times_at_once_is_set_once_on_sqlite() {
    the_same_sent_eight_times_at_once_is_set_once(Engine::Sqlite).await;
}

#[tokio::test]
async fn the_same_sent_eight_times_at_once_is_set_once_on_postgres() {
    the_same_sent_eight_times_at_once_is_set_once(Engine::Postgres).await;
}

#[tokio::test]
async fn a_cap_that_is_reached_closes_and_lifting_it_opens() {
    let app = in_use(Engine::Sqlite).await;
    app.go_to("2026-11-02T12:00:00Z");
    app.used("acme", &["2026-11-02T09:10:00Z", "2026-11-02T10:10:00Z"]).await;
    let (_, set) = cap(&app, json!({"hours": 2})).await;
    assert_eq!(set["reached"], true, "{set}");
    is(&app, "suspended").await;
    assert_eq!(show(&app, "/instances/acme/spending").await["cap"]["reached"], true);
    assert_eq!(cap(&app, json!({"hours": 3})).await.1["reached"], false);
    is(&app, "active").await;
    cap(&app, json!({"hours": 0})).await;
    is(&app, "suspended").await;
    app.api(Method::DELETE, "/instances/acme/spending/cap", None).await;
    is(&app, "active").await;
}

#[tokio::test]
async fn a_budget_is_set_replaced_and_removed() {
    let app = in_use(Engine::Sqlite).await;
    let budget = async |wanted: Value| app.api(Method::PUT, "/instances/acme/spending/budget", Some(wanted)).await;
    let (status, all) = budget(json!({"amount": 2500})).await;
    assert_eq!((status, all), (StatusCode::OK, json!({"amount": 2500, "thresholds": [50, 80, 100]})));
    let (_, some) = budget(json!({"amount": 3000, "thresholds": [100, 80]})).await;
    assert_eq!(some, json!({"amount": 3000, "thresholds": [80, 100]}));
    assert_eq!(show(&app, "/instances/acme/spending").await["budget"], some);
    for _ in 0..2 {
        let (status, _) = app.api(Method::DELETE, "/instances/acme/spending/budget", None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    assert_eq!(show(&app, "/instances/acme/spending").await["budget"], Value::Null);
}

#[tokio::test]
async fn what_is_no_cap_and_no_budget_is_refused_and_sets_nothing() {
    let app = in_use(Engine::Sqlite).await;
    for wrong in [
        json!({}),
        json!({"hours": 4, "amount": 900}),
        json!({"hours": 745}),
        json!({"hours": -1}),
        json!({"hours": 1.5}),
        json!({"amount": -1}),
        json!({"amount": "9"}),
        json!({"hours": 4, "minutes": 5}),
    ] {
        let (status, problem) = cap(&app, wrong.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {problem}");
        assert!(problem["next_step"].is_string(), "{problem}");
    }
    for wrong in [
        json!({"amount": 900, "thresholds": []}),
        json!({"amount": 900, "thresholds": [80, 81]}),
        json!({"amount": -900}),
        json!({"thresholds": [80]}),
    ] {
        let (status, problem) = app.api(Method::PUT, "/instances/acme/spending/budget", Some(wrong.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {problem}");
    }
    assert_eq!(app.count("select (select count(*) from caps) + (select count(*) from budgets)").await, 0);
    for path in ["/instances/zoo/spending", "/billing/preview/zoo", "/instances/zoo/usage/hours/2026-11-01T00:00:00Z"] {
        assert_eq!(app.api(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn what_is_gone_costs_nothing_more_and_says_so() {
    let app = in_use(Engine::Sqlite).await;
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    app.go_to("2026-11-02T12:00:00Z");
    assert_eq!(app.delete("acme").await, "done");
    app.go_to("2026-11-02T14:00:00Z");
    let (status, problem) = app.api(Method::GET, &format!("/instances/{id}/spending"), None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let path = format!("/instances/{id}/spending/cap");
    assert_eq!(app.api(Method::PUT, &path, Some(json!({"hours": 4}))).await.0, StatusCode::CONFLICT);
    assert_eq!(app.api(Method::DELETE, &path, None).await.0, StatusCode::CONFLICT);
    let preview = format!("/billing/preview/{id}");
    assert_eq!(show(&app, &preview).await["invoice"]["total"], 500, "its last period is still to be billed");
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let (status, problem) = app.api(Method::GET, &preview, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["next_step"].as_str().unwrap().contains("spinoff invoices list"), "{problem}");
}

async fn an_hour_tells_what_shows_it_and_what_becomes_of_its_price(engine: Engine) {
    let app = in_use(engine).await;
    let hour = async |moment: &str| show(&app, &format!("/instances/acme/usage/hours/{moment}")).await;
    app.go_to("2026-11-02T12:00:00Z");
    app.used("acme", &["2026-11-02T09:10:00Z", "2026-11-02T10:10:00Z"]).await;
    let unused = hour("2026-11-02T08:59:59Z").await;
    assert_eq!((&unused["charge"], &unused["evidence"]), (&json!("unused"), &json!([])));
    let coming = hour("2026-11-02T09:59:59Z").await;
    assert_eq!(coming["hour_start"], "2026-11-02T09:00:00Z");
    assert_eq!((&coming["charge"], &coming["price"]), (&json!("coming"), &json!(100)), "{coming}");
    assert_eq!(coming["evidence"][0]["signal"], "member", "{coming}");

    let contest = json!({"instance": "acme", "hour": "2026-11-02T09:30:00Z", "reason": "Nobody was there."});
    let (_, opened) = app.api(Method::POST, "/contests", Some(contest)).await;
    assert_eq!(hour("2026-11-02T09:00:00Z").await["contest"], opened);
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    let billed = hour("2026-11-02T09:00:00Z").await;
    assert_eq!((&billed["charge"], &billed["invoice"]), (&json!("billed"), &json!("2026-000001")), "{billed}");
    let decision = json!({"state": "accepted", "answer": "You are right."});
    let path = format!("/contests/{}/decision", opened["id"].as_str().unwrap());
    assert_eq!(app.api(Method::POST, &path, Some(decision)).await.0, StatusCode::OK);
    let credited = hour("2026-11-02T09:00:00Z").await;
    assert_eq!((&credited["charge"], &credited["price"]), (&json!("credited"), &json!(100)), "{credited}");
    assert_eq!(credited["waiver"]["author"], "api", "{credited}");
    assert_eq!(credited["contest"]["answer"], "You are right.", "{credited}");

    let used = show(&app, "/instances/acme/usage?month=2026-11").await;
    assert_eq!(used["waived"], json!(["2026-11-02T09:00:00Z"]), "{used}");
    assert_eq!(used["hours"].as_array().unwrap().len(), 1, "{used}");
    let (status, problem) = app.api(Method::GET, "/instances/acme/usage/hours/nine", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
}

#[tokio::test]
async fn an_hour_tells_what_shows_it_and_what_becomes_of_its_price_on_sqlite() {
    an_hour_tells_what_shows_it_and_what_becomes_of_its_price(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_hour_tells_what_shows_it_and_what_becomes_of_its_price_on_postgres() {
    an_hour_tells_what_shows_it_and_what_becomes_of_its_price(Engine::Postgres).await;
}

async fn the_running_bill_is_computed_line_by_line_and_nothing_is_stored(engine: Engine) {
    let app = in_use(engine).await;
    app.go_to("2026-11-02T12:00:00Z");
    app.used("acme", &["2026-11-02T09:10:00Z", "2026-11-02T10:10:00Z"]).await;
    let credit = json!({"amount": 300, "reference": "TICKET 17", "reason": "A morning without service."});
    let (status, _) = app.api(Method::POST, "/customers/ada@example.com/credits", Some(credit)).await;
    assert_eq!(status, StatusCode::OK);
    let counts = "select (select count(*) from invoices) + (select count(*) from messages) +
         (select count(*) from audit_events) + (select count(*) from ledger_transactions)";
    let before = app.count(counts).await;
    let bill = show(&app, "/billing/preview/acme").await;
    assert_eq!(app.count(counts).await, before, "nothing is stored");
    assert_eq!((&bill["invoice"]["total"], &bill["invoice"]["amount_due"]), (&json!(700), &json!(400)), "{bill}");
    assert_eq!((&bill["lines"][1]["quantity"], &bill["lines"][1]["amount"]), (&json!(2), &json!(200)), "{bill}");
    assert_eq!(bill["invoice"]["previous_total"], Value::Null, "{bill}");

    // November waits for its close, and takes the credit that is left.
    app.go_to("2026-12-01T01:00:00Z");
    let next = show(&app, "/billing/preview/acme").await;
    assert_eq!(next["invoice"]["period_start"], "2026-12-01T00:00:00Z", "{next}");
    assert_eq!((&next["invoice"]["amount_due"], &next["invoice"]["previous_total"]), (&json!(500), &json!(700)));
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(app.invoices().await[0]["amount_due"], bill["invoice"]["amount_due"]);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn the_running_bill_is_computed_line_by_line_and_nothing_is_stored_on_sqlite() {
    the_running_bill_is_computed_line_by_line_and_nothing_is_stored(Engine::Sqlite).await;
}

#[tokio::test]
async fn the_running_bill_is_computed_line_by_line_and_nothing_is_stored_on_postgres() {
    the_running_bill_is_computed_line_by_line_and_nothing_is_stored(Engine::Postgres).await;
}

#[tokio::test]
async fn programs_get_the_same_papers_as_customers() {
    let app = in_use(Engine::Sqlite).await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    for kind in ["pdf", "csv"] {
        let Value::String(paper) = show(&app, &format!("/invoices/2026-000001/{kind}")).await else { panic!("{kind}") };
        let theirs = app.get(&format!("/portal/instances/acme/bills/invoices/2026-000001/{kind}"), ADA).await;
        assert_eq!(paper, theirs.body, "{kind}");
        assert!(paper.starts_with("%PDF-") || paper.starts_with("invoice,kind,"), "{kind}");
        let (status, _) = app.api(Method::GET, &format!("/invoices/2026-000009/{kind}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{kind}");
    }
}

#[tokio::test]
async fn a_customer_is_named_by_id_or_address_and_nobody_by_chance() {
    let app = in_use(Engine::Sqlite).await;
    let by_address = show(&app, "/customers/ada@example.com/ledger").await;
    assert_eq!(by_address, app.ledger("acme").await);
    for nobody in ["eve@example.com", "ada", "acme", "cus_00000000000000000000000000"] {
        let (status, problem) = app.api(Method::GET, &format!("/customers/{nobody}/ledger"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{nobody}: {problem}");
    }
}

#[tokio::test]
async fn a_guards_token_opens_nothing_of_it() {
    let app = in_use(Engine::Sqlite).await;
    let token = app.host.token_of("ai-diy-acme");
    for (method, path, body) in [
        (Method::GET, "/instances/acme/spending", None),
        (Method::PUT, "/instances/acme/spending/cap", Some(json!({"hours": 700}))),
        (Method::DELETE, "/instances/acme/spending/cap", None),
        (Method::PUT, "/instances/acme/spending/budget", Some(json!({"amount": 700}))),
        (Method::DELETE, "/instances/acme/spending/budget", None),
        (Method::GET, "/instances/acme/usage/hours/2026-11-01T00:00:00Z", None),
        (Method::GET, "/billing/preview/acme", None),
        (Method::GET, "/invoices/2026-000001/pdf", None),
        (Method::GET, "/invoices/2026-000001/csv", None),
    ] {
        let (status, problem) = app.api_as(Some(&token), method.clone(), path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}: {problem}");
    }
    assert_eq!(app.count("select count(*) from caps").await, 0);
}
