use aws_lc_rs::hmac;
use control_plane::railway_webhook_secret;
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::json;
use simulators::stripe::Deliveries;
use world::Entropy;

use crate::city::{City, FORM};

fn signed(city: &City, secret: &str, body: &str) -> String {
    let at = city.clock.now().as_second();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("t={at},v1={}", hex::encode(hmac::sign(&key, format!("{at}.{body}").as_bytes())))
}

#[tokio::test]
async fn what_the_provider_did_not_sign_is_refused_and_leaves_no_trace() {
    let city = City::open().await;
    let body = json!({"id": "evt_1", "type": "invoice.paid", "created": 5, "data": {"object": {}}}).to_string();
    let forged = signed(&city, "whsec_forged", &body);
    for signature in ["", "t=1,v1=00", &forged] {
        assert_eq!(city.hook("stripe", signature, &body).await, StatusCode::BAD_REQUEST, "{signature}");
    }
    let genuine = signed(&city, &city.secret, &body);
    let longer = format!("{body} ");
    assert_eq!(city.hook("stripe", &genuine, &longer).await, StatusCode::BAD_REQUEST);
    let huge = "x".repeat(2 << 20);
    assert_eq!(city.hook("stripe", &genuine, &huge).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(city.count("select count(*) from payment_events").await, 0);
    city.close().await;
}

#[tokio::test]
async fn an_event_is_kept_once_of_whatever_kind_it_is() {
    let city = City::open().await;
    let body = json!({"id": "evt_1", "type": "some.new_kind", "created": 5, "data": {"object": {}}}).to_string();
    let signature = signed(&city, &city.secret, &body);
    for _ in 0..3 {
        assert_eq!(city.hook("stripe", &signature, &body).await, StatusCode::OK);
    }
    let sql = "select count(*) from payment_events where id = 'evt_1' and kind = 'some.new_kind' and way = 'webhook'";
    assert_eq!(city.count(sql).await, 1);
    city.close().await;
}

#[tokio::test]
async fn events_that_come_twice_late_and_out_of_order_do_nothing_twice() {
    let city = City::open().await;
    let wrong = Deliveries { late: 0, twice: 500, out_of_order: 500, lost: 0 };
    city.stripe.misdeliver(wrong, Entropy::seeded(5));
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    for _ in 0..10 {
        city.clock.advance(jiff::SignedDuration::from_secs(60));
        city.stripe.deliver_due().await;
    }
    assert_eq!((city.stripe.live_subscriptions().len(), city.charged()), (1, 0));
    assert_eq!(city.count("select count(*) from workflows where kind = 'provision.v1'").await, 1);
    let attempts = city.stripe.attempts();
    let said: std::collections::BTreeSet<_> = attempts.iter().map(|attempt| &attempt.event).collect();
    let kept = city.count("select count(*) from payment_events").await;
    assert_eq!(usize::try_from(kept).unwrap(), said.len());
    assert!(attempts.len() > said.len(), "nothing came twice");
    city.close().await;
}

#[tokio::test]
async fn what_never_came_is_fetched() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    let session = city.session(&order).await;
    city.waits(&order).await;
    city.stripe.misdeliver(Deliveries { lost: 1000, ..Deliveries::default() }, Entropy::seeded(5));
    city.stripe.complete(&session).unwrap();
    city.stripe.deliver_due().await;
    assert_eq!(city.count("select count(*) from payment_events where kind like 'checkout%'").await, 0);
    // Each start begins with a look.
    let city = city.restarted().await;
    city.active().await;
    let sql = "select count(*) from payment_events
               where kind = 'checkout.session.completed' and way = 'reconciliation' and instance_id is not null";
    assert_eq!(city.count(sql).await, 1);
    let known = city.count("select count(*) from payment_events").await;
    let city = city.restarted().await;
    city.until("a further look", async || city.count("select count(*) from payment_events").await > known).await;
    let twice = "select count(*) from (select id from payment_events group by id having count(*) > 1) as twice";
    assert_eq!(city.count(twice).await, 0);
    city.close().await;
}

#[tokio::test]
async fn the_compute_provider_may_tell_by_an_address_that_nobody_guesses() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    city.session(&order).await;
    city.waits(&order).await;
    let due = city.workflow(&order).await.due_at;
    let secret = railway_webhook_secret(&city.app().sealer);
    let path = format!("railway/{}", secret.expose_secret());
    let told = |name: &str| json!({"type": "Deployment.failed", "resource": {"project": {"name": name}}}).to_string();
    assert_eq!(city.hook("railway/0000", "", &told("ai-diy-acme")).await, StatusCode::NOT_FOUND);
    for nothing in [told("ai-diy-nobody").as_str(), "", "{", "[]", r#"{"resource": 5}"#] {
        assert_eq!(city.hook(&path, "", nothing).await, StatusCode::NO_CONTENT, "{nothing}");
    }
    assert_eq!(city.workflow(&order).await.due_at, due);
    city.clock.advance(jiff::SignedDuration::from_secs(5));
    assert_eq!(city.hook(&path, "", &told("ai-diy-acme")).await, StatusCode::NO_CONTENT);
    city.until("another look", async || city.workflow(&order).await.due_at > due).await;
    city.close().await;
}
