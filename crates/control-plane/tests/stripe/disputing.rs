//! Payments that a customer's bank questions: what is owed meanwhile, and what after the bank has decided.

use std::collections::HashSet;
use std::sync::Mutex;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::Fault;
use simulators::stripe::{DISPUTE_FEE, Deliveries, Doubt, Turn};
use workflow::{Faults, Moment};
use world::Entropy;

use crate::city::City;
use crate::collecting::{compare, differences, invoice};
use crate::recovering::{days, led_to_stripe, page_of_the_invoice, press, stage};
use crate::refunding::{give_back, paid_invoice};

const ADA: Option<&str> = Some("ada@example.com");
const OPERATOR: &str = "operator@localhost";
const ENGINES: [store::Engine; 2] = [store::Engine::Sqlite, store::Engine::Postgres];

/// Ada's bank questions what she paid last. The dispute's id.
fn question(city: &City, doubt: Doubt) -> String {
    city.stripe.dispute(city.stripe.charges().last().unwrap(), doubt).unwrap()
}

fn part(amount: i64) -> Doubt {
    Doubt { amount: Some(amount), ..Doubt::FRAUDULENT }
}

/// Stripe tells of everything that it has to tell, and all of it is looked at.
async fn told(city: &City) {
    city.stripe.deliver_due().await;
    city.until("an end", async || city.nothing_runs().await).await;
}

