//! What everybody may read: how the parts are, what is wrong, what was, and who hears of it.

use std::sync::Arc;

use control_plane::WatchSettings;
use jiff::SignedDuration;
use providers::compute::Health;
use providers::status_feed::StatusFeed;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::status_page::{self, StatusPage};
use simulators::{Fault, Pace};
use store::Engine;
use workflow::Faults;
use world::{Clock, Entropy};

use crate::support::TestApp;

const BEGIN: &str = "2026-11-25T10:00:00Z";
const OPERATOR: Option<&str> = Some("operator@localhost");

impl TestApp {
    async fn opens_incident(&self, title: &str) -> Value {
        let new = json!({"title": title, "impact": "major", "components": ["instances"], "text": "We look into it."});
        let (status, incident) = self.api(Method::POST, "/incidents", Some(new)).await;
        assert_eq!(status, StatusCode::OK, "{incident}");
        incident
    }

    async fn says(&self, id: &str, state: &str, text: &str) -> (StatusCode, Value) {
        let update = json!({"state": state, "text": text});
        self.api(Method::POST, &format!("/incidents/{id}/updates"), Some(update)).await
    }

    async fn status_page(&self) -> String {
        self.get("/status", None).await.body
    }

    async fn tells(&self) {
        control_plane::tell_subscribers(&self.app().core()).await.unwrap();
    }

    async fn asks_for_news(&self, email: &str) -> StatusCode {
        self.browser(Method::POST, "/status/subscribe", None, &[("email", email)]).await.status
    }

    /// The last link to the status page in the mails to somebody.
    async fn link_for(&self, email: &str, what: &str) -> String {
        let page = self.get("/mailbox/messages.json", None).await;
        let all: Vec<Value> = serde_json::from_str(&page.body).unwrap();
        let path = format!("/status/{what}/");
        let mut texts = all.iter().filter(|mail| mail["to"] == email).map(|mail| mail["text"].as_str().unwrap());
        let text = texts.find(|text| text.contains(&path)).unwrap().to_owned();
        let begin = text.find(&path).unwrap();
        text[begin..].split_whitespace().next().unwrap().to_owned()
    }
}

async fn an_incident_is_shown_until_it_is_over_and_then_remembered(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, Faults::none()).await;
    assert!(app.status_page().await.contains("No incident is over"));
    let incident = app.opens_incident("Some <b>workspaces</b> do not answer").await;
    let id = incident["id"].as_str().unwrap();
    assert!(id.starts_with("inc_"));
    let page = app.status_page().await;
    assert!(page.contains("Some &#60;b&#62;workspaces") && page.contains("We look into it."), "{page}");
    assert!(page.contains("Some of it does not work"), "{page}");
    app.clock.advance(SignedDuration::from_mins(10));
    let (status, said) = app.says(id, "identified", "A switch is broken.").await;
    assert_eq!((status, &said["state"]), (StatusCode::OK, &json!("identified")));
    let (_, said) = app.says(id, "resolved", "It was replaced.").await;
    assert_eq!(said["updates"].as_array().unwrap().len(), 3, "{said}");
    assert_eq!(said["resolved_at"], "2026-11-25T10:10:00Z");
    let (status, problem) = app.says(id, "monitoring", "Or was it?").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let page = app.status_page().await;
    assert!(!page.contains("What is wrong") && page.contains("It was replaced."), "{page}");
    assert!(!page.contains(">api<") && !page.contains("operator@localhost"), "who wrote it is nobody's business");
    let feed = app.get("/status/feed.atom", None).await.body;
    assert!(feed.starts_with("<?xml") && feed.contains("A switch is broken.") && feed.contains(id), "{feed}");
    assert!(!feed.contains("<b>workspaces"), "{feed}");
    let (_, open) = app.api(Method::GET, "/incidents?state=open", None).await;
    assert!(open["data"].as_array().unwrap().is_empty());
    let (_, one) = app.api(Method::GET, &format!("/incidents/{id}"), None).await;
    assert_eq!(one["state"], "resolved");
    app.clock.advance(SignedDuration::from_hours(91 * 24));
    assert!(!app.status_page().await.contains("It was replaced."), "it is forgotten after 90 days");
}

