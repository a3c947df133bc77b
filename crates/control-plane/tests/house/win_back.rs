//! Why customers leave is asked and never in the way; some days later one mail asks them back, unless they want none.

use control_plane::{cancel_if_due, write_win_backs};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const ADA: &str = "ada@example.com";
const BACK: &str = "AI-DIY is here if you want it again";

async fn leave(app: &TestApp, who: &str, page: &str, form: &[(&str, &str)]) {
    let asked = app.browser(Method::POST, page, Some(who), form).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    app.worked_off().await;
}

/// A moment comes, seen by several replicas at once.
async fn comes(app: &TestApp, moment: &str) {
    app.go_to(moment);
    cancel_if_due(app.app()).await.unwrap();
    app.worked_off().await;
    for written in futures_util::future::join_all((0..3).map(|_| write_win_backs(app.app()))).await {
        written.unwrap();
    }
}

async fn asked_back(app: &TestApp, who: &str) -> usize {
    app.mails_to(who).await.iter().filter(|subject| *subject == BACK).count()
}

async fn reasons(app: &TestApp) -> Value {
    let (status, found) = app.api(Method::GET, "/analytics?month=2026-11", None).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found["reasons"].clone()
}

#[tokio::test]
async fn whoever_left_is_asked_back_once_and_can_ask_for_no_more() {
    asked_back_once(Engine::Sqlite).await;
}

#[tokio::test]
async fn whoever_left_is_asked_back_once_and_can_ask_for_no_more_on_postgres() {
    asked_back_once(Engine::Postgres).await;
}

async fn asked_back_once(engine: Engine) {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", engine, Faults::none()).await;
    assert_eq!(app.provision(ADA, "acme").await, "done");
    let page = app.get("/portal/instances/acme/cancel", Some(ADA)).await.body;
    assert!(page.contains("Would you tell us why?") && page.contains("I would rather not say"), "{page}");
    // What was said stays in the form while something else is wrong with it.
    let wrong = [("confirmation", "acne"), ("reason", "too_hard"), ("comment", "I got lost.")];
    let refused = app.browser(Method::POST, "/portal/instances/acme/cancel", Some(ADA), &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("value=\"too_hard\" selected") && refused.body.contains("I got lost."));
    let right = [("confirmation", "acme"), ("reason", "too_hard"), ("comment", "I got lost.")];
    for _ in 0..2 {
        leave(&app, ADA, "/portal/instances/acme/cancel", &right).await;
    }
    assert_eq!(reasons(&app).await[0]["count"], 1);

    comes(&app, "2026-12-14T12:00:00Z").await;
    assert_eq!(asked_back(&app, ADA).await, 0);
    comes(&app, "2026-12-15T00:00:00Z").await;
    comes(&app, "2026-12-20T00:00:00Z").await;
    assert_eq!(asked_back(&app, ADA).await, 1);
    app.until(async || app.given.post.taken(ADA).iter().any(|subject| subject == BACK)).await;
    let ways_out = app.given.post.ways_out(ADA);
    let [(subject, url)] = ways_out.as_slice() else { panic!("{ways_out:?}") };
    assert_eq!(subject, BACK, "what is about the account has no such link");
    let path = &url[url.find("/mail/").unwrap()..];

    assert!(app.get(path, None).await.body.contains("No more such mails"));
    assert_eq!(app.count("select count(*) from mail_suppressions").await, 0, "looking at a link changes nothing");
    for _ in 0..2 {
        let left = app.browser(Method::POST, path, None, &[("List-Unsubscribe", "One-Click")]).await;
        assert!(left.status == StatusCode::OK && left.body.contains("You get no more mails"), "{}", left.body);
    }
    assert_eq!(
        app.get("/mail/unsubscribe/cus_00000000000000000000000000.00", None).await.status,
        StatusCode::NOT_FOUND
    );
    let (_, listed) = app.api(Method::GET, "/suppressions", None).await;
    assert_eq!((&listed["data"][0]["email"], &listed["data"][0]["asked_by"]), (&json!(ADA), &json!("link")));
}

#[tokio::test]
async fn nobody_is_asked_back_who_is_there_owes_did_not_ask_for_the_end_or_wants_no_mail() {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", Engine::Sqlite, Faults::none()).await;
    let form = |name| [("confirmation", name), ("reason", "bored"), ("comment", "")];
    for name in ["stays", "owes", "silent", "gone", "pushed"] {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    }
    assert_eq!(app.provision("stays@example.com", "stays2").await, "done");
    // A word that is no reason is no obstacle, and no reason.
    for name in ["stays", "owes", "silent"] {
        leave(&app, &format!("{name}@example.com"), &format!("/portal/instances/{name}/cancel"), &form(name)).await;
    }
    app.go_to("2026-11-20T00:00:00Z");
    leave(&app, "gone@example.com", "/portal/instances/gone/delete", &form("gone")).await;
    assert_eq!(app.delete("pushed").await, "done");
    assert_eq!(reasons(&app).await, json!([{"label": "Did not say", "count": 5}]));
    app.go_to("2026-12-02T00:00:00Z");
    app.close(Some("2026-11")).await;
    app.change("update invoices set due_on = '2026-12-10' where customer_id in (select id from customers where email = 'owes@example.com')").await;
    let (status, answer) = app.api(Method::POST, "/suppressions", Some(json!({"email": "silent@example.com"}))).await;
    assert!(status == StatusCode::OK && answer["asked_by"] == "api", "{answer}");

    comes(&app, "2026-12-16T00:00:00Z").await;
    for name in ["stays", "owes", "silent", "pushed"] {
        assert_eq!(asked_back(&app, &format!("{name}@example.com")).await, 0, "{name}");
    }
    assert_eq!(asked_back(&app, "gone@example.com").await, 1);
    // Whoever comes back is not asked back, and who left before such mail was written is left alone.
    comes(&app, "2027-02-20T00:00:00Z").await;
    assert_eq!(asked_back(&app, "owes@example.com").await, 0);
}
