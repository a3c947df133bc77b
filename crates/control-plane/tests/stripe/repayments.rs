//! Money that goes back by another hand than ours, or does not arrive.

use std::collections::HashSet;
use std::sync::Mutex;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::Fault;
use simulators::stripe::Deliveries;
use workflow::{Faults, Moment};
use world::Entropy;

use crate::city::City;
use crate::collecting::{compare, differences, invoice};
use crate::refunding::{give_back, paid_invoice};

const OPERATOR: &str = "operator@localhost";
const ENGINES: [store::Engine; 2] = [store::Engine::Sqlite, store::Engine::Postgres];

async fn told(city: &City) {
    city.stripe.deliver_due().await;
    city.until("an end", async || city.nothing_runs().await).await;
}

async fn refunds(city: &City, number: &str) -> Vec<Value> {
    let (_, page) = city.api(Method::GET, &format!("/invoices/{number}/refunds"), Value::Null).await;
    page["data"].as_array().unwrap().clone()
}

async fn adds_up(city: &City) {
    let (_, books) = city.api(Method::POST, "/billing/check", Value::Null).await;
    assert_eq!((&books["problems"], &books["owed"]), (&json!([]), &json!(0)));
}

async fn mails(city: &City, to: &str, start: &str) -> usize {
    city.mails_to(to).await.iter().filter(|subject| subject.contains(start)).count()
}

