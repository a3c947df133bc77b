//! Money that goes back to the card that paid, once, whatever breaks.

use std::collections::HashSet;
use std::sync::Mutex;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::Fault;
use workflow::{Faults, Moment};

use crate::city::City;
use crate::collecting::{close, failed, in_december, invoice, paid};

/// November's invoice, paid by card. Who paid, and its number.
pub(crate) async fn paid_invoice(city: &City) -> (String, String) {
    let payer = in_december(city).await;
    close(city).await;
    paid(city).await;
    city.until("an end", async || city.nothing_runs().await).await;
    (payer, invoice(city).await["number"].as_str().unwrap().to_owned())
}

pub(crate) async fn give_back(city: &City, number: &str, amount: i64, reference: &str) -> (StatusCode, Value) {
    let body = json!({"amount": amount, "reference": reference, "reason": "We had an outage."});
    city.api(Method::POST, &format!("/invoices/{number}/refunds"), body).await
}

/// The card got so much back, once, and the books say so too.
async fn went_back(city: &City, payer: &str, number: &str, amount: i64) {
    city.until("a refund", async || {
        let (_, page) = city.api(Method::GET, &format!("/invoices/{number}/refunds"), Value::Null).await;
        page["data"].as_array().unwrap().iter().all(|it| it["booked_at"].is_string()) && city.nothing_runs().await
    })
    .await;
    assert_eq!(city.stripe.refunded_cents(payer), amount);
    let (_, books) = city.api(Method::POST, "/billing/check", Value::Null).await;
    assert_eq!((&books["problems"], &books["owed"]), (&json!([]), &json!(0)));
    assert_eq!(invoice(city).await["state"], "paid");
}

#[tokio::test]
async fn a_part_goes_back_once_and_no_more_than_was_paid_ever_does() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, Faults::none()).await;
        let (payer, number) = paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        for _ in 0..2 {
            let (status, refund) = give_back(&city, &number, 30, "TICKET 1").await;
            assert_eq!((status, &refund["amount"]), (StatusCode::OK, &json!(30)), "{refund}");
        }
        went_back(&city, &payer, &number, 30).await;
        let refusals = [
            (total - 29, "TICKET 2", StatusCode::CONFLICT, "can be given back"),
            (31, "TICKET 1", StatusCode::CONFLICT, "booked already"),
            (0, "TICKET 3", StatusCode::UNPROCESSABLE_ENTITY, "no amount"),
            (5, " ", StatusCode::UNPROCESSABLE_ENTITY, "reference"),
        ];
        for (amount, reference, refused, why) in refusals {
            let (status, problem) = give_back(&city, &number, amount, reference).await;
            assert!(status == refused && problem["title"].as_str().unwrap().contains(why), "{problem}");
        }
        assert_eq!(give_back(&city, "2026-000009", 5, "TICKET 4").await.0, StatusCode::NOT_FOUND);
        let (one, other) = tokio::join!(
            give_back(&city, &number, total - 30, "REST 1"),
            give_back(&city, &number, total - 30, "REST 2")
        );
        let mut both = [one.0, other.0];
        both.sort();
        assert_eq!(both, [StatusCode::OK, StatusCode::CONFLICT], "two at once want all that is left");
        went_back(&city, &payer, &number, total).await;
        let mails = city.mails_to("ada@example.com").await;
        assert_eq!(mails.iter().filter(|subject| subject.starts_with("You get back")).count(), 2, "{mails:?}");
        city.close().await;
    }
}

#[tokio::test]
async fn nothing_goes_back_of_what_was_not_paid() {
    let city = City::open().await;
    let payer = in_december(&city).await;
    city.stripe.set_card(&payer, false);
    close(&city).await;
    failed(&city, 1).await;
    let number = invoice(&city).await["number"].as_str().unwrap().to_owned();
    let (status, problem) = give_back(&city, &number, 5, "TICKET 1").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["title"].as_str().unwrap().starts_with("Nothing was paid"), "{problem}");
    city.close().await;
}

#[tokio::test]
async fn each_answer_may_be_lost_and_a_process_may_die_and_the_card_gets_it_back_once() {
    let (mut reached, mut number_of_call) = (0, 1);
    while number_of_call <= 8 {
        let city = City::open().await;
        let (payer, number) = paid_invoice(&city).await;
        let first = city.served.faults.calls();
        // Three in a row, since what is safe to ask again is asked again at once.
        for next in 0..3 {
            city.served.faults.at_call(first + number_of_call + next, Fault::ResetAfter);
        }
        assert_eq!(give_back(&city, &number, 30, "TICKET 1").await.0, StatusCode::OK);
        went_back(&city, &payer, &number, 30).await;
        reached += u64::from(city.served.faults.calls() - first >= number_of_call);
        number_of_call += 1;
        city.close().await;
    }
    assert!((3..8).contains(&reached), "{reached} answers were lost");
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let seen = Mutex::new(HashSet::new());
        let faults = Faults::by(move |point| {
            let of_refund = point.kind == "refund.v1" && point.moment == Moment::After;
            let first = of_refund && seen.lock().unwrap().insert(point.clone());
            first.then_some(workflow::Fault::Temporary)
        });
        let city = City::open_with(engine, faults).await;
        let (payer, number) = paid_invoice(&city).await;
        assert_eq!(give_back(&city, &number, 30, "TICKET 1").await.0, StatusCode::OK);
        went_back(&city, &payer, &number, 30).await;
        city.close().await;
    }
}
