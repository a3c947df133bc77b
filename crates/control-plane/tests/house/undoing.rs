//! A deletion that was asked for waits for some days, in which one click takes it back. Until then nothing is lost.

use control_plane::{cancel_if_due, delete_if_due, dun_if_due};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment};

use crate::support::TestApp;

const ADA: &str = "ada@example.com";

async fn in_november(engine: Engine, faults: Faults) -> TestApp {
    let app = TestApp::start_undoing("2026-11-01T00:00:00Z", engine, faults, 3).await;
    app.provision(ADA, "acme").await;
    app.go_to("2026-11-15T10:30:00Z");
    app
}

async fn ask(app: &TestApp, body: Value) -> (StatusCode, Value) {
    let answer = app.api(Method::DELETE, "/instances/acme", Some(body)).await;
    app.worked_off().await;
    answer
}

async fn asked(app: &TestApp) {
    let (status, accepted) = ask(app, json!({"confirm": "acme"})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    assert!(accepted["workflow_id"].is_null() && accepted["deleted_at"].is_string(), "{accepted}");
}

async fn take_back(app: &TestApp) -> (StatusCode, Value) {
    let answer = app.api(Method::DELETE, "/instances/acme/deletion", None).await;
    app.worked_off().await;
    answer
}

/// A moment comes, seen by several replicas at once.
async fn comes(app: &TestApp, moment: &str) {
    app.go_to(moment);
    for looked in futures_util::future::join_all((0..3).map(|_| delete_if_due(app.app()))).await {
        looked.unwrap();
    }
    app.worked_off().await;
}

async fn state(app: &TestApp) -> String {
    app.instance("acme").await["state"].as_str().unwrap().to_owned()
}

async fn told(app: &TestApp, subject: &str) -> usize {
    app.mails_to(ADA).await.iter().filter(|found| found.contains(subject)).count()
}

/// Periods and totals of all invoices.
async fn billed(app: &TestApp) -> Vec<(String, i64)> {
    let invoices = app.invoices().await.into_iter();
    let line = |invoice: Value| {
        (invoice["period_start"].as_str().unwrap()[..10].to_owned(), invoice["total"].as_i64().unwrap())
    };
    invoices.map(line).collect()
}

fn in_words(found: &[(&str, i64)]) -> Vec<(String, i64)> {
    found.iter().map(|(period, total)| ((*period).to_owned(), *total)).collect()
}

async fn what_was_asked_for_in_the_portal_is_closed_kept_and_then_removed(engine: Engine) {
    let app = in_november(engine, Faults::none()).await;
    app.used("acme", &["2026-11-15T09:10:00Z"]).await;
    let page = app.get("/portal/instances/acme/delete", Some(ADA)).await.body;
    assert!(page.contains("For 3 days from now it is only closed"), "{page}");
    let form = [("confirmation", "acme")];
    for _ in 0..2 {
        let asked = app.browser(Method::POST, "/portal/instances/acme/delete", Some(ADA), &form).await;
        assert_eq!(asked.location.as_deref(), Some("/portal/instances/acme"), "{}", asked.body);
        app.worked_off().await;
    }
    let (workspace, name) = (app.get("/portal/instances/acme", Some(ADA)).await.body, app.instance("acme").await);
    for text in ["This workspace will be deleted", "18 November 2026, 10:30 UTC", "Keep my workspace"] {
        assert!(workspace.contains(text), "the page lacks {text}: {workspace}");
    }
    assert!(!workspace.contains("Cancel workspace") && !workspace.contains("Delete workspace…"), "{workspace}");
    assert_eq!((&name["state"], &name["deletion"]["asked_by"]), (&json!("suspended"), &json!(ADA)));
    assert_eq!((app.host.is_suspended("ai-diy-acme"), told(&app, "will be deleted").await), (Some(true), 1));
    let door = app.visit("acme").await;
    assert_eq!(door.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        door.body.contains("asked for on 15 November 2026") && door.body.contains("18 November 2026"),
        "{}",
        door.body
    );
    let order = json!({"customer_email": "eve@example.com", "subdomain": "acme"});
    assert_eq!(app.api(Method::POST, "/instances", Some(order)).await.0, StatusCode::CONFLICT, "the name is its own");
    comes(&app, "2026-11-18T10:29:59Z").await;
    assert_eq!((state(&app).await.as_str(), app.host.projects().len()), ("suspended", 1));
    comes(&app, "2026-11-18T10:31:00Z").await;
    assert_eq!((state(&app).await.as_str(), app.host.projects().len()), ("deleted", 0));
    assert_eq!(app.instance("acme").await["removal"]["requested_by"], ADA);
    assert_eq!((told(&app, "was removed").await, take_back(&app).await.0), (1, StatusCode::CONFLICT));
    assert_eq!(app.count("select count(*) from asked_deletions").await, 0);
    app.go_to("2027-02-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app).await, in_words(&[("2026-11-01", 600)]));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn what_was_asked_for_in_the_portal_is_closed_kept_and_then_removed_on_sqlite() {
    what_was_asked_for_in_the_portal_is_closed_kept_and_then_removed(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_was_asked_for_in_the_portal_is_closed_kept_and_then_removed_on_postgres() {
    what_was_asked_for_in_the_portal_is_closed_kept_and_then_removed(Engine::Postgres).await;
}

async fn what_is_taken_back_opens_again_and_is_charged_as_if_nobody_had_asked(engine: Engine) {
    let app = in_november(engine, Faults::none()).await;
    app.go_to("2026-11-29T10:30:00Z");
    asked(&app).await;
    // The period ends meanwhile, and is closed.
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    for _ in 0..2 {
        let back = app.browser(Method::POST, "/portal/instances/acme/deletion/undo", Some(ADA), &[]).await;
        assert_eq!(
            back.location.as_deref(),
            Some("/portal/instances/acme"),
            "a second click is no error: {}",
            back.body
        );
        app.worked_off().await;
    }
    assert_eq!((state(&app).await.as_str(), app.host.is_suspended("ai-diy-acme")), ("active", Some(false)));
    assert_ne!(app.visit("acme").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((told(&app, "will be deleted").await, told(&app, "is not deleted").await), (1, 1));
    assert!(app.instance("acme").await["deletion"].is_null());
    let (status, problem) = take_back(&app).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    comes(&app, "2026-12-10T00:00:00Z").await;
    assert_eq!(state(&app).await, "active", "the old deletion is off");
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app).await, in_words(&[("2026-11-01", 500), ("2026-12-01", 500)]));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn what_is_taken_back_opens_again_and_is_charged_as_if_nobody_had_asked_on_sqlite() {
    what_is_taken_back_opens_again_and_is_charged_as_if_nobody_had_asked(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_is_taken_back_opens_again_and_is_charged_as_if_nobody_had_asked_on_postgres() {
    what_is_taken_back_opens_again_and_is_charged_as_if_nobody_had_asked(Engine::Postgres).await;
}

#[tokio::test]
async fn the_operator_skips_the_wait_before_it_begins_and_while_it_lasts() {
    for waits in [false, true] {
        let app = in_november(Engine::Sqlite, Faults::none()).await;
        if waits {
            asked(&app).await;
        }
        let (status, problem) = ask(&app, json!({"confirm": "no", "now": true})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        let (status, accepted) = ask(&app, json!({"confirm": "acme", "now": true})).await;
        assert!(status == StatusCode::ACCEPTED && accepted["workflow_id"].is_string(), "{status} {accepted}");
        assert_eq!((state(&app).await.as_str(), app.host.projects().len()), ("deleted", 0));
        comes(&app, "2026-12-15T00:00:00Z").await;
        assert_eq!(told(&app, "was removed").await, 1);
    }
}

#[tokio::test]
async fn no_days_are_no_wait() {
    let app = TestApp::start().await;
    app.provision(ADA, "acme").await;
    let page = app.get("/portal/instances/acme/delete", Some(ADA)).await.body;
    assert!(page.contains("Delete for good") && !page.contains("only closed"), "{page}");
    let form = [("confirmation", "acme")];
    let asked = app.browser(Method::POST, "/portal/instances/acme/delete", Some(ADA), &form).await;
    assert_eq!(asked.location.as_deref(), Some("/portal/instances/acme/deletion"));
}

#[tokio::test]
async fn other_reasons_that_keep_it_closed_come_and_go_by_themselves() {
    let app = in_november(Engine::Sqlite, Faults::none()).await;
    let suspend = async || {
        let why = json!({"reason": "You asked us to."});
        assert_eq!(app.api(Method::POST, "/instances/acme/suspend", Some(why)).await.0, StatusCode::ACCEPTED);
        app.worked_off().await;
    };
    suspend().await;
    asked(&app).await;
    assert!(app.visit("acme").await.body.contains("asked for on 15 November 2026"), "it is told at a closed door too");
    let (status, problem) = app.api(Method::POST, "/instances/acme/resume", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!((state(&app).await.as_str(), take_back(&app).await.0), ("suspended", StatusCode::OK));
    assert_eq!(state(&app).await, "active", "the operator's reason was lifted before");
    suspend().await;
    asked(&app).await;
    assert_eq!(take_back(&app).await.0, StatusCode::OK);
    assert_eq!(state(&app).await, "suspended", "the operator's reason stands");
    let door = app.visit("acme").await.body;
    assert!(door.contains("suspended") && !door.contains("deletion"), "{door}");
}

#[tokio::test]
async fn a_cancellation_stands_still_while_a_deletion_waits_and_ends_with_it() {
    let app = in_november(Engine::Sqlite, Faults::none()).await;
    let cancel = async || app.api(Method::POST, "/instances/acme/cancellation", Some(json!({"confirm": "acme"}))).await;
    let keep = async || app.api(Method::DELETE, "/instances/acme/cancellation", None).await;
    asked(&app).await;
    let (status, problem) = cancel().await;
    assert_eq!((status, &problem["next_step"]), (StatusCode::CONFLICT, &json!("Take its deletion back first.")));
    assert_eq!(take_back(&app).await.0, StatusCode::OK);
    assert_eq!(cancel().await.0, StatusCode::OK);
    app.go_to("2026-11-29T10:30:00Z");
    asked(&app).await;
    assert_eq!(keep().await.0, StatusCode::CONFLICT);
    app.go_to("2026-12-01T00:00:01Z");
    cancel_if_due(app.app()).await.unwrap();
    app.worked_off().await;
    assert!(app.visit("acme").await.body.contains("deletion"), "what comes sooner is told");
    assert_eq!(take_back(&app).await.0, StatusCode::OK);
    assert!(app.visit("acme").await.body.contains("cancelled on 15 November 2026"), "it has ended meanwhile");
    assert_eq!((state(&app).await.as_str(), told(&app, "has ended").await), ("suspended", 0));
    assert_eq!(keep().await.0, StatusCode::OK);
    app.worked_off().await;
    assert_eq!(state(&app).await, "active");
    app.go_to("2027-01-01T08:00:00Z");
    app.close(None).await;
    assert_eq!(billed(&app).await, in_words(&[("2026-11-01", 500), ("2026-12-01", 500)]));
    assert_eq!(app.problems().await, [""; 0]);
}

#[tokio::test]
async fn the_end_of_a_contract_stands_when_a_deletion_is_taken_back_and_paying_brings_it_back() {
    let app = in_november(Engine::Sqlite, Faults::none()).await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    asked(&app).await;
    app.change("insert into dunnings (customer_id, state, stage, next_at, since) select id, '{\"stage\":\"suspended\",\"clock\":{\"running\":{\"due\":\"2026-12-02T00:00:00Z\"}}}', 'suspended', 0, 0 from customers").await;
    app.change("update invoices set due_on = '2026-11-30'").await;
    app.go_to("2026-12-02T08:00:00Z");
    dun_if_due(app.app()).await.unwrap();
    app.worked_off().await;
    assert_eq!(app.count("select count(*) from dunnings where stage = 'cancelled'").await, 1, "the contract ended");
    assert_eq!(take_back(&app).await.0, StatusCode::OK);
    assert_eq!(state(&app).await, "suspended", "an invoice is not paid");
    assert_eq!(app.count("select count(*) from instances where service_ended_at is not null").await, 1);
    let due = app.invoices().await[0]["number"].as_str().unwrap().to_owned();
    let body = json!({"amount": 500, "reference": "BANK 1"});
    assert_eq!(app.api(Method::POST, &format!("/invoices/{due}/payments"), Some(body)).await.0, StatusCode::OK);
    app.worked_off().await;
    assert_eq!(state(&app).await, "active");
    assert_eq!(app.count("select count(*) from instances where service_ended_at is not null").await, 0);
}

#[tokio::test]
async fn paying_does_not_open_what_is_to_be_deleted_and_taking_back_does_then() {
    let app = in_november(Engine::Sqlite, Faults::none()).await;
    app.go_to("2026-12-01T08:00:00Z");
    app.close(None).await;
    app.change("insert into dunnings (customer_id, state, stage, next_at, since) select id, '{\"stage\":\"suspended\",\"clock\":{\"running\":{\"due\":\"2026-12-02T00:00:00Z\"}}}', 'suspended', 0, 0 from customers").await;
    app.change("update invoices set due_on = '2026-11-30'").await;
    app.go_to("2026-12-02T08:00:00Z");
    dun_if_due(app.app()).await.unwrap();
    app.worked_off().await;
    asked(&app).await;
    let due = app.invoices().await[0]["number"].as_str().unwrap().to_owned();
    let body = json!({"amount": 500, "reference": "BANK 1"});
    assert_eq!(app.api(Method::POST, &format!("/invoices/{due}/payments"), Some(body)).await.0, StatusCode::OK);
    app.worked_off().await;
    assert_eq!(state(&app).await, "suspended");
    assert_eq!(app.count("select count(*) from instances where service_ended_at is not null").await, 1);
    assert_eq!(take_back(&app).await.0, StatusCode::OK);
    assert_eq!(state(&app).await, "active");
    assert_eq!(app.count("select count(*) from instances where service_ended_at is not null").await, 0);
}

async fn taking_back_and_the_due_moment_at_once_leave_a_whole_instance_or_none(engine: Engine) {
    for round in 0..6 {
        let app = in_november(engine, Faults::none()).await;
        asked(&app).await;
        app.go_to("2026-11-18T11:00:00Z");
        let back = async || app.api(Method::DELETE, "/instances/acme/deletion", None).await.0;
        let due = async || delete_if_due(app.app()).await.unwrap();
        let answers = if round % 2 == 0 {
            let (first, (), (), second) = tokio::join!(back(), due(), due(), back());
            [first, second]
        } else {
            let ((), first, second, ()) = tokio::join!(due(), back(), back(), due());
            [first, second]
        };
        app.worked_off().await;
        let kept = answers.iter().filter(|status| **status == StatusCode::OK).count();
        match state(&app).await.as_str() {
            "active" => assert_eq!((kept, app.host.is_suspended("ai-diy-acme")), (1, Some(false)), "{answers:?}"),
            "deleted" => assert_eq!((kept, app.host.projects().len()), (0, 0), "{answers:?}"),
            other => panic!("it is {other}: {answers:?}"),
        }
    }
}

#[tokio::test]
async fn taking_back_and_the_due_moment_at_once_leave_a_whole_instance_or_none_on_sqlite() {
    taking_back_and_the_due_moment_at_once_leave_a_whole_instance_or_none(Engine::Sqlite).await;
}

#[tokio::test]
async fn taking_back_and_the_due_moment_at_once_leave_a_whole_instance_or_none_on_postgres() {
    taking_back_and_the_due_moment_at_once_leave_a_whole_instance_or_none(Engine::Postgres).await;
}

#[tokio::test]
async fn death_at_every_step_and_back_and_forth_end_where_was_wanted_last() {
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let faults = Faults::by(move |point| {
        let ours = ["suspend.v1", "resume.v1", "delete.v1"].contains(&point.kind.as_str());
        let first = ours && seen.lock().unwrap().insert(point.clone());
        first.then_some(if point.moment == Moment::After { Fault::Death } else { Fault::Temporary })
    });
    let app = in_november(Engine::Sqlite, faults).await;
    for _ in 0..3 {
        // Taken back before the door is closed.
        let answer = app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"}))).await;
        assert_eq!(answer.0, StatusCode::ACCEPTED, "{}", answer.1);
        let answer = app.api(Method::DELETE, "/instances/acme/deletion", None).await;
        assert_eq!(answer.0, StatusCode::OK, "{}", answer.1);
    }
    app.worked_off().await;
    assert_eq!((state(&app).await.as_str(), app.host.is_suspended("ai-diy-acme")), ("active", Some(false)));
    asked(&app).await;
    let app = app.restarted_running("1").await;
    assert_eq!((state(&app).await.as_str(), app.host.is_suspended("ai-diy-acme")), ("suspended", Some(true)));
    comes(&app, "2026-11-20T00:00:00Z").await;
    assert_eq!((state(&app).await.as_str(), app.host.projects().len()), ("deleted", 0));
    assert_eq!(told(&app, "was removed").await, 1);
}

#[tokio::test]
async fn what_was_promised_holds_whatever_the_settings_say_later() {
    let app = in_november(Engine::Sqlite, Faults::none()).await;
    asked(&app).await;
    let app = app.restarted_undoing(0).await;
    asked(&app).await;
    assert_eq!(app.instance("acme").await["deletion"]["deleted_at"], "2026-11-18T10:30:00Z");
    comes(&app, "2026-11-18T10:20:00Z").await;
    assert_eq!(state(&app).await, "suspended");
    assert_eq!(take_back(&app).await.0, StatusCode::OK);
    assert_eq!(app.delete("acme").await, "done", "what is asked for now begins at once");
}

#[tokio::test]
async fn the_console_says_until_when_and_takes_it_back() {
    let app = in_november(Engine::Sqlite, Faults::none()).await;
    let operator = Some("operator@localhost");
    let path = format!("/admin/instances/{}", app.instance("acme").await["id"].as_str().unwrap());
    asked(&app).await;
    let page = app.get(&path, operator).await.body;
    assert!(page.contains("Is deleted at") && page.contains("2026-11-18T10:30"), "{page}");
    assert!(!page.contains("Cancel for the customer"), "{page}");
    for _ in 0..2 {
        let undo = app.browser(Method::POST, &format!("{path}/deletion/undo"), operator, &[]).await;
        assert_eq!(undo.status, StatusCode::SEE_OTHER, "{}", undo.body);
        app.worked_off().await;
    }
    assert_eq!(state(&app).await, "active");
    assert!(!app.get(&path, operator).await.body.contains("Take the deletion back"));
}
