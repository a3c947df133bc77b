//! What Stripe keeps of each payment is a cost of the customer who made it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::Fault;
use simulators::stripe::Doubt;

use crate::city::City;
use crate::collecting::{close, in_december, invoice, paid};

async fn december(city: &City) -> Value {
    let (status, found) = city.api(Method::GET, "/billing/margins?month=2026-12", Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found
}

fn fees(found: &Value) -> &Value {
    &found["customers"][0]["costs"]["fees_micros"]
}

#[tokio::test]
async fn the_fee_of_a_charge_is_the_customers_cost_in_the_month_in_which_it_was_kept() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, workflow::Faults::none()).await;
        in_december(&city).await;
        assert!(fees(&december(&city).await).is_null(), "nobody asked yet: {:#}", december(&city).await);
        close(&city).await;
        paid(&city).await;
        city.until("an end", async || city.nothing_runs().await).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let fee = (total * 290 + 5_000) / 10_000 + 30;
        for fault in [Some(Fault::Status(500)), Some(Fault::ResetAfter), None, None] {
            if let Some(fault) = fault {
                city.served.faults.always("GET /v1/balance_transactions", fault);
            }
            city.clock.advance(jiff::SignedDuration::from_mins(61));
            control_plane::read_costs(city.app()).await.unwrap();
            city.served.faults.clear();
        }
        let found = december(&city).await;
        assert_eq!(fees(&found), &json!(fee * 10_000), "{found:#}");
        assert_eq!(found["nobody"]["fees_micros"], 0);
        assert_eq!(city.count("select count(*) from payment_fees").await, 1, "read twice, kept once");
        city.close().await;
    }
}

#[tokio::test]
async fn the_fee_of_a_dispute_is_the_customers_cost_as_well() {
    let city = City::open().await;
    in_december(&city).await;
    close(&city).await;
    paid(&city).await;
    let charge = city.stripe.charges().pop().unwrap();
    city.stripe.dispute(&charge, Doubt::FRAUDULENT).unwrap();
    city.stripe.deliver_due().await;
    city.until("an end", async || city.nothing_runs().await).await;
    city.clock.advance(jiff::SignedDuration::from_mins(61));
    control_plane::read_costs(city.app()).await.unwrap();
    let total = invoice(&city).await["total"].as_i64().unwrap();
    let of_the_charge = (total * 290 + 5_000) / 10_000 + 30;
    let found = december(&city).await;
    assert_eq!(fees(&found), &json!((of_the_charge + 1500) * 10_000), "{found:#}");
    city.close().await;
}
