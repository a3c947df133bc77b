//! A customer gives an instance up: it runs to the end of what is paid for, its data is kept, and until it is deleted
//! everything can be had back.

use control_plane::{BillingSettings, cancel_if_due, dun_if_due};
use domain::Plan;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment};

use crate::support::TestApp;

const ADA: &str = "ada@example.com";

async fn in_november(engine: Engine) -> TestApp {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, Faults::none()).await;
    app.provision(ADA, "acme").await;
    app
}

/// A moment comes, seen by several replicas at once.
async fn comes(app: &TestApp, moment: &str) {
    app.go_to(moment);
    looked_at(app).await;
}

async fn looked_at(app: &TestApp) {
    for looked in futures_util::future::join_all((0..3).map(|_| cancel_if_due(app.app()))).await {
        looked.unwrap();
    }
    app.worked_off().await;
}

async fn cancel(app: &TestApp, subdomain: &str) -> (StatusCode, Value) {
    let body = json!({"confirm": subdomain});
    app.api(Method::POST, &format!("/instances/{subdomain}/cancellation"), Some(body)).await
}

async fn take_back(app: &TestApp, subdomain: &str) -> (StatusCode, Value) {
    let answer = app.api(Method::DELETE, &format!("/instances/{subdomain}/cancellation"), None).await;
    app.worked_off().await;
    answer
}

async fn stage(app: &TestApp, subdomain: &str) -> String {
    let (status, found) = app.api(Method::GET, &format!("/instances/{subdomain}/cancellation"), None).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found["stage"].as_str().unwrap().to_owned()
}

async fn state(app: &TestApp, subdomain: &str) -> String {
    app.instance(subdomain).await["state"].as_str().unwrap().to_owned()
}

/// Period, total and number of hours of each invoice of an instance.
async fn billed(app: &TestApp, subdomain: &str) -> Vec<(String, i64)> {
    let id = app.instance(subdomain).await["id"].clone();
    let invoices = app.invoices().await.into_iter().filter(|invoice| invoice["instance_id"] == id);
    invoices
        .map(|invoice| (invoice["period_start"].as_str().unwrap()[..10].to_owned(), invoice["total"].as_i64().unwrap()))
        .collect()
}

fn in_words(found: &[(&str, i64)]) -> Vec<(String, i64)> {
    found.iter().map(|(period, total)| ((*period).to_owned(), *total)).collect()
}

async fn subscriptions(app: &TestApp) -> i64 {
    app.count("select count(*) from ledger_subscriptions where ended_at is null").await
}

async fn told(app: &TestApp, subject: &str) -> usize {
    app.mails_to(ADA).await.iter().filter(|found| found.contains(subject)).count()
}

