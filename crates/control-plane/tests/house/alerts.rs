//! What waits for an operator: told once, grouped, silenced, taken up, or told to somebody else.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control_plane::{AlertSettings, Escalation, WatchSettings};
use jiff::SignedDuration;
use providers::compute::Health;
use providers::webhook::Webhook;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use workflow::Faults;
use world::Entropy;

use crate::support::TestApp;

const BEGIN: &str = "2026-11-25T10:00:00Z";
const OPERATOR: &str = "operator@localhost";
const KEY: [u8; 32] = [5; 32];

impl TestApp {
    async fn alerts(&self, query: &str) -> Vec<Value> {
        let (status, page) = self.api(Method::GET, &format!("/alerts{query}"), None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["data"].as_array().unwrap().clone()
    }

    async fn tend(&self) {
        control_plane::tend_alerts(&self.app().core()).await.unwrap();
    }

    /// So many instances do not answer, and the operator is told.
    async fn breaks(&self, names: &[&str]) {
        for name in names {
            self.provision("ada@example.com", name).await;
        }
        self.look_after(60, Health::Ok).await;
        self.look_after(60, Health::Down).await;
    }

    async fn id_of_alert(&self) -> String {
        self.alerts("").await[0]["id"].as_str().unwrap().to_owned()
    }
}

async fn an_alert_is_told_once_and_resolves_itself(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, Faults::none()).await;
    app.breaks(&["acme"]).await;
    app.look_after(60, Health::Down).await;
    let alerts = app.alerts("").await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let alert = &alerts[0];
    assert_eq!((&alert["kind"], &alert["severity"]), (&json!("instance-down"), &json!("critical")));
    assert_eq!((&alert["state"], &alert["what"]), (&json!("open"), &json!("acme.localhost does not answer")));
    app.tend().await;
    assert_eq!(app.mails_to(OPERATOR).await.len(), 1);
    let page = app.get("/admin/alerts", Some(OPERATOR)).await.body;
    assert!(page.contains("acme.localhost does not answer") && page.contains("instance-down"), "{page}");
    app.look_after(60, Health::Ok).await;
    assert!(app.alerts("").await.is_empty());
    assert_eq!(app.alerts("?state=resolved").await.len(), 1);
    // It comes back: it is the same alert, and is told again.
    app.look_after(60, Health::Down).await;
    let again = app.alerts("").await;
    assert_eq!((&again[0]["id"], &again[0]["seen"]), (&alert["id"], &json!(2)));
    assert_eq!(app.mails_to(OPERATOR).await.len(), 2);
}

