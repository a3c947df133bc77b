//! Who does not pay is reminded, closed out and in the end deleted; paying takes it back at every point before.

use control_plane::dun_if_due;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const ADA: &str = "ada@example.com";

/// November's invoices of two instances of one customer, $5.00 each, due on 15 December.
async fn with_two_instances(engine: Engine) -> TestApp {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, Faults::none()).await;
    app.provision(ADA, "acme").await;
    app.provision(ADA, "bakery").await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    app
}

/// A day comes, seen by several replicas at once.
async fn comes(app: &TestApp, day: &str) {
    app.go_to(&format!("{day}T08:00:00Z"));
    looked_at(app).await;
}

async fn looked_at(app: &TestApp) {
    for looked in futures_util::future::join_all((0..3).map(|_| dun_if_due(app.app()))).await {
        looked.unwrap();
    }
    app.at_rest().await;
}

async fn closed_out(app: &TestApp) {
    for day in ["2026-12-16", "2026-12-23", "2026-12-30", "2027-01-06"] {
        comes(app, day).await;
    }
}

async fn pay(app: &TestApp, number: &str, amount: i64, reference: &str) {
    let body = json!({"amount": amount, "reference": reference});
    let (status, answer) = app.api(Method::POST, &format!("/invoices/{number}/payments"), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    app.at_rest().await;
}

async fn customer(app: &TestApp) -> String {
    app.instance("acme").await["customer_id"].as_str().unwrap().to_owned()
}

async fn dunning(app: &TestApp, method: Method, what: &str) -> Value {
    let path = format!("/customers/{}/dunning{what}", customer(app).await);
    let (status, answer) = app.api(method, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

async fn stage(app: &TestApp) -> String {
    dunning(app, Method::GET, "").await["stage"].as_str().unwrap().to_owned()
}

async fn states(app: &TestApp) -> [String; 2] {
    let state = async |name| app.instance(name).await["state"].as_str().unwrap().to_owned();
    [state("acme").await, state("bakery").await]
}

/// The subjects of what was written about money and doors since the invoices.
async fn told(app: &TestApp) -> Vec<String> {
    let about = |subject: &String| {
        !["Invoice ", "Your ", "Welcome"].iter().any(|start| subject.starts_with(start))
            && !subject.contains("is ready")
    };
    app.mails_to(ADA).await.into_iter().filter(about).collect()
}

async fn reminders_come_then_all_instances_close_and_paying_opens_them(engine: Engine) {
    let app = with_two_instances(engine).await;
    comes(&app, "2026-12-15").await;
    assert_eq!(stage(&app).await, "current", "its last day is not over");
    comes(&app, "2026-12-16").await;
    let seen = dunning(&app, Method::GET, "").await;
    assert_eq!((&seen["stage"], &seen["next_at"]), (&json!("reminded"), &json!("2026-12-23T08:00:00Z")), "{seen}");
    pay(&app, "2026-000001", 500, "BANK 1").await;
    assert_eq!(stage(&app).await, "reminded", "a part is not all");
    comes(&app, "2026-12-23").await;
    comes(&app, "2026-12-30").await;
    assert_eq!((stage(&app).await.as_str(), states(&app).await), ("grace", ["active", "active"].map(String::from)));
    comes(&app, "2027-01-06").await;
    assert_eq!(
        (stage(&app).await.as_str(), states(&app).await),
        ("suspended", ["suspended", "suspended"].map(String::from))
    );
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(true));
    let visit = app.visit("acme").await;
    assert_eq!(visit.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(visit.body.contains("/portal/instances/acme") && !visit.body.contains("paid"), "{}", visit.body);
    let portal = app.get("/portal/instances/acme", Some(ADA)).await.body;
    assert!(portal.contains("An invoice is not paid.") && portal.contains("/portal/instances/acme/bills"), "{portal}");
    // What the customer orders meanwhile is closed too.
    app.provision(ADA, "cakes").await;
    looked_at(&app).await;
    assert_eq!(app.instance("cakes").await["state"], "suspended");
    // Two reasons hold at once: each is lifted by whoever set it.
    let why = json!({"reason": "You asked us to."});
    assert_eq!(app.api(Method::POST, "/instances/bakery/suspend", Some(why)).await.0, StatusCode::ACCEPTED);
    let (status, problem) = app.api(Method::POST, "/instances/acme/resume", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["title"].as_str().unwrap().contains("An invoice is not paid."), "{problem}");
    pay(&app, "2026-000002", 500, "BANK 2").await;
    assert_eq!(
        (stage(&app).await.as_str(), states(&app).await),
        ("current", ["active", "suspended"].map(String::from))
    );
    assert_eq!(app.instance("cakes").await["state"], "active");
    assert_eq!(app.instance("bakery").await["suspended_because"], "You asked us to.");
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    looked_at(&app).await;
    assert_eq!(app.api(Method::POST, "/instances/bakery/resume", None).await.0, StatusCode::ACCEPTED);
    app.at_rest().await;
    assert_eq!(states(&app).await, ["active", "active"].map(String::from));
    let mails = told(&app).await;
    let once = |start: &str| mails.iter().filter(|subject| subject.contains(start)).count();
    let expected = [
        ("Reminder: invoice 2026-000001 is not paid", 1),
        ("Reminder 2: invoice 2026-000002 is not paid", 1),
        ("will be closed soon: invoice 2026-000002", 1),
        ("is closed until invoice 2026-000002 is paid", 1),
        ("is suspended", 1),
        ("is open again", 3),
    ];
    for (subject, number) in expected {
        assert_eq!(once(subject), number, "{subject}: {mails:#?}");
    }
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn reminders_come_then_all_instances_close_and_paying_opens_them_on_sqlite() {
    reminders_come_then_all_instances_close_and_paying_opens_them(Engine::Sqlite).await;
}

#[tokio::test]
async fn reminders_come_then_all_instances_close_and_paying_opens_them_on_postgres() {
    reminders_come_then_all_instances_close_and_paying_opens_them(Engine::Postgres).await;
}

async fn nothing_is_deleted_before_the_notice_ran_out_and_late_money_stays_in_the_book(engine: Engine) {
    let app = with_two_instances(engine).await;
    closed_out(&app).await;
    comes(&app, "2027-02-05").await;
    assert_eq!(stage(&app).await, "cancelled");
    comes(&app, "2027-03-07").await;
    let seen = dunning(&app, Method::GET, "").await;
    assert_eq!((&seen["stage"], &seen["next_at"]), (&json!("deletion_announced"), &json!("2027-04-06T08:00:00Z")));
    app.go_to("2027-04-06T07:59:59Z");
    looked_at(&app).await;
    assert_eq!(states(&app).await, ["suspended", "suspended"].map(String::from));
    comes(&app, "2027-04-06").await;
    assert_eq!((stage(&app).await.as_str(), states(&app).await), ("deleted", ["deleted", "deleted"].map(String::from)));
    let removed = app.instance("acme").await;
    assert_eq!(removed["removal"]["requested_by"], "dunning", "{removed}");
    assert_eq!(app.hostnames().await.iter().filter(|name| name.starts_with("acme")).count(), 0);
    let mails = told(&app).await;
    for subject in ["Your contract for", "will be deleted, with everything in it", "was removed"] {
        assert!(app.mails_to(ADA).await.iter().any(|mail| mail.contains(subject)), "{subject}: {mails:#?}");
    }
    let mailbox = app.get("/mailbox/messages.json", None).await.body;
    let written: Vec<Value> = serde_json::from_str(&mailbox).unwrap();
    let all = format!("This holds for all your workspaces: {}, {}.", app.shown("acme"), app.shown("bakery"));
    let naming_all = written.iter().filter(|mail| mail["text"].as_str().unwrap().contains(&all)).count();
    assert_eq!(naming_all, 4, "the warning, the closing, the end and the notice");
    app.close(None).await;
    let last = app.invoices().await.pop().unwrap();
    assert_eq!(last["period_end"], "2027-03-01T00:00:00Z", "the month in which the contract ended is the last: {last}");
    let owed = app.ledger("acme").await["owed"].as_i64().unwrap();
    pay(&app, "2026-000001", owed + 100, "BANK 1").await;
    looked_at(&app).await;
    assert_eq!((app.ledger("acme").await["owed"].as_i64(), stage(&app).await.as_str()), (Some(-100), "deleted"));
    assert_eq!(states(&app).await, ["deleted", "deleted"].map(String::from));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_deleted_before_the_notice_ran_out_and_late_money_stays_in_the_book_on_sqlite() {
    nothing_is_deleted_before_the_notice_ran_out_and_late_money_stays_in_the_book(Engine::Sqlite).await;
}

#[tokio::test]
async fn nothing_is_deleted_before_the_notice_ran_out_and_late_money_stays_in_the_book_on_postgres() {
    nothing_is_deleted_before_the_notice_ran_out_and_late_money_stays_in_the_book(Engine::Postgres).await;
}

#[tokio::test]
async fn a_contract_that_is_restored_is_not_charged_for_the_months_between() {
    let app = with_two_instances(Engine::Sqlite).await;
    closed_out(&app).await;
    comes(&app, "2027-02-05").await;
    comes(&app, "2027-03-07").await;
    app.go_to("2027-04-02T08:00:00Z");
    app.close(None).await;
    let owed = app.ledger("acme").await["owed"].as_i64().unwrap();
    pay(&app, "2026-000001", owed, "BANK 1").await;
    assert_eq!((stage(&app).await.as_str(), states(&app).await), ("current", ["active", "active"].map(String::from)));
    app.go_to("2027-05-02T08:00:00Z");
    app.close(None).await;
    let acme = app.instance("acme").await["id"].clone();
    let starts: Vec<_> = app.invoices().await.into_iter().filter(|invoice| invoice["instance_id"] == acme).collect();
    let starts: Vec<_> =
        starts.iter().map(|invoice| invoice["period_start"].as_str().unwrap()[..7].to_owned()).collect();
    assert_eq!(starts, ["2026-11", "2026-12", "2027-01", "2027-02", "2027-04"]);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_pause_holds_time_and_its_end_gives_back_what_was_left() {
    let app = with_two_instances(Engine::Sqlite).await;
    comes(&app, "2026-12-16").await;
    app.go_to("2026-12-20T08:00:00Z");
    for _ in 0..2 {
        let paused = dunning(&app, Method::POST, "/pause").await;
        assert_eq!((&paused["paused"], paused.get("next_at")), (&json!(true), None), "{paused}");
    }
    comes(&app, "2027-02-20").await;
    assert_eq!(stage(&app).await, "reminded");
    for _ in 0..2 {
        let goes_on = dunning(&app, Method::POST, "/unpause").await;
        assert_eq!((&goes_on["paused"], &goes_on["next_at"]), (&json!(false), &json!("2027-02-23T08:00:00Z")));
    }
    comes(&app, "2027-02-22").await;
    assert_eq!(told(&app).await.iter().filter(|subject| subject.starts_with("Reminder")).count(), 1);
    comes(&app, "2027-02-23").await;
    assert_eq!(told(&app).await.iter().filter(|subject| subject.starts_with("Reminder")).count(), 2);
    let noted = "select count(*) from audit_events where action in ('dunning.paused', 'dunning.unpaused')";
    assert_eq!(app.count(noted).await, 2);
    for what in ["", "/pause", "/unpause"] {
        let method = if what.is_empty() { Method::GET } else { Method::POST };
        let (status, _) =
            app.api(method, &format!("/customers/cus_00000000000000000000000000/dunning{what}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn credit_and_write_offs_that_leave_nothing_due_open_everything() {
    let app = with_two_instances(Engine::Sqlite).await;
    closed_out(&app).await;
    let why = json!({"reason": "We had an outage."});
    assert_eq!(app.api(Method::POST, "/invoices/2026-000001/write-off", Some(why)).await.0, StatusCode::OK);
    looked_at(&app).await;
    assert_eq!(states(&app).await, ["suspended", "suspended"].map(String::from), "one invoice is left");
    let credit = json!({"amount": 500, "reference": "goodwill", "reason": "We had an outage."});
    let path = format!("/customers/{}/credits", customer(&app).await);
    assert_eq!(app.api(Method::POST, &path, Some(credit)).await.0, StatusCode::OK);
    app.at_rest().await;
    assert_eq!((stage(&app).await.as_str(), states(&app).await), ("current", ["active", "active"].map(String::from)));
    comes(&app, "2027-01-20").await;
    assert_eq!(stage(&app).await, "current", "as much is owed to the customer");
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_step_that_breaks_in_the_middle_leaves_nothing_half_done_and_is_taken_later() {
    let app = with_two_instances(Engine::Sqlite).await;
    for day in ["2026-12-16", "2026-12-23", "2026-12-30"] {
        comes(&app, day).await;
    }
    // The last write of the step fails: both instances are held by then.
    app.change(
        "create trigger broken before insert on messages when new.recipient = 'ada@example.com'
         begin select raise(abort, 'the disk is full'); end",
    )
    .await;
    comes(&app, "2027-01-06").await;
    assert_eq!((stage(&app).await.as_str(), states(&app).await), ("grace", ["active", "active"].map(String::from)));
    assert_eq!(app.count("select count(*) from instance_holds").await, 0);
    app.change("drop trigger broken").await;
    looked_at(&app).await;
    assert_eq!(
        (stage(&app).await.as_str(), states(&app).await),
        ("suspended", ["suspended", "suspended"].map(String::from))
    );
    assert_eq!(told(&app).await.iter().filter(|subject| subject.contains("is closed until")).count(), 1);
}

#[tokio::test]
async fn nobody_is_dunned_for_what_is_gone_and_who_comes_back_begins_anew() {
    let app = with_two_instances(Engine::Sqlite).await;
    comes(&app, "2026-12-16").await;
    assert_eq!((app.delete("acme").await.as_str(), app.delete("bakery").await.as_str()), ("done", "done"));
    comes(&app, "2026-12-23").await;
    comes(&app, "2027-02-23").await;
    assert_eq!(stage(&app).await, "deleted");
    let reminders = async || told(&app).await.iter().filter(|subject| subject.starts_with("Reminder")).count();
    assert_eq!(reminders().await, 1);
    app.provision(ADA, "cakes").await;
    looked_at(&app).await;
    assert_eq!((stage(&app).await.as_str(), reminders().await), ("reminded", 2));
    assert_eq!(app.instance("cakes").await["state"], "active");
    comes(&app, "2027-03-02").await;
    comes(&app, "2027-03-09").await;
    let warned = format!("{} will be closed soon: invoice 2026-000001 is not paid", app.shown("cakes"));
    assert!(told(&app).await.contains(&warned), "the workspace that closes, not the one that is gone");
}