async fn a_cancelled_instance_runs_out_is_kept_announced_and_deleted_and_no_hour_is_lost(engine: Engine) {
    let app = in_november(engine).await;
    app.go_to("2026-11-15T10:30:00Z");
    app.used("acme", &["2026-11-15T09:10:00Z"]).await;
    let page = app.get("/portal/instances/acme/cancel", Some(ADA)).await.body;
    for text in [
        "the end of 30 November 2026",
        "the end of 30 December 2026",
        "24 December 2026",
        "$6.00",
        "1 December 2026",
        "Coming back",
    ] {
        assert!(page.contains(text), "the page lacks {text}: {page}");
    }
    for _ in 0..2 {
        let form = [("confirmation", "acme")];
        let asked = app.browser(Method::POST, "/portal/instances/acme/cancel", Some(ADA), &form).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    }
    assert_eq!(told(&app, "is cancelled").await, 1);
    let portal = app.get("/portal/instances/acme", Some(ADA)).await.body;
    assert!(portal.contains("Keep my workspace") && portal.contains("the end of 30 November 2026"), "{portal}");
    comes(&app, "2026-11-30T23:59:59Z").await;
    assert_eq!((stage(&app, "acme").await.as_str(), state(&app, "acme").await.as_str()), ("running_out", "active"));
    app.used("acme", &["2026-11-30T23:10:00Z"]).await;
    comes(&app, "2026-12-01T00:00:00Z").await;
    assert_eq!((stage(&app, "acme").await.as_str(), state(&app, "acme").await.as_str()), ("kept", "suspended"));
    assert_eq!((app.host.is_suspended("ai-diy-acme"), subscriptions(&app).await), (Some(true), 0));
    let door = app.visit("acme").await;
    assert_eq!(door.status, StatusCode::SERVICE_UNAVAILABLE);
    let expected = "cancelled by its owner on 15 November 2026. Its data is kept until the end of 30 December 2026";
    assert!(door.body.contains(expected) && door.body.contains("/portal/instances/acme"), "{}", door.body);
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 700)]));
    // The guard finds two hours that it had not told: one before the end, and one that nobody is charged for.
    app.go_to("2026-12-05T08:00:00Z");
    app.used("acme", &["2026-11-20T12:00:00Z", "2026-12-01T00:00:00Z"]).await;
    comes(&app, "2026-12-23T23:59:59Z").await;
    assert_eq!(stage(&app, "acme").await, "kept");
    comes(&app, "2026-12-24T00:00:00Z").await;
    assert_eq!((stage(&app, "acme").await.as_str(), told(&app, "is deleted on 31 December").await), ("announced", 1));
    comes(&app, "2026-12-30T23:59:59Z").await;
    assert_eq!(state(&app, "acme").await, "suspended");
    comes(&app, "2026-12-31T00:00:00Z").await;
    assert_eq!((state(&app, "acme").await.as_str(), app.host.projects()), ("deleted", Vec::<String>::new()));
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 700), ("2026-12-01", 100)]));
    app.go_to("2027-03-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await.len(), 2);
    assert_eq!(app.problems().await, [""; 0]);
    let mails = app.mails_to(ADA).await;
    for (subject, number) in [
        ("is cancelled", 1),
        ("has ended; its data is kept", 1),
        ("is deleted on", 1),
        ("was removed", 1),
        ("suspended", 0),
    ] {
        assert_eq!(mails.iter().filter(|found| found.contains(subject)).count(), number, "{subject}: {mails:#?}");
    }
}

async fn what_is_taken_back_before_its_end_never_was(engine: Engine) {
    let app = in_november(engine).await;
    app.go_to("2026-11-15T10:30:00Z");
    for day in ["2026-11-20", "2026-11-21"] {
        assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
        app.go_to(&format!("{day}T10:30:00Z"));
        let (status, answer) = take_back(&app, "acme").await;
        assert_eq!((status, &answer["returned"]), (StatusCode::OK, &json!(false)), "{answer}");
    }
    let (status, problem) = take_back(&app, "acme").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let again = app.browser(Method::POST, "/portal/instances/acme/cancel/undo", Some(ADA), &[]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "a second click is no error");
    comes(&app, "2026-12-01T08:00:00Z").await;
    assert_eq!((state(&app, "acme").await.as_str(), subscriptions(&app).await), ("active", 1));
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 500), ("2026-12-01", 500)]));
    assert_eq!((told(&app, "is cancelled").await, told(&app, "You keep").await), (2, 2));
    assert_eq!(app.problems().await, [""; 0]);
}