/// Somebody gives a part back in Stripe's dashboard.
async fn in_the_dashboard(city: &City, amount: &str) -> String {
    let charge = city.stripe.charges().pop().unwrap();
    let refund = city.at_stripe("/v1/refunds", &[("charge", &*charge), ("amount", amount)]).await;
    refund["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_given_back_in_the_dashboard_is_booked_once_though_no_event_came() {
    for engine in ENGINES {
        for is_lost in [false, true] {
            let city = City::open_with(engine, Faults::none()).await;
            let (_, number) = paid_invoice(&city).await;
            let total = invoice(&city).await["total"].as_i64().unwrap();
            if is_lost {
                city.stripe.misdeliver(Deliveries { lost: 1000, ..Deliveries::default() }, Entropy::seeded(5));
            }
            let id = in_the_dashboard(&city, "30").await;
            told(&city).await;
            for _ in 0..2 {
                compare(&city).await;
                told(&city).await;
            }
            let seen = refunds(&city, &number).await;
            assert_eq!((seen.len(), &seen[0]["reference"], &seen[0]["amount"]), (1, &json!(id), &json!(30)));
            assert!(seen[0]["booked_at"].is_string() && seen[0]["author"] == "stripe", "{seen:?}");
            assert_eq!(mails(&city, OPERATOR, "given back in the provider's dashboard").await, 1);
            assert_eq!(mails(&city, "ada@example.com", "You get back").await, 1);
            let (status, refused) = give_back(&city, &number, total - 29, "TICKET 1").await;
            assert_eq!(status, StatusCode::CONFLICT, "{refused}");
            assert_eq!(differences(&city, "open").await, [Value::Null; 0]);
            adds_up(&city).await;
            city.close().await;
        }
    }
}

#[tokio::test]
async fn our_own_refunds_are_not_taken_for_those_of_others() {
    for engine in ENGINES {
        let city = City::open_with(engine, Faults::none()).await;
        let (payer, number) = paid_invoice(&city).await;
        assert_eq!(give_back(&city, &number, 20, "TICKET 1").await.0, StatusCode::OK);
        told(&city).await;
        in_the_dashboard(&city, "30").await;
        assert_eq!(give_back(&city, &number, 25, "TICKET 2").await.0, StatusCode::OK);
        told(&city).await;
        compare(&city).await;
        told(&city).await;
        let amounts: Vec<_> = refunds(&city, &number).await.iter().map(|it| it["amount"].as_i64().unwrap()).collect();
        assert_eq!(amounts.iter().sum::<i64>(), 75, "{amounts:?}");
        assert_eq!(city.stripe.refunded_cents(&payer), 75);
        assert_eq!(mails(&city, OPERATOR, "given back in the provider's dashboard").await, 1);
        adds_up(&city).await;
        city.close().await;
    }
}

#[tokio::test]
async fn what_the_card_does_not_take_comes_back_and_can_be_given_another_way() {
    for by_us in [true, false] {
        let city = City::open().await;
        let (_, number) = paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        if by_us {
            assert_eq!(give_back(&city, &number, total, "TICKET 1").await.0, StatusCode::OK);
        } else {
            in_the_dashboard(&city, &total.to_string()).await;
        }
        told(&city).await;
        let id = city.stripe.refunds()[0]["id"].as_str().unwrap().to_owned();
        city.pass(1);
        city.stripe.fail_refund(&id);
        for _ in 0..2 {
            told(&city).await;
            compare(&city).await;
        }
        let seen = refunds(&city, &number).await;
        assert!(seen.len() == 1 && seen[0]["returned_at"].is_string(), "{seen:?}");
        assert_eq!(mails(&city, OPERATOR, "A refund came back").await, 1);
        adds_up(&city).await;
        let history = city.get(&format!("/admin/money/invoices/{number}"), Some(OPERATOR)).await.body;
        assert!(history.contains("Came back, the card did not take it"), "{history}");
        city.close().await;
    }
}

#[tokio::test]
async fn a_refund_that_was_given_up_frees_its_amount_unless_the_money_went() {
    for went in [false, true] {
        let city = City::open().await;
        let (payer, number) = paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let fault = if went { Fault::ResetAfter } else { Fault::ResetBefore };
        city.served.faults.always("POST /v1/credit_notes", fault);
        assert_eq!(give_back(&city, &number, total, "TICKET 1").await.0, StatusCode::OK);
        let workflow = city.workflow_of("refund.v1").await;
        let tried = async || city.workflow(&workflow).await.steps.iter().any(|step| step.error.is_some());
        city.until("a try", tried).await;
        assert_eq!(city.stripe.refunded_cents(&payer), if went { total } else { 0 });
        let (status, answer) = city.api(Method::POST, &format!("/workflows/{workflow}/abandon"), Value::Null).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        city.served.faults.clear();
        let settled = async || {
            city.count("select count(*) from workflows where kind = 'settle-refund.v1' and state = 'done'").await > 0
        };
        city.until("a look", async || settled().await && city.nothing_runs().await).await;
        let seen = refunds(&city, &number).await;
        assert_eq!(
            (seen.len(), seen[0]["booked_at"].is_string(), seen[0]["withdrawn_at"].is_string()),
            (1, went, !went)
        );
        adds_up(&city).await;
        let again = give_back(&city, &number, total, "TICKET 2").await.0;
        assert_eq!(again, if went { StatusCode::CONFLICT } else { StatusCode::OK });
        if !went {
            let (status, refused) = give_back(&city, &number, total, "TICKET 1").await;
            assert!(status == StatusCode::CONFLICT && refused["title"].as_str().unwrap().contains("given up"));
        }
        told(&city).await;
        assert_eq!(city.stripe.refunded_cents(&payer), total);
        city.close().await;
    }
}

#[tokio::test]
async fn a_process_may_die_at_every_step_and_each_repayment_is_booked_once() {
    for engine in ENGINES {
        let seen = Mutex::new(HashSet::new());
        let faults = Faults::by(move |point| {
            let ours = &*point.kind == "look-up-repayments.v1" && point.moment == Moment::After;
            let first = ours && seen.lock().unwrap().insert(point.clone());
            first.then_some(workflow::Fault::Temporary)
        });
        let city = City::open_with(engine, faults).await;
        let (_, number) = paid_invoice(&city).await;
        in_the_dashboard(&city, "30").await;
        let failing = in_the_dashboard(&city, "40").await;
        told(&city).await;
        city.pass(1);
        city.stripe.fail_refund(&failing);
        told(&city).await;
        let seen = refunds(&city, &number).await;
        let amounts: Vec<_> = seen.iter().map(|it| (it["amount"].as_i64(), it["returned_at"].is_string())).collect();
        assert!(
            amounts.len() == 2 && amounts.contains(&(Some(30), false)) && amounts.contains(&(Some(40), true)),
            "{seen:?}"
        );
        let sql = "select count(*) from ledger_transactions where id like 'refund:%' or id like 'reversal:%'";
        assert_eq!(city.count(sql).await, 3);
        adds_up(&city).await;
        city.close().await;
    }
}

#[tokio::test]
async fn an_owner_gives_money_back_in_the_console_after_a_second_look_and_once() {
    let city = City::open().await;
    let (payer, number) = paid_invoice(&city).await;
    let url = format!("/admin/money/invoices/{number}/refund");
    let page = city.get(&url, Some(OPERATOR)).await;
    assert_eq!(page.status, StatusCode::OK);
    let (_, rest) = page.body.split_once("name=\"reference\" value=\"").unwrap();
    let reference = rest.split('"').next().unwrap();
    let form = |amount, confirmation| {
        [("amount", amount), ("reason", "We had an outage."), ("reference", reference), ("confirmation", confirmation)]
    };
    for (amount, confirmation, why) in
        [("0.30", "yes", "not the number"), ("x", &*number, "amount"), ("9999", &*number, "can be given back")]
    {
        let refused = city.post(&url, Some(OPERATOR), &form(amount, confirmation)).await;
        assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.body.contains(why), "{}", refused.body);
    }
    for _ in 0..2 {
        let given = city.post(&url, Some(OPERATOR), &form("0.30", &number)).await;
        assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.body);
    }
    told(&city).await;
    assert_eq!((city.stripe.refunded_cents(&payer), refunds(&city, &number).await.len()), (30, 1));
    let history = city.get(&format!("/admin/money/invoices/{number}"), Some(OPERATOR)).await.body;
    assert!(history.contains("Given back: $0.30"), "{history}");
    let customer = invoice(&city).await["customer_id"].as_str().unwrap().to_owned();
    let shown = city.get(&format!("/admin/customers/{customer}"), Some(OPERATOR)).await.body;
    assert!(shown.contains("We had an outage."), "{shown}");
    adds_up(&city).await;
    city.close().await;
}
