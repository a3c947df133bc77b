use providers::ProviderError;
use providers::payments::{CollectionState, Payments as _};
use reqwest::Method;
use simulators::Fault;

use crate::harness::{DAY, House, bill, customer, instance, refusal, word};

const NUMBER: &str = "2026-000001";

async fn served() -> (House, String) {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    (house, payer)
}

#[tokio::test]
async fn a_finished_invoice_is_charged_once_and_bears_our_number() {
    let (house, payer) = served().await;
    assert_eq!(house.driver.standing(customer(), NUMBER).await.unwrap(), None);
    let first = house.driver.collect(&bill(NUMBER)).await.unwrap();
    house.pass(2 * DAY);
    let again = house.driver.collect(&bill(NUMBER)).await.unwrap();
    assert_eq!(first, again);
    assert_eq!((first.state, first.total.get(), first.paid.get()), (CollectionState::Paid, 800, 800));
    assert_eq!(house.driver.standing(customer(), NUMBER).await.unwrap(), Some(first));
    assert_eq!((house.there.charged_cents(&payer), house.ours().len()), (800, 1));
    assert_eq!(house.ours()[0]["metadata"]["spinoff_invoice"], NUMBER);
}

#[tokio::test]
async fn a_card_that_fails_is_told_with_its_reason_and_only_tried_again_when_asked() {
    let (house, payer) = served().await;
    house.there.set_card(&payer, false);
    let failed = house.driver.collect(&bill(NUMBER)).await.unwrap();
    let why = failed.failure.clone().unwrap();
    assert_eq!((failed.state, why.reason.as_str()), (CollectionState::Open, "The card was declined"));
    house.there.set_card(&payer, true);
    house.pass(30 * DAY);
    assert_eq!(house.driver.collect(&bill(NUMBER)).await.unwrap(), failed, "handing it over again charges nothing");
    assert_eq!(house.there.charged_cents(&payer), 0, "Stripe tries nothing by itself");
    house.there.set_card(&payer, false);
    let twice = house.driver.retry(&bill(NUMBER), 2).await.unwrap();
    assert_ne!(twice.failure.unwrap().id, why.id);
    let charges = house.there.creations("charge");
    house.driver.retry(&bill(NUMBER), 2).await.unwrap();
    assert_eq!(house.there.creations("charge"), charges, "the same attempt is made once");
    house.there.set_card(&payer, true);
    for _ in 0..2 {
        let paid = house.driver.retry(&bill(NUMBER), 3).await.unwrap();
        assert_eq!((paid.state, paid.failure), (CollectionState::Paid, None));
    }
    assert_eq!((house.there.charged_cents(&payer), house.ours().len()), (800, 1));
}

#[tokio::test]
async fn a_total_that_differs_when_final_is_void_and_takes_no_money() {
    let (house, payer) = served().await;
    house.there.surcharge_next(70);
    let why = refusal(house.driver.collect(&bill(NUMBER)).await);
    assert!(why.contains("870 cents in usd") && why.contains("ours are 800") && why.contains("void"), "{why}");
    assert_eq!((house.ours()[0]["status"].as_str(), house.there.charged_cents(&payer)), (Some("void"), 0));
    let standing = house.driver.standing(customer(), NUMBER).await.unwrap().unwrap();
    assert_eq!(standing.state, CollectionState::Void);
    // Within the hour too: the next one is another invoice.
    let paid = house.driver.collect(&bill(NUMBER)).await.unwrap();
    assert_eq!((paid.state, house.there.charged_cents(&payer), house.ours().len()), (CollectionState::Paid, 800, 2));
}

#[tokio::test]
async fn a_draft_that_somebody_added_to_goes_and_the_next_one_is_right() {
    let (house, payer) = served().await;
    // A refusal in the middle leaves a draft without lines.
    house.there.break_next("POST /v1/invoiceitems", 400);
    house.driver.collect(&bill(NUMBER)).await.unwrap_err();
    let id = word(&house.ours()[0], "id").to_owned();
    let item = [("customer", payer.as_str()), ("invoice", &id), ("amount", "50"), ("currency", "usd")];
    house.ask(Method::POST, "/v1/invoiceitems", &item).await;
    house.pass(3600);
    let why = refusal(house.driver.collect(&bill(NUMBER)).await);
    assert!(why.contains("850 cents in usd"), "{why}");
    assert_eq!((house.ours().len(), house.there.charged_cents(&payer)), (0, 0));
    for _ in 0..2 {
        house.driver.collect(&bill(NUMBER)).await.unwrap();
    }
    assert_eq!((house.ours().len(), house.there.charged_cents(&payer)), (1, 800));
}

