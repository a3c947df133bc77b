//! From the closed month to money: Stripe charges what we computed, and both say the same afterwards.

use std::collections::HashSet;
use std::sync::Mutex;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::Fault;
use simulators::stripe::Deliveries;
use workflow::{Faults, Moment};
use world::Entropy;

use crate::city::{City, FORM};

/// Ada's instance works, and November is over.
pub(crate) async fn in_december(city: &City) -> String {
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    city.until("an end", async || city.nothing_runs().await).await;
    city.pass(6);
    city.stripe.deliver_due().await;
    city.stripe.customers()[0]["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn close(city: &City) {
    let (status, answer) = city.api(Method::POST, "/billing/close", json!({"month": "2026-11"})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    city.until("an invoice", async || city.count("select count(*) from invoices").await == 1).await;
}

/// The one invoice, as our API shows it.
pub(crate) async fn invoice(city: &City) -> Value {
    let (_, page) = city.api(Method::GET, "/invoices", Value::Null).await;
    let number = page["data"][0]["number"].as_str().unwrap().to_owned();
    city.api(Method::GET, &format!("/invoices/{number}"), Value::Null).await.1
}

pub(crate) async fn charge_again(city: &City) -> (StatusCode, Value) {
    let number = invoice(city).await["number"].as_str().unwrap().to_owned();
    city.api(Method::POST, &format!("/invoices/{number}/charge"), Value::Null).await
}

pub(crate) async fn paid(city: &City) {
    city.until("a paid invoice", async || invoice(city).await["state"] == "paid").await;
}

pub(crate) async fn failed(city: &City, times: i64) {
    let sql = "select count(*) from charge_attempts";
    city.until("a failed charge", async || city.count(sql).await == times && city.nothing_runs().await).await;
}

/// Invoices at Stripe that stand for ours.
pub(crate) fn theirs(city: &City) -> Vec<Value> {
    let all = city.stripe.invoices().into_iter();
    all.filter(|invoice| invoice["metadata"]["spinoff_invoice"].is_string()).collect()
}

/// Stripe took exactly our total, once, and our books say so too.
pub(crate) async fn books_agree(city: &City, payer: &str) {
    city.until("an end", async || city.nothing_runs().await).await;
    let ours = invoice(city).await;
    let total = ours["total"].as_i64().unwrap();
    assert!(total > 0, "{ours}");
    assert_eq!((city.stripe.charged_cents(payer), city.stripe.refunded_cents(payer)), (total, 0));
    let live: Vec<_> = theirs(city).into_iter().filter(|invoice| invoice["status"] != "void").collect();
    assert_eq!(live.len(), 1);
    assert_eq!((&live[0]["total"], &live[0]["status"]), (&ours["total"], &"paid".into()));
    let payments = "select count(*) from ledger_transactions where id like '%charge of%'";
    assert_eq!(city.count(payments).await, 1);
    let (_, books) = city.api(Method::POST, "/billing/check", Value::Null).await;
    assert_eq!((&books["problems"], &books["owed"]), (&json!([]), &0.into()));
    let receipts = city.mails_to("ada@example.com").await;
    assert_eq!(receipts.iter().filter(|subject| subject.starts_with("Receipt")).count(), 1, "{receipts:?}");
}

#[tokio::test]
async fn a_closed_month_is_charged_once_and_the_books_agree_with_stripe() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, Faults::none()).await;
        let payer = in_december(&city).await;
        assert_eq!(city.charged(), 0, "nothing is charged before the month is over");
        close(&city).await;
        paid(&city).await;
        // Stripe tells of it too, twice and late, and another closing finds nothing to do.
        city.stripe.misdeliver(Deliveries { late: 0, twice: 500, out_of_order: 500, lost: 0 }, Entropy::seeded(5));
        city.pass(1);
        city.stripe.deliver_due().await;
        close(&city).await;
        books_agree(&city, &payer).await;
        let (status, answer) = charge_again(&city).await;
        assert_eq!(
            (status, &answer["title"]),
            (StatusCode::CONFLICT, &"Nothing is left of this invoice to be paid".into())
        );
        let order = city.workflow(city.workflow_of("collect.v1").await.as_str()).await;
        assert_eq!(order.subject, invoice(&city).await["number"].as_str().unwrap());
        city.close().await;
    }
}