async fn only_who_confirmed_is_told_and_once(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, Faults::none()).await;
    for email in ["ada@example.com", "eve@example.com"] {
        assert_eq!(app.asks_for_news(email).await, StatusCode::OK);
        // Asked again at once, or by somebody else, no second mail is written.
        assert_eq!(app.asks_for_news(email).await, StatusCode::OK);
        assert_eq!(app.mails_to(email).await.len(), 1);
    }
    let confirm = app.link_for("ada@example.com", "confirm").await;
    assert_eq!(app.get(&confirm, None).await.status, StatusCode::OK);
    assert_eq!(app.count("select count(*) from status_subscribers where confirmed_at is not null").await, 0);
    assert_eq!(app.browser(Method::POST, &confirm, None, &[]).await.status, StatusCode::OK);
    let incident = app.opens_incident("Some workspaces do not answer").await;
    let id = incident["id"].as_str().unwrap();
    app.tells().await;
    app.tells().await;
    assert_eq!(app.mails_to("ada@example.com").await.len(), 2);
    assert_eq!(app.mails_to("eve@example.com").await.len(), 1, "she never confirmed");
    let leave = app.link_for("ada@example.com", "unsubscribe").await;
    // One click is enough, also for a mail program that posts by itself, and twice is as good as once.
    for _ in 0..2 {
        assert_eq!(app.browser(Method::POST, &leave, None, &[]).await.status, StatusCode::OK);
    }
    app.says(id, "resolved", "They do again.").await;
    app.tells().await;
    assert_eq!(app.mails_to("ada@example.com").await.len(), 2);
    assert_eq!(app.count("select count(*) from status_subscribers").await, 1, "who left is forgotten");
    app.clock.advance(SignedDuration::from_hours(8 * 24));
    app.tells().await;
    assert_eq!(app.count("select count(*) from status_subscribers").await, 0, "so is who never confirmed");
}

macro_rules! on_both_engines {
    ($($name:ident: $sqlite:ident, $postgres:ident;)*) => { $(
        #[tokio::test]
        async fn $sqlite() {
            $name(Engine::Sqlite).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $name(Engine::Postgres).await;
        }
    )* };
}

on_both_engines! {
    an_incident_is_shown_until_it_is_over_and_then_remembered: incidents_on_sqlite, incidents_on_postgres;
    only_who_confirmed_is_told_and_once: subscribers_on_sqlite, subscribers_on_postgres;
}