async fn who_comes_back_pays_for_the_period_of_the_return_and_nothing_in_between(engine: Engine) {
    let app = in_november(engine).await;
    app.go_to("2026-11-15T10:30:00Z");
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    comes(&app, "2026-12-01T00:00:01Z").await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    comes(&app, "2026-12-28T08:00:00Z").await;
    assert_eq!(stage(&app, "acme").await, "announced");
    app.go_to("2027-01-03T08:00:00Z");
    let page = app.get("/portal/instances/acme/cancel", Some(ADA)).await.body;
    assert!(page.contains("Come back") && page.contains("base fee ($5.00)"), "{page}");
    let back = app.browser(Method::POST, "/portal/instances/acme/cancel/undo", Some(ADA), &[]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    app.worked_off().await;
    assert_eq!((stage(&app, "acme").await.as_str(), state(&app, "acme").await.as_str()), ("none", "active"));
    assert_eq!((app.host.is_suspended("ai-diy-acme"), subscriptions(&app).await), (Some(false), 1));
    assert_ne!(app.visit("acme").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told(&app, "You are back").await, 1);
    app.go_to("2027-01-10T08:00:00Z");
    app.used("acme", &["2027-01-10T07:00:00Z", "2026-11-20T12:00:00Z"]).await;
    comes(&app, "2027-01-31T08:00:00Z").await;
    assert_eq!(state(&app, "acme").await, "active", "the old deletion is off");
    app.go_to("2027-02-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 500), ("2027-01-01", 700)]));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn who_gives_one_of_two_up_keeps_the_other() {
    let app = in_november(Engine::Sqlite).await;
    app.provision(ADA, "bakery").await;
    app.go_to("2026-11-15T10:30:00Z");
    assert_eq!(cancel(&app, "bakery").await.0, StatusCode::OK);
    comes(&app, "2026-12-01T00:00:01Z").await;
    assert_eq!((state(&app, "acme").await.as_str(), state(&app, "bakery").await.as_str()), ("active", "suspended"));
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 500), ("2026-12-01", 500)]));
    assert_eq!(billed(&app, "bakery").await, in_words(&[("2026-11-01", 500)]));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn a_trial_that_is_cancelled_runs_to_its_end_and_has_no_invoice() {
    let plan = Plan { trial_days: 14, ..Plan::default() };
    let start = "2026-11-20T09:30:00Z";
    let app = TestApp::start_selling(start, Engine::Sqlite, plan, BillingSettings::default()).await;
    app.provision(ADA, "acme").await;
    app.go_to("2026-11-25T10:30:00Z");
    app.used("acme", &["2026-11-25T09:10:00Z"]).await;
    let page = app.get("/portal/instances/acme/cancel", Some(ADA)).await.body;
    assert!(page.contains("None: it ends within its trial") && page.contains("4 December 2026, 09:00 UTC"), "{page}");
    let (status, cancelled) = cancel(&app, "acme").await;
    assert_eq!((status, &cancelled["ends_at"]), (StatusCode::OK, &json!("2026-12-04T09:00:00Z")), "{cancelled}");
    comes(&app, "2026-12-04T08:59:59Z").await;
    assert_eq!(state(&app, "acme").await, "active");
    comes(&app, "2026-12-04T09:00:00Z").await;
    assert_eq!(state(&app, "acme").await, "suspended");
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, []);
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn who_does_not_pay_the_last_invoice_is_dunned_and_can_not_come_back_before_paying() {
    let app = in_november(Engine::Sqlite).await;
    app.go_to("2026-11-15T10:30:00Z");
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    comes(&app, "2026-12-01T00:00:01Z").await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    for day in ["2026-12-16", "2026-12-23"] {
        app.go_to(&format!("{day}T08:00:00Z"));
        dun_if_due(app.app()).await.unwrap();
    }
    assert_eq!(told(&app, "Reminder").await, 2);
    // The data is promised until the end of the month only; what is owed stays owed.
    comes(&app, "2026-12-24T00:00:00Z").await;
    let due = app.invoices().await[0]["number"].as_str().unwrap().to_owned();
    app.change("update dunnings set state = '{\"stage\":\"suspended\",\"clock\":{\"running\":{\"due\":\"2027-02-01T00:00:00Z\"}}}', stage = 'suspended'").await;
    dun_if_due(app.app()).await.unwrap();
    app.worked_off().await;
    let (status, problem) = take_back(&app, "acme").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["next_step"].as_str().unwrap().contains("Pay what is due first"), "{problem}");
    let body = json!({"amount": 500, "reference": "BANK 1"});
    assert_eq!(app.api(Method::POST, &format!("/invoices/{due}/payments"), Some(body)).await.0, StatusCode::OK);
    app.worked_off().await;
    assert_eq!((state(&app, "acme").await.as_str(), stage(&app, "acme").await.as_str()), ("suspended", "announced"));
    let door = app.visit("acme").await.body;
    assert!(door.contains("cancelled on 15 November 2026"), "paying is not coming back: {door}");
    assert_eq!(take_back(&app, "acme").await.0, StatusCode::OK);
    assert_eq!(state(&app, "acme").await, "active");
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn one_that_is_closed_for_another_reason_is_cancelled_too_and_stays_closed_when_it_is_back() {
    let app = in_november(Engine::Sqlite).await;
    let why = json!({"reason": "You asked us to."});
    assert_eq!(app.api(Method::POST, "/instances/acme/suspend", Some(why)).await.0, StatusCode::ACCEPTED);
    app.worked_off().await;
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    assert!(app.visit("acme").await.body.contains("suspended"));
    comes(&app, "2026-12-01T00:00:00Z").await;
    assert!(app.visit("acme").await.body.contains("cancelled on 1 November 2026"));
    let (status, problem) = app.api(Method::POST, "/instances/acme/resume", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!((state(&app, "acme").await.as_str(), take_back(&app, "acme").await.0), ("suspended", StatusCode::OK));
    assert_eq!(state(&app, "acme").await, "active", "the operator's reason was lifted before");
    let why = json!({"reason": "You asked us to."});
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    comes(&app, "2027-01-01T00:00:00Z").await;
    assert_eq!(app.api(Method::POST, "/instances/acme/suspend", Some(why)).await.0, StatusCode::ACCEPTED);
    app.worked_off().await;
    assert_eq!(take_back(&app, "acme").await.0, StatusCode::OK);
    assert_eq!(state(&app, "acme").await, "suspended");
    let door = app.visit("acme").await.body;
    assert!(door.contains("suspended") && !door.contains("cancelled"), "{door}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words_and_strangers_find_nothing() {
    let app = in_november(Engine::Sqlite).await;
    let wrong = app.browser(Method::POST, "/portal/instances/acme/cancel", Some(ADA), &[("confirmation", "yes")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("Type acme to confirm"), "{}", wrong.body);
    let bob = Some("bob@example.com");
    app.app().admit_to_site(&domain::Email::parse("bob@example.com").unwrap()).await.unwrap();
    for (method, path) in
        [(Method::GET, "cancel"), (Method::POST, "cancel"), (Method::POST, "cancel/undo"), (Method::POST, "export")]
    {
        let answer =
            app.browser(method, &format!("/portal/instances/acme/{path}"), bob, &[("confirmation", "acme")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(app.api(Method::POST, "/instances/nobody/cancellation", Some(json!({"confirm": "x"}))).await.0, 404);
    // A deletion by hand is faster, and the cancellation then has nothing left to do.
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    assert_eq!(app.delete("acme").await, "done");
    for (status, problem) in [cancel(&app, "acme").await, take_back(&app, "acme").await] {
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    }
    comes(&app, "2026-12-01T00:00:00Z").await;
    comes(&app, "2027-01-31T00:00:00Z").await;
    assert_eq!((state(&app, "acme").await.as_str(), told(&app, "has ended").await), ("deleted", 0));
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 500)]));
}

#[tokio::test]
async fn the_end_and_the_return_survive_death_at_every_step_and_cross_without_harm() {
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let faults = Faults::by(move |point| {
        let ours = ["suspend.v1", "resume.v1", "subscription.v1", "delete.v1"].contains(&point.kind.as_str());
        let first = ours && seen.lock().unwrap().insert(point.clone());
        first.then_some(if point.moment == Moment::After { Fault::Death } else { Fault::Temporary })
    });
    let app = TestApp::start_at("2026-11-01T00:00:00Z", Engine::Sqlite, faults).await;
    app.provision(ADA, "acme").await;
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    let month = jiff::SignedDuration::from_hours(24 * 31);
    app.clock.advance(month);
    looked_at(&app).await;
    assert_eq!((state(&app, "acme").await.as_str(), subscriptions(&app).await), ("suspended", 0));
    // Back before the end is worked off.
    assert_eq!(take_back(&app, "acme").await.0, StatusCode::OK);
    assert_eq!((state(&app, "acme").await.as_str(), subscriptions(&app).await), ("active", 1));
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    for _ in 0..3 {
        assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
        app.clock.advance(month);
        cancel_if_due(app.app()).await.unwrap();
        let body = app.api(Method::DELETE, "/instances/acme/cancellation", None).await;
        assert_eq!(body.0, StatusCode::OK, "{}", body.1);
    }
    app.worked_off().await;
    assert_eq!((state(&app, "acme").await.as_str(), subscriptions(&app).await), ("active", 1));
    assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(false));
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    for _ in 0..3 {
        app.clock.advance(month);
        looked_at(&app).await;
    }
    assert_eq!((state(&app, "acme").await.as_str(), app.host.projects().len()), ("deleted", 0));
    assert_eq!(told(&app, "was removed").await, 1);
}

#[tokio::test]
async fn a_server_that_slept_through_everything_charges_nothing_for_it_and_still_gives_notice() {
    let app = in_november(Engine::Sqlite).await;
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    app.go_to("2027-03-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app, "acme").await, in_words(&[("2026-11-01", 500)]));
    for stages in ["kept", "announced", "announced"] {
        cancel_if_due(app.app()).await.unwrap();
        app.worked_off().await;
        assert_eq!((stage(&app, "acme").await.as_str(), state(&app, "acme").await.as_str()), (stages, "suspended"));
    }
    assert!(app.visit("acme").await.body.contains("kept until 8 March 2027, 08:00 UTC"));
    assert_eq!(told(&app, "is deleted on 8 March 2027").await, 1);
    comes(&app, "2027-03-08T07:59:59Z").await;
    assert_eq!(state(&app, "acme").await, "suspended");
    comes(&app, "2027-03-08T08:01:00Z").await;
    assert_eq!(state(&app, "acme").await, "deleted");
}

#[tokio::test]
async fn everything_can_be_downloaded_while_it_runs_and_while_it_is_kept_and_not_after() {
    let app = in_november(Engine::Sqlite).await;
    let page = app.get("/portal/instances/acme/cancel", Some(ADA)).await.body;
    assert!(page.contains("Nothing can be downloaded here. Copy what you need."), "{page}");
    let (status, problem) = app.api(Method::GET, "/instances/acme/export", None).await;
    assert_eq!(
        (status, &problem["next_step"]),
        (StatusCode::CONFLICT, &json!("Nothing can be downloaded here. Copy what you need."))
    );
    app.host.export_everything();
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let download = async || app.browser(Method::POST, "/portal/instances/acme/export", Some(ADA), &[]).await;
    let got = download().await;
    assert_eq!((got.status, got.body), (StatusCode::OK, format!("everything of {id}")));
    assert_eq!(cancel(&app, "acme").await.0, StatusCode::OK);
    comes(&app, "2026-12-01T00:00:00Z").await;
    assert_eq!(download().await.status, StatusCode::OK);
    assert_eq!(app.count("select count(*) from audit_events where action = 'instance.exported'").await, 2);
    assert_eq!(app.delete("acme").await, "done");
    assert_eq!(download().await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_operator_cancels_for_a_customer_in_the_console_and_takes_it_back() {
    let app = in_november(Engine::Sqlite).await;
    let operator = Some("operator@localhost");
    let path = format!("/admin/instances/{}", app.instance("acme").await["id"].as_str().unwrap());
    let post = async |what: &str, form: &[(&str, &str)]| {
        app.browser(Method::POST, &format!("{path}/{what}"), operator, form).await.status
    };
    assert_eq!(post("cancel", &[("confirmation", "no")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post("cancel", &[("confirmation", "acme")]).await, StatusCode::SEE_OTHER);
    let page = app.get(&path, operator).await.body;
    assert!(page.contains("Data is kept until") && page.contains("operator@localhost"), "{page}");
    assert_eq!(post("cancel/undo", &[]).await, StatusCode::SEE_OTHER);
    assert_eq!(stage(&app, "acme").await, "none");
    comes(&app, "2026-12-01T00:00:00Z").await;
    assert_eq!(state(&app, "acme").await, "active");
}

macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite { $(#[tokio::test] async fn $name() { super::$name(store::Engine::Sqlite).await; })* }
        mod on_postgres { $(#[tokio::test] async fn $name() { super::$name(store::Engine::Postgres).await; })* }
    };
}

on_both_engines!(
    a_cancelled_instance_runs_out_is_kept_announced_and_deleted_and_no_hour_is_lost,
    what_is_taken_back_before_its_end_never_was,
    who_comes_back_pays_for_the_period_of_the_return_and_nothing_in_between,
);