#[tokio::test]
async fn what_would_be_charged_wrongly_is_refused_before_it_reaches_stripe() {
    let (house, payer) = served().await;
    let mut wrong = bill(NUMBER);
    wrong.lines.pop();
    assert!(refusal(house.driver.collect(&wrong).await).contains("do not come to 800"));
    let mut stranger = bill(NUMBER);
    stranger.customer = domain::CustomerId::new(house.clock.now(), [3; 10]);
    assert!(refusal(house.driver.collect(&stranger).await).contains("has no customer"));
    assert_eq!((house.ours().len(), house.there.charged_cents(&payer)), (0, 0));
    house.there.set_card(&payer, false);
    house.driver.collect(&bill(NUMBER)).await.unwrap();
    let mut less = bill(NUMBER);
    less.amount = domain::Cents::new(300);
    less.lines.push(providers::payments::BillLine { description: "Paid".into(), amount: domain::Cents::new(-500) });
    let why = refusal(house.driver.retry(&less, 2).await);
    assert!(why.contains("Stripe waits for 800 cents"), "{why}");
}

#[tokio::test]
async fn who_still_pays_by_a_subscription_is_not_charged_twice() {
    let (house, payer) = served().await;
    let old = house.sell("old", "500").await;
    let mark = instance(1).to_string();
    let session = [
        ("mode", "subscription"),
        ("customer", payer.as_str()),
        ("line_items[0][price]", &old),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://ai-diy.ai/done"),
        ("subscription_data[metadata][spinoff_instance]", &mark),
    ];
    let session = house.ask(Method::POST, "/v1/checkout/sessions", &session).await;
    house.there.complete(word(&session, "id")).unwrap();
    let charged = house.there.charged_cents(&payer);
    let why = refusal(house.driver.collect(&bill(NUMBER)).await);
    assert!(why.contains("charges an amount by itself") && why.contains("price to one of 0"), "{why}");
    assert_eq!((house.ours().len(), house.there.charged_cents(&payer)), (0, charged));
}

#[tokio::test]
async fn the_card_that_the_customer_chose_last_pays_and_none_is_told() {
    let (house, payer) = served().await;
    house.driver.cancel(instance(1)).await.unwrap();
    let paid = house.driver.collect(&bill(NUMBER)).await.unwrap();
    assert_eq!(paid.state, CollectionState::Paid, "the last invoice of an instance that ended");
    let bare = House::open().await;
    let mark = customer().to_string();
    bare.ask(Method::POST, "/v1/customers", &[("email", "ada@example.com"), ("metadata[spinoff_customer]", &mark)])
        .await;
    for _ in 0..2 {
        let failed = bare.driver.collect(&bill(NUMBER)).await.unwrap();
        assert_eq!(failed.failure.unwrap().reason, "there is no card to pay with");
    }
    assert_eq!(bare.ours().len(), 1);
    assert_eq!(house.there.charged_cents(&payer), 800);
}

#[tokio::test]
async fn an_invoice_is_withdrawn_unless_it_is_paid() {
    let (house, payer) = served().await;
    house.driver.withdraw(customer(), NUMBER).await.unwrap();
    house.there.set_card(&payer, false);
    house.driver.collect(&bill(NUMBER)).await.unwrap();
    for _ in 0..2 {
        house.driver.withdraw(customer(), NUMBER).await.unwrap();
        assert_eq!(house.ours()[0]["status"], "void");
    }
    house.there.set_card(&payer, true);
    house.driver.collect(&bill("2026-000002")).await.unwrap();
    let why = refusal(house.driver.withdraw(customer(), "2026-000002").await);
    assert!(why.contains("it is paid at Stripe"), "{why}");
}

#[tokio::test]
async fn a_stripe_that_is_away_is_temporary() {
    let (house, _) = served().await;
    for call in 1..=9 {
        house.served.faults.at_call(house.served.faults.calls() + call, Fault::ResetBefore);
    }
    let away = house.driver.collect(&bill(NUMBER)).await;
    assert!(matches!(&away, Err(error) if error.is_temporary()), "{away:?}");
    assert!(!matches!(away, Err(ProviderError::Declined(_))));
}
