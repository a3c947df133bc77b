//! What becomes of money after it came, as Stripe tells of it.

use domain::Cents;
use jiff::SignedDuration;
use providers::payments::{CollectionState, DisputeState, Payments as _, Refund, RepaymentState};
use reqwest::Method;
use simulators::stripe::{DISPUTE_FEE, Doubt, Turn};

use crate::harness::{House, bill, customer, instance, word};

const NUMBER: &str = "2026-000001";

/// An invoice of 800 that was paid by card, and its charge.
async fn paid() -> (House, String) {
    let house = House::open().await;
    house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    house.driver.collect(&bill(NUMBER)).await.unwrap();
    let charge = house.there.charges().pop().unwrap();
    (house, charge)
}

#[tokio::test]
async fn a_dispute_is_read_with_its_money_its_day_and_the_invoice_that_was_paid() {
    let (house, charge) = paid().await;
    let id = house.there.dispute(&charge, Doubt { amount: Some(300), ..Doubt::FRAUDULENT }).unwrap();
    let open = house.driver.dispute(&id).await.unwrap().unwrap();
    assert_eq!((open.state, open.taken.get(), open.returned.get()), (DisputeState::NeedsResponse, 300, 0));
    assert_eq!((open.fee.get(), open.reason.as_str()), (DISPUTE_FEE, "fraudulent"));
    assert!(open.evidence_due.unwrap() > house.clock.now());
    assert!(open.url.starts_with("https://dashboard.stripe.com/test/") && open.url.ends_with(&id), "{}", open.url);
    let payment = open.payment.clone().unwrap();
    assert_eq!(house.driver.paid_by(&payment).await.unwrap().as_deref(), Some(NUMBER));
    house.there.settle_dispute(&id, Turn::Won);
    let won = house.driver.dispute(&id).await.unwrap().unwrap();
    assert_eq!((won.state, won.returned.get()), (DisputeState::Won, 300));
    let since = house.clock.now() - SignedDuration::from_hours(1);
    assert_eq!(house.driver.disputes_since(since).await.unwrap(), [won]);
    assert_eq!(house.driver.dispute("dp_none").await.unwrap(), None);
    let later = house.clock.now() + SignedDuration::from_hours(1);
    assert_eq!(house.driver.disputes_since(later).await.unwrap(), []);
}

#[tokio::test]
async fn our_refunds_are_told_from_those_of_others_and_of_other_payments() {
    let (house, charge) = paid().await;
    let ours =
        Refund { reference: "TICKET 1".into(), invoice: NUMBER.into(), customer: customer(), amount: Cents::new(100) };
    assert!(!house.driver.gave_back(&ours).await.unwrap());
    house.driver.refund(&ours).await.unwrap();
    assert!(house.driver.gave_back(&ours).await.unwrap());
    let theirs = house.ask(Method::POST, "/v1/refunds", &[("charge", &charge), ("amount", "50")]).await;
    let payment = word(&theirs, "payment_intent");
    let found = house.driver.repayments_of(payment).await.unwrap();
    assert_eq!(found.invoice.as_deref(), Some(NUMBER));
    let seen: Vec<_> = found.all.iter().map(|it| (it.amount.get(), it.state, it.reference.as_deref())).collect();
    assert_eq!(seen, [(100, RepaymentState::Done, Some("TICKET 1")), (50, RepaymentState::Done, None)]);
    house.there.fail_refund(word(&theirs, "id"));
    let since = house.clock.now() - SignedDuration::from_hours(1);
    let all = house.driver.repayments_since(since).await.unwrap();
    assert!(all.iter().any(|it| it.id == word(&theirs, "id") && it.state == RepaymentState::Failed), "{all:?}");
    assert_eq!(house.driver.repayments_of("pi_none").await.unwrap().invoice, None);
}

#[tokio::test]
async fn what_is_handed_over_is_paid_on_its_page_or_when_asked_and_not_before() {
    let (house, charge) = paid().await;
    let payer = house.there.customers()[0]["id"].as_str().unwrap().to_owned();
    house.there.dispute(&charge, Doubt::FRAUDULENT).unwrap();
    let again = format!("{NUMBER} (2)");
    for _ in 0..2 {
        house.driver.hand_over(&bill(&again)).await.unwrap();
    }
    assert_eq!((house.there.charged_cents(&payer), house.ours().len()), (800, 2));
    let standing = house.driver.standing(customer(), &again).await.unwrap().unwrap();
    assert_eq!((standing.state, standing.name.as_deref()), (CollectionState::Open, Some(&*again)));
    assert!(house.driver.pay_page(customer(), &again).await.unwrap().is_some());
    assert_eq!(house.driver.pay_page(customer(), NUMBER).await.unwrap(), None, "the first one is paid");
    let charged = house.driver.retry(&bill(&again), 2).await.unwrap();
    assert_eq!((charged.state, house.there.charged_cents(&payer)), (CollectionState::Paid, 1600));
}

#[tokio::test]
async fn events_of_every_kind_are_fetched_in_their_order() {
    let (house, charge) = paid().await;
    let since = house.clock.now() - SignedDuration::from_hours(1);
    house.pass(60);
    let id = house.there.dispute(&charge, Doubt::FRAUDULENT).unwrap();
    house.pass(60);
    house.there.settle_dispute(&id, Turn::Won);
    house.pass(60);
    let refund = house.ask(Method::POST, "/v1/refunds", &[("charge", &charge), ("amount", "50")]).await;
    let events = house.driver.events_since(since).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.created_at));
    let of_dispute: Vec<_> = events.iter().filter(|event| event.dispute.as_deref() == Some(&*id)).collect();
    assert_eq!(of_dispute.len(), 4, "{of_dispute:?}");
    let payment = word(&refund, "payment_intent");
    let told: Vec<_> = events.iter().filter(|event| event.repaid.as_deref() == Some(payment)).collect();
    assert_eq!(told.iter().map(|event| &*event.kind).collect::<Vec<_>>().len(), 2, "{told:?}");
}
