//! What people book by hand, and what they may not.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

/// Two invoices of one customer: $10.00 for November, $5.00 for December.
async fn with_two_invoices(engine: Engine) -> TestApp {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    let hours: Vec<String> = (0..5).map(|hour| format!("2026-11-02T0{hour}:00:00Z")).collect();
    app.go_to("2026-11-03T00:00:00Z");
    app.used("acme", &hours.iter().map(String::as_str).collect::<Vec<_>>()).await;
    app.go_to("2027-01-02T00:00:00Z");
    app.close(None).await;
    app
}

async fn pay(app: &TestApp, number: &str, amount: i64, reference: &str) -> (StatusCode, Value) {
    let body = json!({"amount": amount, "reference": reference});
    app.api(Method::POST, &format!("/invoices/{number}/payments"), Some(body)).await
}

async fn states(app: &TestApp) -> Vec<(String, i64)> {
    let stands =
        |invoice: &Value| (invoice["state"].as_str().unwrap().to_owned(), invoice["outstanding"].as_i64().unwrap());
    app.invoices().await.iter().map(stands).collect()
}

fn stand(expected: [(&str, i64); 2]) -> [(String, i64); 2] {
    expected.map(|(state, left)| (state.to_owned(), left))
}

async fn a_payment_recorded_twice_is_one_and_pays_the_oldest_invoice_first(engine: Engine) {
    let app = with_two_invoices(engine).await;
    assert_eq!(states(&app).await, stand([("open", 1000), ("open", 500)]));
    for _ in 0..3 {
        assert_eq!(pay(&app, "2027-000002", 600, "BANK 1").await.0, StatusCode::OK);
    }
    assert_eq!(states(&app).await, stand([("open", 400), ("open", 500)]));
    let at_once = (0..8).map(|_| pay(&app, "2027-000001", 700, "BANK 2"));
    for (status, answer) in futures_util::future::join_all(at_once).await {
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    assert_eq!(states(&app).await, stand([("paid", 0), ("open", 200)]));
    app.go_to("2027-01-16T00:00:00Z");
    assert_eq!(states(&app).await, stand([("paid", 0), ("open", 200)]), "its last day is not over");
    app.go_to("2027-01-17T00:00:00Z");
    assert_eq!(states(&app).await, stand([("paid", 0), ("overdue", 200)]));
    for (state, number) in [("paid", 1), ("overdue", 1), ("open", 0), ("written_off", 0)] {
        let (_, page) = app.api(Method::GET, &format!("/invoices?state={state}&instance=acme"), None).await;
        assert_eq!(page["data"].as_array().unwrap().len(), number, "{state}");
    }
    assert_eq!(app.ledger("acme").await["owed"], 200);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_payment_recorded_twice_is_one_and_pays_the_oldest_invoice_first_on_sqlite() {
    a_payment_recorded_twice_is_one_and_pays_the_oldest_invoice_first(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_payment_recorded_twice_is_one_and_pays_the_oldest_invoice_first_on_postgres() {
    a_payment_recorded_twice_is_one_and_pays_the_oldest_invoice_first(Engine::Postgres).await;
}

async fn what_makes_no_sense_is_refused_and_books_nothing(engine: Engine) {
    let app = with_two_invoices(engine).await;
    app.provision("eve@example.com", "zoo").await;
    pay(&app, "2027-000001", 600, "BANK 1").await;
    app.go_to("2027-02-02T00:00:00Z");
    app.close(None).await;
    let zoo = app.instance("zoo").await["id"].clone();
    let theirs = app.invoices().await.into_iter().find(|it| it["instance_id"] == zoo).unwrap();
    let theirs = theirs["number"].as_str().unwrap();
    let before = app.count("select count(*) from ledger_transactions").await;
    let refusals = [
        ("2027-000001", 0, "BANK 2", StatusCode::UNPROCESSABLE_ENTITY),
        ("2027-000001", -5, "BANK 2", StatusCode::UNPROCESSABLE_ENTITY),
        ("2027-000001", 100, " ", StatusCode::UNPROCESSABLE_ENTITY),
        ("2027-000001", 601, "BANK 1", StatusCode::CONFLICT),
        (theirs, 600, "BANK 1", StatusCode::CONFLICT),
        ("2027-000009", 100, "BANK 2", StatusCode::NOT_FOUND),
        ("1", 100, "BANK 2", StatusCode::NOT_FOUND),
        ("2027-000001", i64::MAX, "BANK 3", StatusCode::UNPROCESSABLE_ENTITY),
        ("2027-000001", 5_000_000, "BANK 3", StatusCode::OK),
    ];
    for (number, amount, reference, expected) in refusals {
        let (status, problem) = pay(&app, number, amount, reference).await;
        assert_eq!(status, expected, "{number} {amount} {reference}: {problem}");
    }
    let early = json!({"amount": 100, "reference": "BANK 4", "received_on": "2027-02-03"});
    let (status, _) = app.api(Method::POST, "/invoices/2027-000001/payments", Some(early)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let strange = json!({"amount": 100.5, "reference": "BANK 4"});
    let (status, _) = app.api(Method::POST, "/invoices/2027-000001/payments", Some(strange)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = app.api(Method::POST, "/invoices/2027-000001/write-off", Some(json!({"reason": "gone"}))).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is paid");
    let (status, _) = app.api(Method::GET, "/customers/cus_00000000000000000000000000/ledger", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(app.count("select count(*) from ledger_transactions").await, before + 1);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_books_nothing_on_sqlite() {
    what_makes_no_sense_is_refused_and_books_nothing(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_books_nothing_on_postgres() {
    what_makes_no_sense_is_refused_and_books_nothing(Engine::Postgres).await;
}

#[tokio::test]
async fn credit_is_taken_by_the_next_invoice_and_given_once_for_each_reference() {
    let app = with_two_invoices(Engine::Sqlite).await;
    let customer = app.instance("acme").await["customer_id"].as_str().unwrap().to_owned();
    let give = |amount: i64, reason: &'static str| {
        let body = json!({"amount": amount, "reference": "goodwill 1", "reason": reason});
        let (app, path) = (&app, format!("/customers/{customer}/credits"));
        async move { app.api(Method::POST, &path, Some(body)).await }
    };
    assert_eq!(give(300, " ").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..2 {
        let (status, ledger) = give(300, "For the outage.").await;
        assert_eq!((status, &ledger["credit"]), (StatusCode::OK, &json!(300)), "{ledger}");
        assert_eq!(ledger["entries"].as_array().unwrap().last().unwrap()["reason"], "For the outage.");
    }
    assert_eq!(give(301, "For the outage.").await.0, StatusCode::CONFLICT);
    app.go_to("2027-02-02T00:00:00Z");
    app.close(None).await;
    let invoice = app.invoices().await.pop().unwrap();
    let shown = ["total", "amount_due", "outstanding"].map(|name| invoice[name].as_i64().unwrap());
    assert_eq!(shown, [500, 200, 200]);
    assert_eq!(app.ledger("acme").await["credit"], 0);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn what_was_paid_too_much_pays_the_next_invoice() {
    let app = with_two_invoices(Engine::Sqlite).await;
    pay(&app, "2027-000002", 1900, "BANK 1").await;
    assert_eq!(states(&app).await, stand([("paid", 0), ("paid", 0)]));
    assert_eq!(app.ledger("acme").await["owed"], -400);
    app.go_to("2027-02-02T00:00:00Z");
    app.close(None).await;
    let invoice = app.invoices().await.pop().unwrap();
    assert_eq!((&invoice["amount_due"], &invoice["outstanding"]), (&json!(500), &json!(100)));
    let mail = app.get("/mailbox/messages.json", None).await.body;
    assert!(mail.contains("pays for a part; $1.00 are to be paid by 16 February 2027."), "{mail}");
    assert_eq!(app.problems().await, [""; 0]);
}

async fn what_was_paid_by_hand_goes_back_by_hand_and_is_booked_once(engine: Engine) {
    let app = with_two_invoices(engine).await;
    let path = "/invoices/2027-000001/refunds";
    let body = |amount: i64| json!({"amount": amount, "reference": "TICKET 1", "reason": "We had an outage."});
    let (status, problem) = app.api(Method::POST, path, Some(body(100))).await;
    assert_eq!(status, StatusCode::CONFLICT, "nothing was paid: {problem}");
    assert_eq!(pay(&app, "2027-000001", 1000, "BANK 1").await.0, StatusCode::OK);
    for _ in 0..2 {
        let (status, refund) = app.api(Method::POST, path, Some(body(100))).await;
        assert_eq!(status, StatusCode::OK, "{refund}");
        assert!(refund["booked_at"].is_string() && refund["tax"] == 0, "{refund}");
    }
    assert_eq!(app.api(Method::POST, path, Some(body(99))).await.0, StatusCode::CONFLICT);
    let more = json!({"amount": 901, "reference": "TICKET 2", "reason": "Again."});
    assert_eq!(app.api(Method::POST, path, Some(more)).await.0, StatusCode::CONFLICT);
    let (_, all) = app.api(Method::GET, path, None).await;
    assert_eq!(all["data"].as_array().unwrap().len(), 1, "{all}");
    assert!(states(&app).await.contains(&("paid".to_owned(), 0)), "what went back is not owed again");
    let mails = app.mails_to("ada@example.com").await;
    assert_eq!(mails.iter().filter(|subject| subject.starts_with("You get back $1.00")).count(), 1, "{mails:?}");
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn what_was_paid_by_hand_goes_back_by_hand_and_is_booked_once_on_sqlite() {
    what_was_paid_by_hand_goes_back_by_hand_and_is_booked_once(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_was_paid_by_hand_goes_back_by_hand_and_is_booked_once_on_postgres() {
    what_was_paid_by_hand_goes_back_by_hand_and_is_booked_once(Engine::Postgres).await;
}

#[tokio::test]
async fn what_is_written_off_is_waited_for_no_more() {
    let app = with_two_invoices(Engine::Sqlite).await;
    pay(&app, "2027-000001", 300, "BANK 1").await;
    for _ in 0..2 {
        let why = json!({"reason": "The company no longer exists."});
        let (status, invoice) = app.api(Method::POST, "/invoices/2027-000001/write-off", Some(why)).await;
        assert_eq!((status, &invoice["state"]), (StatusCode::OK, &json!("written_off")), "{invoice}");
    }
    assert_eq!(states(&app).await, stand([("written_off", 0), ("open", 500)]));
    pay(&app, "2027-000001", 500, "BANK 2").await;
    assert_eq!(states(&app).await, stand([("written_off", 0), ("paid", 0)]));
    assert_eq!(app.problems().await, [""; 0]);
}

async fn a_contested_hour_is_credited_when_it_is_accepted_and_stays_when_it_is_refused(engine: Engine) {
    let app = with_two_invoices(engine).await;
    let contest = |hour: &'static str| {
        let body = json!({"instance": "acme", "hour": hour, "reason": "Nobody was there."});
        app.api(Method::POST, "/contests", Some(body))
    };
    let decide = |id: String, state: &'static str, answer: &'static str| {
        let body = json!({"state": state, "answer": answer});
        let app = &app;
        async move { app.api(Method::POST, &format!("/contests/{id}/decision"), Some(body)).await }
    };
    assert_eq!(contest("2026-11-02T09:00:00Z").await.0, StatusCode::UNPROCESSABLE_ENTITY, "it was not used");
    let (status, one) = contest("2026-11-02T01:20:00Z").await;
    assert_eq!((status, &one["state"]), (StatusCode::OK, &json!("open")), "{one}");
    assert_eq!(contest("2026-11-02T01:40:00Z").await.1, one, "an hour is contested once");
    let (_, other) = contest("2026-11-02T02:00:00Z").await;
    let ids = [&one, &other].map(|contest| contest["id"].as_str().unwrap().to_owned());
    let [one, other] = ids;
    assert_eq!(decide(other.clone(), "refused", " ").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..2 {
        assert_eq!(decide(one.clone(), "accepted", "").await.0, StatusCode::OK);
        assert_eq!(decide(other.clone(), "refused", "You were signed in.").await.0, StatusCode::OK);
    }
    assert_eq!(decide(other, "accepted", "").await.0, StatusCode::CONFLICT);
    assert_eq!(decide("nothing".to_owned(), "accepted", "").await.0, StatusCode::NOT_FOUND);
    let (_, open) = app.api(Method::GET, "/contests?state=open", None).await;
    assert_eq!(open["data"], json!([]));
    app.go_to("2027-02-02T00:00:00Z");
    app.close(None).await;
    let invoice = app.invoices().await.pop().unwrap();
    assert_eq!(invoice["credits"].as_array().unwrap().len(), 1, "{invoice}");
    assert_eq!((&invoice["credits"][0]["amount"], &invoice["amount_due"]), (&json!(100), &json!(400)));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_contested_hour_is_credited_when_it_is_accepted_and_stays_when_it_is_refused_on_sqlite() {
    a_contested_hour_is_credited_when_it_is_accepted_and_stays_when_it_is_refused(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_contested_hour_is_credited_when_it_is_accepted_and_stays_when_it_is_refused_on_postgres() {
    a_contested_hour_is_credited_when_it_is_accepted_and_stays_when_it_is_refused(Engine::Postgres).await;
}

#[tokio::test]
async fn only_the_operators_token_moves_money() {
    let app = with_two_invoices(Engine::Sqlite).await;
    let customer = app.instance("acme").await["customer_id"].as_str().unwrap().to_owned();
    let guard = app.host.token_of("ai-diy-acme");
    let before = app.count("select count(*) from ledger_transactions").await;
    for (path, body) in [
        ("/invoices/2027-000001/payments".to_owned(), json!({"amount": 100, "reference": "BANK 1"})),
        ("/invoices/2027-000001/write-off".to_owned(), json!({"reason": "gone"})),
        (format!("/customers/{customer}/credits"), json!({"amount": 100, "reference": "a", "reason": "b"})),
        ("/instances/acme/usage/waive".to_owned(), json!({"hours": ["2026-11-02T01:00:00Z"], "reason": "a"})),
        ("/contests".to_owned(), json!({"instance": "acme", "hour": "2026-11-02T01:00:00Z", "reason": "a"})),
        ("/billing/close".to_owned(), json!({})),
    ] {
        for (token, expected) in [(None, StatusCode::UNAUTHORIZED), (Some(guard.as_str()), StatusCode::FORBIDDEN)] {
            let (status, answer) = app.api_as(token, Method::POST, &path, Some(body.clone())).await;
            assert_eq!(status, expected, "{path}: {answer}");
        }
    }
    assert_eq!(app.count("select count(*) from ledger_transactions").await, before);
    assert_eq!(app.count("select count(*) from waived_hours").await, 0);
}

#[tokio::test]
async fn a_waiver_needs_a_reason_and_an_hour_that_has_begun() {
    let app = with_two_invoices(Engine::Sqlite).await;
    for (hours, reason) in [
        (json!([]), "outage"),
        (json!(["2026-11-02T01:00:00Z"]), " "),
        (json!(["2027-01-02T02:00:00Z"]), "outage"),
        (json!(["yesterday"]), "outage"),
        (json!(vec!["2026-11-02T01:00:00Z"; 745]), "outage"),
    ] {
        let body = json!({"hours": hours, "reason": reason});
        let (status, problem) = app.api(Method::POST, "/instances/acme/usage/waive", Some(body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    }
    assert_eq!(app.count("select count(*) from waived_hours").await, 0);
}