#[tokio::test]
async fn a_card_that_fails_is_kept_with_its_reason_and_charged_again_when_asked() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, Faults::none()).await;
        let payer = in_december(&city).await;
        city.stripe.set_card(&payer, false);
        close(&city).await;
        failed(&city, 1).await;
        city.stripe.deliver_due().await;
        failed(&city, 1).await;
        let open = invoice(&city).await;
        assert_eq!((&open["state"], &open["outstanding"]), (&"open".into(), &open["total"]));
        assert_eq!(open["charge_failures"][0]["reason"], "The card was declined");
        charge_again(&city).await;
        failed(&city, 2).await;
        city.stripe.set_card(&payer, true);
        city.pass(3);
        assert_eq!(city.charged(), 0, "nobody tries again unasked");
        charge_again(&city).await;
        paid(&city).await;
        city.stripe.deliver_due().await;
        books_agree(&city, &payer).await;
        assert_eq!(invoice(&city).await["charge_failures"].as_array().unwrap().len(), 2);
        city.close().await;
    }
}

#[tokio::test]
async fn what_the_customer_paid_at_stripe_is_booked_by_its_event_or_without_it() {
    for lost in [false, true] {
        let mut city = City::open().await;
        let payer = in_december(&city).await;
        city.stripe.set_card(&payer, false);
        close(&city).await;
        failed(&city, 1).await;
        city.stripe.deliver_due().await;
        city.until("an end", async || city.nothing_runs().await).await;
        if lost {
            city.stripe.misdeliver(Deliveries { lost: 1000, ..Deliveries::default() }, Entropy::seeded(5));
        }
        city.stripe.set_card(&payer, true);
        let id = theirs(&city)[0]["id"].as_str().unwrap().to_owned();
        let held = &city.stripe.live_subscriptions()[0];
        let card = held["default_payment_method"].as_str().unwrap();
        city.at_stripe(&format!("/v1/invoices/{id}/pay"), &[("payment_method", card)]).await;
        city.stripe.deliver_due().await;
        if lost {
            assert_eq!(invoice(&city).await["state"], "open");
            // Each start begins with a look.
            city = city.restarted().await;
        }
        paid(&city).await;
        books_agree(&city, &payer).await;
        city.close().await;
    }
}

#[tokio::test]
async fn a_process_may_die_at_each_step_of_a_charge_and_nothing_is_charged_twice() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let seen = Mutex::new(HashSet::new());
        let faults = Faults::by(move |point| {
            let first = point.moment == Moment::After && seen.lock().unwrap().insert(point.clone());
            first.then_some(workflow::Fault::Temporary)
        });
        let city = City::open_with(engine, faults).await;
        let payer = in_december(&city).await;
        close(&city).await;
        paid(&city).await;
        books_agree(&city, &payer).await;
        city.close().await;
    }
}

#[tokio::test]
async fn each_answer_of_stripe_may_be_lost_and_one_invoice_is_charged() {
    let mut reached = 0;
    for number in 1..=16 {
        let city = City::open().await;
        let payer = in_december(&city).await;
        let first = city.served.faults.calls();
        // Three in a row, since what is safe to ask again is asked again at once.
        for next in 0..3 {
            city.served.faults.at_call(first + number + next, Fault::ResetAfter);
        }
        close(&city).await;
        paid(&city).await;
        books_agree(&city, &payer).await;
        reached += u64::from(city.served.faults.calls() - first >= number);
        city.close().await;
    }
    assert!((8..=16).contains(&reached), "{reached} answers were lost");
}

#[tokio::test]
async fn a_total_that_differs_at_stripe_is_void_and_waits_for_the_operator() {
    let city = City::open().await;
    let payer = in_december(&city).await;
    city.stripe.surcharge_next(70);
    close(&city).await;
    let stuck = "select count(*) from workflows where kind = 'collect.v1' and state = 'stuck'";
    city.until("a charge that waits", async || city.count(stuck).await == 1).await;
    let waits = city.workflow(&city.workflow_of("collect.v1").await).await;
    let why = waits.error.unwrap();
    assert!(why.contains("it was made void and nothing was charged"), "{why}");
    assert_eq!((theirs(&city)[0]["status"].as_str(), city.charged()), (Some("void"), 0));
    assert_eq!(invoice(&city).await["state"], "open");
    // The surcharge is gone, and the operator lets it go on.
    charge_again(&city).await;
    paid(&city).await;
    books_agree(&city, &payer).await;
    city.close().await;
}

