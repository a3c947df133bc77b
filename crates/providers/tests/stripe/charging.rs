use providers::ProviderError;
use providers::payments::Payments as _;

use crate::harness::{DAY, House, customer, instance, order, refusal};

#[tokio::test]
async fn a_subscription_stands_for_an_instance_that_works_and_charges_nothing() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.pass(DAY);
    for _ in 0..2 {
        house.driver.subscribe(customer(), instance(1)).await.unwrap();
    }
    house.pass(2 * DAY);
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(house.served.journal.count("POST /v1/subscriptions/{id}"), 1);
    let held = &house.there.live_subscriptions()[0];
    assert_eq!((&held["status"], &held["metadata"]["spinoff_works"]), (&"active".into(), &"yes".into()));
    house.there.set_card(&payer, false);
    house.pass(70 * DAY);
    assert_eq!(house.there.charged_cents(&payer), 0);
    assert_eq!(house.there.live_subscriptions()[0]["status"], "active");
}

#[tokio::test]
async fn a_hold_that_ran_out_charges_nothing_and_the_instance_may_still_begin() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.pass(4 * DAY);
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(house.there.charged_cents(&payer), 0);
}

#[tokio::test]
async fn no_checkout_is_opened_at_a_price_that_would_charge_by_itself() {
    let house = House::open().await;
    house.sell("old", "500").await;
    let driver = house.driver_with(|settings| settings.base_price = "old".into());
    let why = refusal(driver.open_checkout(&order(1)).await);
    assert!(why.contains("charges 500 in usd") && why.contains("run `spinoff setup stripe`"), "{why}");
    assert_eq!(house.there.creations("checkout.session"), 0);
}

#[tokio::test]
async fn without_a_completed_checkout_there_is_nothing_to_subscribe() {
    let house = House::open().await;
    let none = house.driver.subscribe(customer(), instance(1)).await;
    assert!(matches!(none, Err(ProviderError::NotFound { .. })), "{none:?}");
    house.driver.open_checkout(&order(1)).await.unwrap();
    let none = house.driver.subscribe(customer(), instance(1)).await;
    assert!(matches!(none, Err(ProviderError::NotFound { .. })), "{none:?}");
}

#[tokio::test]
async fn a_subscription_that_somebody_ended_at_stripe_is_not_begun_again() {
    let house = House::open().await;
    let payer = house.paid().await;
    let id = house.there.subscriptions()[0]["id"].as_str().unwrap().to_owned();
    house.ask(reqwest::Method::DELETE, &format!("/v1/subscriptions/{id}"), &[]).await;
    let why = refusal(house.driver.subscribe(customer(), instance(1)).await);
    assert!(why.contains("is canceled") && why.contains("sign up again"), "{why}");
    assert_eq!(house.there.charged_cents(&payer), 0);
}

#[tokio::test]
async fn a_subscription_is_found_by_its_mark_when_our_record_is_lost() {
    let house = House::open().await;
    let payer = house.paid().await;
    let records = providers::resources::Resources::new(house.test.db.clone(), house.clock.clone(), "stripe");
    records.forget_all(instance(1)).await.unwrap();
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(house.there.charged_cents(&payer), 0);
    assert_eq!(house.there.live_subscriptions()[0]["status"], "active");
}