#[tokio::test]
async fn what_is_no_incident_is_refused_with_what_to_do() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, Faults::none()).await;
    for (title, impact, components, text) in [
        ("", "major", json!(["instances"]), "We look into it."),
        ("Slow", "huge", json!(["instances"]), "We look into it."),
        ("Slow", "minor", json!([]), "We look into it."),
        ("Slow", "minor", json!(["weather"]), "We look into it."),
        ("Slow", "minor", json!(["mail"]), " "),
    ] {
        let new = json!({"title": title, "impact": impact, "components": components, "text": text});
        let (status, problem) = app.api(Method::POST, "/incidents", Some(new)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(problem["next_step"].is_string(), "{problem}");
    }
    let id = app.opens_incident("Slow").await["id"].as_str().unwrap().to_owned();
    assert_eq!(app.says(&id, "better", "Now.").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.says("inc_00000000000000000000000000", "resolved", "Now.").await.0, StatusCode::NOT_FOUND);
    assert_eq!(app.api(Method::GET, "/incidents?state=wild", None).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    // The console says what was wrong beside what was entered.
    let form = [("title", "Slow <i>mail</i>"), ("impact", "minor"), ("text", "We look into it.")];
    let page = app.browser(Method::POST, "/admin/incidents", OPERATOR, &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("An incident is about something") && page.body.contains("Slow &#60;i&#62;mail"));
    let form = [("title", "Slow mail"), ("impact", "minor"), ("text", "We look into it."), ("mail", "yes")];
    let page = app.browser(Method::POST, "/admin/incidents", OPERATOR, &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let opened = page.location.unwrap();
    assert!(app.get(&opened, OPERATOR).await.body.contains("Slow mail"));
    let form = [("state", "resolved"), ("text", "It is fast again.")];
    let page = app.browser(Method::POST, &format!("{opened}/updates"), OPERATOR, &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nobody_can_find_out_who_hears_of_it_or_flood_strangers() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, Faults::none()).await;
    let form = |email: &'static str| [("email", email)];
    let new = app.browser(Method::POST, "/status/subscribe", None, &form("ada@example.com")).await;
    let known = app.browser(Method::POST, "/status/subscribe", None, &form("ada@example.com")).await;
    assert_eq!((new.status, &new.body), (known.status, &known.body));
    let wrong = app.browser(Method::POST, "/status/subscribe", None, &form("ada at example")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("That is not an e-mail address"), "{}", wrong.body);
    let confirm = app.link_for("ada@example.com", "confirm").await;
    let forged = format!("{}0", &confirm[..confirm.len() - 1]);
    let forged = if forged == confirm { format!("{}1", &confirm[..confirm.len() - 1]) } else { forged };
    let as_leave = confirm.replace("/confirm/", "/unsubscribe/");
    for path in [forged.as_str(), "/status/confirm/none", "/status/confirm/a.b"] {
        assert_eq!(app.browser(Method::POST, path, None, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A link that is good for one thing is good for nothing else.
    app.browser(Method::POST, &as_leave, None, &[]).await;
    assert_eq!(app.count("select count(*) from status_subscribers").await, 1);
    for number in 0..29 {
        assert_eq!(app.asks_for_news(&format!("user{number}@example.com")).await, StatusCode::OK);
    }
    assert_eq!(app.asks_for_news("one.more@example.com").await, StatusCode::TOO_MANY_REQUESTS);
    assert!(app.mails_to("one.more@example.com").await.is_empty());
    app.clock.advance(SignedDuration::from_mins(11));
    assert_eq!(app.asks_for_news("one.more@example.com").await, StatusCode::OK);
}

#[tokio::test]
async fn the_page_says_what_was_seen_and_names_no_customer() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "zoo").await;
    app.look_after(60, Health::Ok).await;
    let page = app.status_page().await;
    assert!(page.contains("<dt>Answering</dt><dd>2</dd>"), "{page}");
    assert!(!page.contains("Companies that we build on"), "nobody is asked, so nothing is said for them");
    for name in ["acme", "zoo", "ada@example.com", "eve@example.com"] {
        assert!(!page.contains(name), "{name} is named");
    }
    app.look_after(60, Health::Down).await;
    let page = app.status_page().await;
    assert!(page.contains("<dt>Not answering</dt><dd>2</dd>") && page.contains("Does not work"), "{page}");
    // Nobody looked for a while: that is not called well, nor the opposite.
    app.clock.advance(SignedDuration::from_hours(1));
    let page = app.status_page().await;
    assert!(page.contains("Nothing was observed yet") || page.contains("<dt>Unknown</dt><dd>2</dd>"), "{page}");
}

#[tokio::test]
async fn what_providers_say_of_themselves_is_read_and_told() {
    let said = StatusPage::default();
    let served = simulators::serve(Arc::new(said.clone()), Clock::default(), Pace::Real).await.unwrap();
    let url = format!("{}{}", served.url, status_page::PATH);
    let asked = format!("GET {}", status_page::PATH);
    let app = TestApp::start_watched(BEGIN, |db, clock| {
        let feed = StatusFeed::new("railway", &url, db.db.clone(), clock.clone(), Entropy::seeded(3)).unwrap();
        WatchSettings { status_feeds: vec![feed], ..WatchSettings::default() }
    })
    .await;
    let core = app.app().core();
    let read_after = async |minutes: i64| {
        app.clock.advance(SignedDuration::from_mins(minutes));
        control_plane::read_provider_status(&core).await.unwrap();
    };
    read_after(6).await;
    assert!(app.status_page().await.contains("railway: All Systems Operational"));
    said.say("major", "Partial System Outage");
    read_after(1).await;
    assert_eq!(served.journal.count(&asked), 1, "it is not read more often than every five minutes");
    read_after(6).await;
    let page = app.status_page().await;
    assert!(page.contains("railway: Partial System Outage"), "{page}");
    let (_, alerts) = app.api(Method::GET, "/alerts", None).await;
    assert_eq!(alerts["data"][0]["kind"], "provider-trouble", "{alerts}");
    assert!(app.get("/admin/providers", OPERATOR).await.body.contains("Partial System Outage"));
    said.say("none", "All Systems Operational");
    read_after(6).await;
    let (_, alerts) = app.api(Method::GET, "/alerts", None).await;
    assert!(alerts["data"].as_array().unwrap().is_empty(), "{alerts}");
    // What can't be read gets old, and then says nothing.
    served.faults.always(&asked, Fault::Status(502));
    read_after(31).await;
    assert!(!app.status_page().await.contains("All Systems Operational"));
}