async fn what_somebody_takes_up_or_silences_is_told_no_more(engine: Engine) {
    let app = TestApp::start_at(BEGIN, engine, Faults::none()).await;
    app.breaks(&["acme"]).await;
    let id = app.id_of_alert().await;
    let silence = json!({"minutes": 60, "reason": "The provider works on it."});
    let (status, silenced) = app.api(Method::POST, &format!("/alerts/{id}/silence"), Some(silence.clone())).await;
    assert_eq!(status, StatusCode::OK, "{silenced}");
    assert_eq!((&silenced["state"], &silenced["note"]), (&json!("silenced"), &json!("The provider works on it.")));
    // It goes and comes back meanwhile.
    app.look_after(60, Health::Ok).await;
    app.look_after(60, Health::Down).await;
    assert_eq!(app.alerts("").await[0]["state"], "silenced");
    assert_eq!(app.mails_to(OPERATOR).await.len(), 1);
    // The silence ends, and it still does not answer.
    app.clock.advance(SignedDuration::from_hours(1));
    app.tend().await;
    assert_eq!(app.alerts("").await[0]["state"], "open");
    assert_eq!(app.mails_to(OPERATOR).await.len(), 2);
    let (status, taken) = app.api(Method::POST, &format!("/alerts/{id}/acknowledge"), None).await;
    assert_eq!((status, &taken["state"]), (StatusCode::OK, &json!("acknowledged")), "{taken}");
    assert_eq!(taken["handled_by"], "api");
    let (_, resolved) = app.api(Method::POST, &format!("/alerts/{id}/resolve"), None).await;
    assert_eq!(resolved["state"], "resolved");
    let (status, problem) = app.api(Method::POST, &format!("/alerts/{id}/silence"), Some(silence)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (_, audit) = app.api(Method::GET, "/audit-events", None).await;
    let actions: Vec<&str> =
        audit["data"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    for action in ["alert.silenced", "alert.acknowledged", "alert.resolved"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
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
    an_alert_is_told_once_and_resolves_itself: told_once_on_sqlite, told_once_on_postgres;
    what_somebody_takes_up_or_silences_is_told_no_more: silenced_on_sqlite, silenced_on_postgres;
}

#[tokio::test]
async fn a_silence_without_a_reason_or_without_an_end_is_refused() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, Faults::none()).await;
    app.breaks(&["acme"]).await;
    let id = app.id_of_alert().await;
    for (minutes, reason) in [(0, "Because."), (10_081, "Because."), (60, "  ")] {
        let silence = json!({"minutes": minutes, "reason": reason});
        let (status, problem) = app.api(Method::POST, &format!("/alerts/{id}/silence"), Some(silence)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(problem["next_step"].is_string());
    }
    for path in ["/alerts/alt_0/acknowledge", "/alerts/alt_00000000000000000000000000/resolve"] {
        assert_eq!(app.api(Method::POST, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(app.api(Method::GET, "/alerts?state=loud", None).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.alerts("").await[0]["state"], "open");
}

#[tokio::test]
async fn of_many_alerts_at_once_a_few_have_mails_of_their_own_and_the_rest_have_one() {
    let app = TestApp::start_at(BEGIN, Engine::Sqlite, Faults::none()).await;
    let names: Vec<String> = (0..13).map(|number| format!("shop{number}")).collect();
    app.breaks(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(app.alerts("?limit=50").await.len(), 13);
    app.tend().await;
    assert_eq!(app.mails_to(OPERATOR).await.len(), 10);
    app.clock.advance(SignedDuration::from_mins(3));
    app.tend().await;
    app.tend().await;
    let mails = app.mails_to(OPERATOR).await;
    assert_eq!(mails.len(), 11, "{mails:?}");
    assert!(mails.last().unwrap().contains("3 things wait for you"), "{mails:?}");
}

#[tokio::test]
async fn what_nobody_takes_up_is_told_to_somebody_else_once() {
    let app = TestApp::start_watched(BEGIN, |_, _| WatchSettings {
        alerts: AlertSettings {
            webhook: None,
            escalation: Some(Escalation {
                after: SignedDuration::from_mins(30),
                to: domain::Email::parse("boss@example.com").unwrap(),
            }),
        },
        ..WatchSettings::default()
    })
    .await;
    app.breaks(&["acme", "zoo"]).await;
    let (_, _) = app.api(Method::POST, &format!("/alerts/{}/acknowledge", app.id_of_alert().await), None).await;
    app.tend().await;
    assert!(app.mails_to("boss@example.com").await.is_empty());
    app.clock.advance(SignedDuration::from_mins(31));
    app.tend().await;
    app.tend().await;
    let mails = app.mails_to("boss@example.com").await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].contains("Nobody has taken up an alert"), "the one that is taken up is not meant: {mails:?}");
}

/// Takes what is posted to it, and answers with the statuses that it is given.
async fn receiver(answers: Vec<StatusCode>) -> (String, UnboundedReceiver<(HeaderMap, Bytes)>) {
    let (sender, received) = unbounded_channel();
    let answers = Arc::new(std::sync::Mutex::new(answers));
    let router = Router::new().route(
        "/hook",
        post(move |headers: HeaderMap, body: Bytes| {
            let answer = answers.lock().unwrap().pop().unwrap_or(StatusCode::NO_CONTENT);
            let _ = sender.send((headers, body));
            async move { answer }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

#[tokio::test]
async fn the_webhook_gets_each_alert_signed_and_again_when_it_did_not_take_it() {
    let (url, mut received) = receiver(vec![StatusCode::INTERNAL_SERVER_ERROR]).await;
    let app = TestApp::start_watched(BEGIN, |db, clock| {
        let secret = format!("whsec_{}", STANDARD.encode(KEY)).into();
        let webhook = Webhook::new(&url, &secret, db.db.clone(), clock.clone(), Entropy::seeded(3)).unwrap();
        let alerts = AlertSettings { webhook: Some(Arc::new(webhook)), escalation: None };
        WatchSettings { alerts, ..WatchSettings::default() }
    })
    .await;
    app.breaks(&["acme"]).await;
    app.tend().await;
    let (refused, _) = received.recv().await.unwrap();
    app.clock.advance(SignedDuration::from_mins(1));
    app.until(async || {
        app.tend().await;
        app.count("select count(*) from alert_messages where delivered_at is not null").await == 1
    })
    .await;
    let (headers, body) = received.recv().await.unwrap();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("webhook-id"), refused["webhook-id"].to_str().unwrap(), "it is known as the same one");
    assert_eq!(header("webhook-timestamp"), app.clock.now().as_second().to_string());
    let signed =
        [header("webhook-id"), header("webhook-timestamp"), String::from_utf8(body.to_vec()).unwrap()].join(".");
    let signature = STANDARD.decode(header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &KEY);
    hmac::verify(&key, signed.as_bytes(), &signature).expect("the signature is not ours");
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&message["type"], &message["data"]["kind"]), (&json!("alert.raised"), &json!("instance-down")));
    let secret = |text: &str| text.to_owned().into();
    for (url, key) in [
        ("http://example.com/hook", format!("whsec_{}", STANDARD.encode(KEY))),
        ("https://example.com/hook", "whsec_short".to_owned()),
        ("nowhere", format!("whsec_{}", STANDARD.encode(KEY))),
    ] {
        let made = Webhook::new(url, &secret(&key), app.db.db.clone(), app.clock.clone(), Entropy::seeded(3));
        assert!(made.is_err(), "{url}");
    }
}
