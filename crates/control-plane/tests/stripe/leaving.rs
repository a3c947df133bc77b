//! A customer leaves at the end of the period: the subscription at Stripe ends with the service, the last invoice is
//! charged after that, and coming back begins another one on the same card.

use control_plane::cancel_if_due;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment};

use crate::city::{City, FORM};
use crate::collecting::{books_agree, close, paid};

/// Ada's instance works, and is given up.
async fn cancelled(engine: Engine, faults: Faults) -> (City, String) {
    let city = City::open_with(engine, faults).await;
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    city.until("an end", async || city.nothing_runs().await).await;
    let (status, cancelled) = city.api(Method::POST, "/instances/acme/cancellation", json!({"confirm": "acme"})).await;
    assert_eq!((status, &cancelled["ends_at"]), (StatusCode::OK, &json!("2026-12-01T00:00:00Z")), "{cancelled}");
    let payer = city.stripe.customers()[0]["id"].as_str().unwrap().to_owned();
    (city, payer)
}

async fn ends(city: &City) {
    city.pass(6);
    cancel_if_due(city.app()).await.unwrap();
    city.app().engine.wake();
    city.until("an end", async || city.nothing_runs().await).await;
    assert_eq!(city.stripe.live_subscriptions().len(), 0);
}

async fn comes_back(city: &City) {
    let (status, answer) = city.api(Method::DELETE, "/instances/acme/cancellation", Value::Null).await;
    assert_eq!((status, &answer["returned"]), (StatusCode::OK, &json!(true)), "{answer}");
    city.until("an end", async || city.nothing_runs().await).await;
    assert_eq!(city.stripe.live_subscriptions().len(), 1);
    city.active().await;
}

#[tokio::test]
async fn the_subscription_ends_with_the_service_the_last_invoice_is_charged_and_a_return_begins_another() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (city, payer) = cancelled(engine, Faults::none()).await;
        ends(&city).await;
        close(&city).await;
        paid(&city).await;
        books_agree(&city, &payer).await;
        comes_back(&city).await;
        assert_eq!(city.stripe.subscriptions().len(), 2);
        let charged = city.stripe.charged_cents(&payer);
        city.pass(20);
        assert_eq!(city.stripe.charged_cents(&payer), charged, "Stripe charges nothing by itself");
    }
}

#[tokio::test]
async fn an_end_and_a_return_that_break_at_every_step_leave_one_subscription() {
    for moment in [Moment::Before, Moment::After] {
        let seen = std::sync::Mutex::new(std::collections::HashSet::new());
        let faults = Faults::by(move |point| {
            let first = point.kind == "subscription.v1" && point.moment == moment;
            (first && seen.lock().unwrap().insert(point.clone())).then_some(Fault::Temporary)
        });
        let (city, _) = cancelled(Engine::Sqlite, faults).await;
        ends(&city).await;
        comes_back(&city).await;
        assert_eq!(city.stripe.subscriptions().len(), 2);
    }
}