async fn disputes(city: &City, state: &str) -> Vec<Value> {
    let (status, page) = city.api(Method::GET, &format!("/disputes?state={state}"), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().unwrap().clone()
}

async fn left(city: &City) -> (Value, i64) {
    let invoice = invoice(city).await;
    (invoice["state"].clone(), invoice["outstanding"].as_i64().unwrap())
}

async fn dunning(city: &City) -> Value {
    let customer = invoice(city).await["customer_id"].as_str().unwrap().to_owned();
    city.api(Method::GET, &format!("/customers/{customer}/dunning"), Value::Null).await.1
}

/// The books add up, and the customer owes so much.
async fn owes(city: &City, owed: i64) {
    let (_, books) = city.api(Method::POST, "/billing/check", Value::Null).await;
    assert_eq!((&books["problems"], &books["owed"]), (&json!([]), &json!(owed)));
}

async fn mails(city: &City, to: &str, start: &str) -> usize {
    city.mails_to(to).await.iter().filter(|subject| subject.contains(start)).count()
}

async fn entries(city: &City, kind: &str) -> usize {
    let customer = invoice(city).await["customer_id"].as_str().unwrap().to_owned();
    let (_, ledger) = city.api(Method::GET, &format!("/customers/{customer}/ledger"), Value::Null).await;
    let all = ledger["entries"].as_array().unwrap_or_else(|| panic!("{ledger}"));
    all.iter().filter(|entry| entry["id"].as_str().unwrap().starts_with(&format!("{kind}:"))).count()
}

#[tokio::test]
async fn nobody_is_reminded_while_a_bank_decides_and_a_won_dispute_leaves_everything_as_it_was() {
    for engine in ENGINES {
        let city = City::open_with(engine, Faults::none()).await;
        let (_, number) = paid_invoice(&city).await;
        let id = question(&city, Doubt::FRAUDULENT);
        told(&city).await;
        let open = disputes(&city, "open").await;
        assert_eq!((open.len(), &open[0]["id"], &open[0]["invoice"]), (1, &json!(id), &json!(number)));
        assert_eq!((&open[0]["state"], &open[0]["fee"]), (&json!("needs_response"), &json!(DISPUTE_FEE)));
        assert!(open[0]["url"].as_str().unwrap().ends_with(&id), "{open:?}");
        assert_eq!(mails(&city, OPERATOR, "is disputed").await, 1);
        let console = city.get("/admin/money", Some(OPERATOR)).await.body;
        for shown in ["it was not them", "and a fee of $15.00", "Send evidence", &id] {
            assert!(console.contains(shown), "{shown}: {console}");
        }
        let portal = city.get(&page_of_the_invoice(&city).await, ADA).await.body;
        assert!(portal.contains("Nothing changes for you until then."), "{portal}");

        days(&city, 60).await;
        assert_eq!(left(&city).await, (json!("paid"), 0), "the bank has not decided");
        assert_eq!((dunning(&city).await["disputed"].clone(), city.state().await), (json!(true), "active".to_owned()));
        owes(&city, 0).await;
        city.stripe.settle_dispute(&id, Turn::Answered);
        told(&city).await;
        assert_eq!(disputes(&city, "open").await[0]["state"], "under_review");
        city.stripe.settle_dispute(&id, Turn::Won);
        told(&city).await;
        assert_eq!(
            (disputes(&city, "open").await.len(), &disputes(&city, "closed").await[0]["state"]),
            (0, &json!("won"))
        );
        assert_eq!(left(&city).await, (json!("paid"), 0));
        assert_eq!((dunning(&city).await["disputed"].clone(), stage(&city).await.as_str()), (json!(false), "current"));
        assert_eq!((entries(&city, "dispute_opened").await, entries(&city, "dispute_ended").await), (1, 1));
        assert_eq!((mails(&city, OPERATOR, "is won").await, mails(&city, "ada@example.com", "Reminder").await), (1, 0));
        let history = city.get(&format!("/admin/money/invoices/{number}"), Some(OPERATOR)).await.body;
        assert!(history.contains("the payment stands") && history.contains(&id), "{history}");
        owes(&city, 0).await;
        city.close().await;
    }
}

#[tokio::test]
async fn what_a_bank_keeps_is_owed_again_and_paying_it_anew_opens_the_workspace() {
    for engine in ENGINES {
        let city = City::open_with(engine, Faults::none()).await;
        let (payer, number) = paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let id = question(&city, Doubt::FRAUDULENT);
        told(&city).await;
        days(&city, 3).await;
        city.stripe.settle_dispute(&id, Turn::Lost);
        told(&city).await;
        assert_eq!(left(&city).await, (json!("open"), total), "again, though its day has not come");
        assert_eq!((stage(&city).await.as_str(), mails(&city, OPERATOR, "is lost").await), ("reminded", 1));
        assert_eq!(city.stripe.charged_cents(&payer), total, "nobody charges that card unasked");
        let portal = city.get(&page_of_the_invoice(&city).await, ADA).await.body;
        assert!(portal.contains("It is to be paid again") && portal.contains("Taken back by the bank"), "{portal}");
        owes(&city, total).await;
        for expected in ["reminded", "grace", "suspended"] {
            days(&city, 7).await;
            assert_eq!(stage(&city).await, expected);
        }
        assert_eq!(city.state().await, "suspended");
        compare(&city).await;
        assert_eq!(differences(&city, "open").await, [Value::Null; 0], "Stripe waits for as much as we do");

        let page = led_to_stripe(&city).await;
        assert!(press(&page, "pay").await.contains("is paid"));
        told(&city).await;
        city.active().await;
        assert_eq!((left(&city).await, stage(&city).await.as_str()), ((json!("paid"), 0), "current"));
        assert_eq!(city.stripe.charged_cents(&payer), 2 * total);
        owes(&city, 0).await;
        compare(&city).await;
        assert_eq!(differences(&city, "open").await, [Value::Null; 0]);
        let (status, refund) = give_back(&city, &number, 30, "TICKET 1").await;
        assert_eq!(status, StatusCode::OK, "{refund}");
        told(&city).await;
        assert_eq!(city.stripe.refunded_cents(&payer), 30, "of the second payment");
        city.close().await;
    }
}

#[tokio::test]
async fn what_is_owed_again_can_be_paid_by_hand_or_written_off_and_leaves_nothing_at_stripe() {
    for by_hand in [true, false] {
        let city = City::open().await;
        let (_, number) = paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let id = question(&city, Doubt::FRAUDULENT);
        told(&city).await;
        city.stripe.settle_dispute(&id, Turn::Lost);
        told(&city).await;
        let (path, body) = match by_hand {
            true => ("payments", json!({"amount": total, "reference": "BANK 1"})),
            false => ("write-off", json!({"reason": "They have gone."})),
        };
        let (status, answer) = city.api(Method::POST, &format!("/invoices/{number}/{path}"), body).await;
        assert_eq!((status, &answer["outstanding"]), (StatusCode::OK, &json!(0)), "{answer}");
        told(&city).await;
        assert_eq!(city.count("select count(*) from workflows where state = 'stuck'").await, 0);
        let again = city.stripe.invoices().pop().unwrap();
        assert_eq!(
            (&again["metadata"]["spinoff_invoice"], &again["status"]),
            (&json!(format!("{number} (2)")), &json!("void"))
        );
        owes(&city, 0).await;
        city.close().await;
    }
}

#[tokio::test]
async fn events_that_come_twice_late_in_any_order_or_never_book_each_thing_once() {
    for turn in [Turn::Won, Turn::Lost] {
        for (seed, wrong) in [
            (5, Deliveries { late: 0, twice: 1000, out_of_order: 500, lost: 0 }),
            (6, Deliveries { late: 500, twice: 500, out_of_order: 500, lost: 500 }),
            (7, Deliveries { lost: 1000, ..Deliveries::default() }),
        ] {
            let city = City::open().await;
            paid_invoice(&city).await;
            let total = invoice(&city).await["total"].as_i64().unwrap();
            city.stripe.misdeliver(wrong, Entropy::seeded(seed));
            let id = question(&city, Doubt::FRAUDULENT);
            told(&city).await;
            city.pass(1);
            city.stripe.settle_dispute(&id, Turn::Answered);
            city.stripe.settle_dispute(&id, turn);
            told(&city).await;
            // What never came is seen by the comparison of the day.
            for _ in 0..2 {
                compare(&city).await;
                told(&city).await;
            }
            let owed = if turn == Turn::Won { 0 } else { total };
            assert_eq!((left(&city).await.1, entries(&city, "dispute_opened").await), (owed, 1), "{turn:?} {seed}");
            assert_eq!(entries(&city, "dispute_ended").await, 1);
            assert_eq!(dunning(&city).await["disputed"], false);
            assert_eq!(differences(&city, "open").await, [Value::Null; 0]);
            owes(&city, owed).await;
            city.close().await;
        }
    }
}

#[tokio::test]
async fn of_several_disputes_the_last_one_lets_time_go_on() {
    let city = City::open().await;
    let (payer, number) = paid_invoice(&city).await;
    let total = invoice(&city).await["total"].as_i64().unwrap();
    assert_eq!(give_back(&city, &number, 10, "TICKET 1").await.0, StatusCode::OK);
    told(&city).await;
    let (lost, won) = (question(&city, part(20)), question(&city, part(15)));
    told(&city).await;
    let (status, refused) = give_back(&city, &number, total - 44, "TICKET 2").await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert!(refused["next_step"].as_str().unwrap().contains("bank"), "{refused}");
    city.stripe.settle_dispute(&lost, Turn::Lost);
    told(&city).await;
    assert_eq!(left(&city).await.1, 20, "the part that the bank kept");
    assert_eq!(dunning(&city).await["disputed"], true, "another bank has not decided");
    days(&city, 40).await;
    assert_eq!((stage(&city).await.as_str(), city.state().await.as_str()), ("current", "active"));
    city.stripe.settle_dispute(&won, Turn::Won);
    told(&city).await;
    assert_eq!((dunning(&city).await["disputed"].clone(), stage(&city).await.as_str()), (json!(false), "reminded"));
    owes(&city, 20).await;
    let page = led_to_stripe(&city).await;
    press(&page, "pay").await;
    told(&city).await;
    assert_eq!((left(&city).await.1, city.stripe.charged_cents(&payer)), (0, total + 20));
    assert_eq!(stage(&city).await, "current");
    owes(&city, 0).await;
    city.close().await;
}

#[tokio::test]
async fn a_bank_may_decide_otherwise_before_and_after_it_is_paid_again() {
    for paid_again in [false, true] {
        let city = City::open().await;
        let (_, number) = paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let id = question(&city, Doubt::FRAUDULENT);
        city.stripe.settle_dispute(&id, Turn::Lost);
        told(&city).await;
        if paid_again {
            let page = led_to_stripe(&city).await;
            press(&page, "pay").await;
            told(&city).await;
        }
        city.pass(1);
        city.stripe.settle_dispute(&id, Turn::Won);
        told(&city).await;
        assert_eq!((left(&city).await, stage(&city).await.as_str()), ((json!("paid"), 0), "current"), "{number}");
        let too_much = if paid_again { -total } else { 0 };
        owes(&city, too_much).await;
        assert_eq!(city.count("select count(*) from workflows where state = 'stuck'").await, 0);
        compare(&city).await;
        assert_eq!(differences(&city, "open").await, [Value::Null; 0]);
        city.close().await;
    }
}

#[tokio::test]
async fn a_question_takes_nothing_and_what_can_t_be_booked_is_a_difference_with_its_reason() {
    let city = City::open().await;
    let (_, number) = paid_invoice(&city).await;
    let asked = question(&city, Doubt { inquiry: true, ..part(20) });
    told(&city).await;
    assert_eq!(
        (&disputes(&city, "open").await[0]["state"], entries(&city, "dispute_opened").await),
        (&json!("inquiry"), 0)
    );
    assert_eq!(mails(&city, OPERATOR, "asks about a payment").await, 1);
    city.stripe.settle_dispute(&asked, Turn::Settled);
    told(&city).await;
    assert_eq!(disputes(&city, "closed").await[0]["state"], "closed");
    let odd = question(&city, Doubt { currency: Some("eur"), ..part(20) });
    for _ in 0..2 {
        told(&city).await;
        compare(&city).await;
        let seen = differences(&city, "open").await;
        assert_eq!(
            (seen.len(), &seen[0]["what"], &seen[0]["invoice"]),
            (1, &json!("dispute"), &json!(number)),
            "{seen:?}"
        );
        assert!(seen[0]["reason"].as_str().unwrap().contains("is in eur"), "{seen:?}");
    }
    assert_eq!((entries(&city, "dispute_opened").await, mails(&city, OPERATOR, "could not be booked").await), (0, 1));
    assert!(disputes(&city, "open").await[0]["problem"].as_str().unwrap().contains(&odd));
    let (status, problem) = city.api(Method::GET, "/disputes?state=odd", Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    owes(&city, 0).await;
    city.close().await;
}

#[tokio::test]
async fn who_got_the_money_back_twice_owes_it_once() {
    let city = City::open().await;
    let (payer, number) = paid_invoice(&city).await;
    let total = invoice(&city).await["total"].as_i64().unwrap();
    assert_eq!(give_back(&city, &number, total, "TICKET 1").await.0, StatusCode::OK);
    told(&city).await;
    let id = question(&city, Doubt::FRAUDULENT);
    city.stripe.settle_dispute(&id, Turn::Lost);
    told(&city).await;
    assert_eq!((city.stripe.refunded_cents(&payer), left(&city).await.1), (total, total));
    let (status, refused) = give_back(&city, &number, 1, "TICKET 2").await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    owes(&city, total).await;
    city.close().await;
}

#[tokio::test]
async fn each_answer_may_be_lost_and_a_process_may_die_and_a_dispute_is_booked_once() {
    let (mut reached, mut number_of_call) = (0, 1);
    while number_of_call <= 20 {
        let city = City::open().await;
        paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let id = question(&city, Doubt::FRAUDULENT);
        city.stripe.settle_dispute(&id, Turn::Lost);
        let first = city.served.faults.calls();
        for next in 0..3 {
            city.served.faults.at_call(first + number_of_call + next, Fault::ResetAfter);
        }
        told(&city).await;
        assert_eq!((left(&city).await.1, entries(&city, "dispute_ended").await), (total, 1));
        owes(&city, total).await;
        let offered = city.stripe.invoices().into_iter().filter(|it| it["status"] == "open").count();
        assert_eq!(offered, 1, "call {number_of_call}");
        reached += u64::from(city.served.faults.calls() - first >= number_of_call);
        number_of_call += 4;
        city.close().await;
    }
    assert!(reached >= 3, "{reached} answers were lost");
    for engine in ENGINES {
        let seen = Mutex::new(HashSet::new());
        let kinds = ["look-up-dispute.v1", "hand-over.v1"];
        let faults = Faults::by(move |point| {
            let ours = kinds.contains(&&*point.kind) && point.moment == Moment::After;
            let first = ours && seen.lock().unwrap().insert(point.clone());
            first.then_some(workflow::Fault::Temporary)
        });
        let city = City::open_with(engine, faults).await;
        paid_invoice(&city).await;
        let total = invoice(&city).await["total"].as_i64().unwrap();
        let id = question(&city, Doubt::FRAUDULENT);
        told(&city).await;
        city.stripe.settle_dispute(&id, Turn::Lost);
        told(&city).await;
        assert_eq!((left(&city).await.1, entries(&city, "dispute_opened").await), (total, 1));
        owes(&city, total).await;
        city.close().await;
    }
}