#[tokio::test]
async fn what_is_given_up_or_paid_by_hand_is_withdrawn_from_stripe() {
    for by_hand in [false, true] {
        let city = City::open().await;
        let payer = in_december(&city).await;
        city.stripe.set_card(&payer, false);
        close(&city).await;
        failed(&city, 1).await;
        let open = invoice(&city).await;
        let number = open["number"].as_str().unwrap();
        let (path, body) = if by_hand {
            ("payments", json!({"amount": open["outstanding"], "reference": "BANK 1"}))
        } else {
            ("write-off", json!({"reason": "The company is gone."}))
        };
        let (status, answer) = city.api(Method::POST, &format!("/invoices/{number}/{path}"), body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        city.until("a void invoice", async || theirs(&city)[0]["status"] == "void").await;
        city.stripe.set_card(&payer, true);
        assert_eq!(charge_again(&city).await.0, StatusCode::CONFLICT);
        assert_eq!(city.charged(), 0);
        city.close().await;
    }
}

/// Runs the comparison of a day.
pub(crate) async fn compare(city: &City) {
    city.pass(1);
    control_plane::close_if_due(&city.app().core()).await.unwrap();
    city.until("an end", async || city.nothing_runs().await).await;
}

pub(crate) async fn differences(city: &City, state: &str) -> Vec<Value> {
    let (_, page) = city.api(Method::GET, &format!("/billing/differences?state={state}"), Value::Null).await;
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_stripe_says_otherwise_is_kept_told_once_and_closed_when_it_vanished() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, Faults::none()).await;
        let payer = in_december(&city).await;
        city.stripe.set_card(&payer, false);
        close(&city).await;
        failed(&city, 1).await;
        compare(&city).await;
        assert_eq!(differences(&city, "open").await, [Value::Null; 0]);
        let told = async || {
            let mails = city.mails_to("operator@localhost").await;
            mails.iter().filter(|subject| subject.contains("the books differ")).count()
        };
        // Paid at Stripe, and the event is not fetched yet.
        city.stripe.misdeliver(Deliveries { lost: 1000, ..Deliveries::default() }, Entropy::seeded(5));
        city.stripe.set_card(&payer, true);
        let id = theirs(&city)[0]["id"].as_str().unwrap().to_owned();
        let held = &city.stripe.live_subscriptions()[0];
        let card = held["default_payment_method"].as_str().unwrap();
        city.at_stripe(&format!("/v1/invoices/{id}/pay"), &[("payment_method", card)]).await;
        let form = [("customer", payer.as_str()), ("metadata[spinoff_invoice]", "2025-000009")];
        city.at_stripe("/v1/invoices", &form).await;
        for _ in 0..2 {
            compare(&city).await;
            let seen = differences(&city, "open").await;
            let what: Vec<_> = seen.iter().map(|it| (it["what"].as_str().unwrap(), &it["ours"])).collect();
            assert_eq!(what, [("paid", &json!(0)), ("unknown", &json!(0))]);
            assert_eq!(&seen[0]["theirs"], &invoice(&city).await["total"]);
            assert_eq!(seen[0]["customer_id"], invoice(&city).await["customer_id"]);
            assert_eq!((&seen[1]["invoice"], &seen[1]["customer_id"]), (&"2025-000009".into(), &Value::Null));
            assert_eq!(told().await, 1);
        }
        // Looking at it books the payment; what nobody here knows stays.
        charge_again(&city).await;
        paid(&city).await;
        compare(&city).await;
        let left: Vec<_> = differences(&city, "open").await.iter().map(|it| it["what"].clone()).collect();
        assert_eq!(left, ["unknown"]);
        let closed = differences(&city, "closed").await;
        assert!(closed.len() == 1 && closed[0]["what"] == "paid" && closed[0]["closed_at"].is_string(), "{closed:?}");
        assert_eq!(told().await, 1);
        city.close().await;
    }
}
