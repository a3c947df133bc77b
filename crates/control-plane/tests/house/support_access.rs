//! Customers let support in for a while, and nobody else does.

use access::{MemberList, SignedMembers};
use control_plane::{end_support_access_if_due, waive_support_hours_if_due};
use domain::{Evidence, Month, Signal, UsageHour, UsageHours};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

const OPERATOR: &str = "operator@localhost";
const ADA: Option<&str> = Some("ada@example.com");
const PAGE: &str = "/portal/instances/acme/support";

async fn house() -> TestApp {
    let app = TestApp::start_on_a_still_clock(store::Engine::Sqlite).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

async fn let_in(app: &TestApp, form: &[(&str, &str)]) -> StatusCode {
    app.browser(Method::POST, &format!("{PAGE}/let-in"), ADA, form).await.status
}

async fn ask(app: &TestApp) -> (StatusCode, Value) {
    let why = json!({"reason": "We want to see why your app does not start."});
    app.api(Method::POST, "/instances/acme/support-access", Some(why)).await
}

/// The list that the guard of the instance gets.
async fn list(app: &TestApp) -> MemberList {
    let token = app.host.token_of("ai-diy-acme");
    let (status, answer) = app.api_as(Some(&token), Method::GET, "/activity/members", None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let answer = if answer["members"].is_object() { answer["members"].clone() } else { answer };
    let signed: SignedMembers = serde_json::from_value(answer).unwrap();
    app.app().members_key.public().unwrap().open(&signed).unwrap()
}

async fn may_come_to_the_door(app: &TestApp) -> bool {
    app.count("select count(*) from edge_admissions where hostname = 'acme.localhost' and rule = 'operator@localhost'")
        .await
        == 1
}

async fn log(app: &TestApp) -> Value {
    let (status, page) = app.api(Method::GET, "/instances/acme/support-access", None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].clone()
}

/// The guard reports what was seen of whom.
async fn seen(app: &TestApp, at: &str, who: &[&str]) {
    let at: Timestamp = at.parse().unwrap();
    let mut evidence = Evidence::seen(Signal::Member, at);
    who.iter().for_each(|name| evidence.who.add(name));
    let mut hours = UsageHours::none(Month::of(at));
    hours.insert(UsageHour::of(at)).unwrap();
    let report = json!({"month": Month::of(at), "hours": hours.encode(), "source": "guard", "evidence": [evidence]});
    let token = app.host.token_of("ai-diy-acme");
    let (status, answer) = app.api_as(Some(&token), Method::POST, "/activity", Some(report)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

#[tokio::test]
async fn support_asks_and_the_customer_answers() {
    let app = house().await;
    let (status, asked) = ask(&app).await;
    assert_eq!((status, &asked["state"]), (StatusCode::CREATED, &json!("asked")));
    assert!(list(&app).await.guests.is_empty() && !may_come_to_the_door(&app).await, "asking gives nothing");
    assert_eq!(ask(&app).await.0, StatusCode::CONFLICT, "asked already");
    assert!(app.mails_to("ada@example.com").await.iter().any(|subject| subject.starts_with("May we enter")));
    assert!(app.get(PAGE, ADA).await.body.contains("why your app does not start"));

    let declined = app.browser(Method::POST, &format!("{PAGE}/decline"), ADA, &[]).await;
    assert_eq!(declined.status, StatusCode::SEE_OTHER);
    assert_eq!(log(&app).await[0]["state"], "declined");
    assert!(app.mails_to(OPERATOR).await.iter().any(|subject| subject.starts_with("Declined")));
    assert_eq!(ask(&app).await.0, StatusCode::CREATED, "asked again, for another reason perhaps");
}

#[tokio::test]
async fn support_is_let_in_as_far_and_as_long_as_the_customer_says() {
    let app = house().await;
    let invited = json!({"email": "bob@example.com"});
    app.api(Method::POST, "/instances/acme/members", Some(invited)).await;
    let before = list(&app).await.serial;
    assert_eq!(let_in(&app, &[("hours", "4")]).await, StatusCode::SEE_OTHER);
    let told = list(&app).await;
    assert_eq!((told.guests.len(), told.guests[0].may_change), (1, false));
    assert_eq!(told.guests[0].email.as_str(), OPERATOR);
    assert_eq!(told.guests[0].until, app.clock.now() + SignedDuration::from_hours(4));
    assert!(told.serial > before && may_come_to_the_door(&app).await);
    for member in ["ada@example.com", "bob@example.com"] {
        assert!(app.mails_to(member).await.iter().any(|mail| mail.starts_with("Support may enter")), "{member}");
    }
    let (_, members) = app.api(Method::GET, "/instances/acme/members", None).await;
    assert_eq!(members["data"].as_array().unwrap().len(), 2, "support is no member");
    assert!(app.get("/portal/instances/acme", ADA).await.body.contains("Support may enter"));
    assert_eq!(let_in(&app, &[("hours", "24")]).await, StatusCode::CONFLICT, "not longer than was said");

    app.clock.advance(SignedDuration::from_hours(4));
    assert!(list(&app).await.guests.is_empty(), "over, whether that was noticed or not");
    end_support_access_if_due(&app.app().core()).await.unwrap();
    app.until(async || !may_come_to_the_door(&app).await).await;
    let ended = log(&app).await[0].clone();
    assert_eq!((&ended["state"], &ended["ended_by"]), (&json!("ended"), &json!("time")));

    assert_eq!(let_in(&app, &[("hours", "1"), ("may_change", "yes")]).await, StatusCode::SEE_OTHER);
    assert!(list(&app).await.guests[0].may_change);
    let ended = app.browser(Method::POST, &format!("{PAGE}/end"), ADA, &[]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    assert!(list(&app).await.guests.is_empty() && !may_come_to_the_door(&app).await, "at once");
    assert_eq!(log(&app).await[0]["ended_by"], "ada@example.com");
    let (_, audit) = app.api(Method::GET, "/audit-events?limit=200", None).await;
    let number =
        |action: &str| audit["data"].as_array().unwrap().iter().filter(|event| event["action"] == action).count();
    assert_eq!((number("support.let_in"), number("support.ended")), (2, 2));
    let page = app.get(PAGE, ADA).await.body;
    assert!(page.contains("to look and to change things") && page.contains("It ended by itself"), "{page}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let app = house().await;
    assert_eq!(let_in(&app, &[("hours", "8760")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = app.api(Method::POST, "/instances/acme/support-access", Some(json!({"reason": "  "}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = app.api(Method::GET, "/instances/nobody/support-access", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    app.change("update instances set state = 'suspended'").await;
    assert_eq!(let_in(&app, &[("hours", "1")]).await, StatusCode::CONFLICT);
    assert_eq!(ask(&app).await.0, StatusCode::CONFLICT);
    assert_eq!(app.count("select count(*) from support_access").await, 0);
}

#[tokio::test]
async fn who_is_support_no_more_comes_in_no_more_and_readers_never_did() {
    let app = house().await;
    for (email, role) in [("reader@shop.org", "read_only"), ("helper@shop.org", "support")] {
        let insert = "insert into operators (email, role, added_at, from_settings) values ($1, $2, 0, 0)";
        store::sqlx::query(insert).bind(email).bind(role).execute(app.db.db.write()).await.unwrap();
    }
    assert_eq!(let_in(&app, &[("hours", "1")]).await, StatusCode::SEE_OTHER);
    let guests =
        async || -> Vec<String> { list(&app).await.guests.into_iter().map(|guest| guest.email.to_string()).collect() };
    assert_eq!(guests().await, ["helper@shop.org", OPERATOR]);
    app.change("delete from operators where email = 'helper@shop.org'").await;
    assert_eq!(guests().await, [OPERATOR]);
    let late = "insert into operators (email, role, added_at, from_settings) values ('late@shop.org', 'owner', 0, 0)";
    app.change(late).await;
    assert_eq!(guests().await, [OPERATOR], "the customer let in those who were support then");
}

#[tokio::test]
async fn an_hour_that_support_used_alone_costs_nothing_and_is_in_the_log() {
    let app = house().await;
    assert_eq!(let_in(&app, &[("hours", "4")]).await, StatusCode::SEE_OTHER);
    seen(&app, "2026-11-25T10:20:00Z", &[OPERATOR]).await;
    app.go_to("2026-11-25T15:00:00Z");
    seen(&app, "2026-11-25T11:20:00Z", &["ada@example.com", OPERATOR]).await;
    seen(&app, "2026-11-25T12:20:00Z", &["ada@example.com"]).await;
    end_support_access_if_due(&app.app().core()).await.unwrap();
    waive_support_hours_if_due(&app.app().core()).await.unwrap();
    waive_support_hours_if_due(&app.app().core()).await.unwrap();
    let waived = app.rows("select cast(hour as text), author from waived_hours").await;
    let ten = UsageHour::of("2026-11-25T10:00:00Z".parse().unwrap());
    assert_eq!(waived, [(ten.get().to_string(), "support access".to_owned())]);
    let inside = log(&app).await[0]["hours"].clone();
    let told: Vec<_> = inside.as_array().unwrap().iter().map(|hour| (&hour["start"], &hour["alone"])).collect();
    assert_eq!(told.len(), 2, "{inside}");
    assert_eq!((told[0].1, told[1].1), (&json!(true), &json!(false)));
    let page = app.get(PAGE, ADA).await.body;
    assert!(page.contains("operator@localhost in the hour of 25 November 2026, 10:00 UTC"), "{page}");
}
