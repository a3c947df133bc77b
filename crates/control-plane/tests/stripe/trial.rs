//! A customer's first months on Stripe's clock: nothing for two weeks, then a paid month, then a card that fails and works
//! again.

use domain::Plan;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use workflow::Faults;

use crate::city::{City, FORM};

/// From the 25th of November, 10 o'clock, to the 9th of December.
const TRIAL_DAYS: u16 = 14;

async fn is_over(city: &City) {
    city.until("an end", async || city.nothing_runs().await).await;
}

/// Closes the months that are over. The invoices, the oldest first.
async fn close(city: &City) -> Vec<Value> {
    let (status, answer) = city.api(Method::POST, "/billing/close", json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    is_over(city).await;
    city.stripe.deliver_due().await;
    is_over(city).await;
    let (_, page) = city.api(Method::GET, "/invoices", Value::Null).await;
    let mut invoices = page["data"].as_array().unwrap().clone();
    invoices.sort_by_key(|invoice| invoice["number"].as_str().unwrap().to_owned());
    invoices
}

async fn went_by(city: &City, days: i64) {
    city.pass(days);
    control_plane::dun_if_due(&city.app().core()).await.unwrap();
    is_over(city).await;
    city.stripe.deliver_due().await;
    is_over(city).await;
}

async fn stage(city: &City, invoice: &Value) -> String {
    let path = format!("/customers/{}/dunning", invoice["customer_id"].as_str().unwrap());
    city.api(Method::GET, &path, Value::Null).await.1["stage"].as_str().unwrap().to_owned()
}

/// What each invoice comes to, how it stands, and what its customer paid in all.
fn standing(city: &City, invoices: &[Value]) -> (Vec<(i64, String)>, i64) {
    let of = |invoice: &Value| (invoice["total"].as_i64().unwrap(), invoice["state"].as_str().unwrap().to_owned());
    (invoices.iter().map(of).collect(), city.charged())
}

fn paid(cents: i64) -> (i64, String) {
    (cents, "paid".to_owned())
}

#[tokio::test]
async fn after_a_trial_a_month_is_paid_and_a_card_that_failed_is_charged_when_it_works_again() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let plan = Plan { trial_days: TRIAL_DAYS, ..Plan::default() };
        let city = City::selling(plan, engine, Faults::none()).await;
        let order = city.sign_up(&FORM).await;
        city.pay(&order).await;
        city.active().await;
        is_over(&city).await;
        let payer = city.stripe.customers()[0]["id"].as_str().unwrap().to_owned();
        let portal = city.get("/portal/instances/acme/bills", Some("ada@example.com")).await.body;
        assert!(portal.contains("9 Dec"), "it says when the trial ends: {portal}");

        went_by(&city, 1).await;
        city.used("acme", "2026-11-25T15:00:00Z".parse().unwrap()).await;
        went_by(&city, 5).await;
        let november = close(&city).await;
        let (amounts, charged) = standing(&city, &november);
        assert!(amounts.iter().all(|(total, state)| *total == 0 && state == "paid"), "{november:?}");
        assert_eq!(charged, 0, "a trial charges nothing");

        went_by(&city, 20).await;
        // The first in the trial, by an hour; the others are to be paid.
        for hour in ["2026-12-09T09:59:00Z", "2026-12-09T10:00:00Z", "2026-12-20T12:30:00Z"] {
            city.used("acme", hour.parse().unwrap()).await;
        }
        went_by(&city, 11).await;
        let december = close(&city).await;
        let (amounts, charged) = standing(&city, &december[november.len()..]);
        // 542 of 744 hours of the base fee of $5.00, and two hours.
        assert_eq!((amounts, charged), (vec![paid(364 + 200)], 564));

        city.used("acme", "2027-01-01T00:30:00Z".parse().unwrap()).await;
        city.stripe.set_card(&payer, false);
        went_by(&city, 31).await;
        let january = close(&city).await;
        let last = january.last().unwrap();
        assert_eq!((last["total"].as_i64(), city.charged()), (Some(600), 564), "{last}");
        assert_eq!((stage(&city, last).await.as_str(), city.state().await.as_str()), ("retrying", "active"));

        city.stripe.set_card(&payer, true);
        went_by(&city, 2).await;
        let recovered = close(&city).await;
        let (amounts, charged) = standing(&city, &recovered[recovered.len() - 2..]);
        assert_eq!((amounts, charged), (vec![paid(564), paid(600)], 1164));
        assert_eq!(stage(&city, last).await, "current");
        let (_, books) = city.api(Method::POST, "/billing/check", Value::Null).await;
        assert_eq!((&books["problems"], &books["owed"]), (&json!([]), &0.into()));
        city.close().await;
    }
}
