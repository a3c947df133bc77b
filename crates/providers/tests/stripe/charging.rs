use providers::ProviderError;
use providers::payments::Payments as _;
use serde_json::Value;

use crate::harness::{DAY, House, customer, instance, order, refusal};

/// When the trial of the one subscription ends, in days from its start.
fn trial_days(house: &House) -> i64 {
    let held: &Value = &house.there.subscriptions()[0];
    (held["trial_end"].as_i64().unwrap() - held["trial_start"].as_i64().unwrap()) / DAY
}

#[tokio::test]
async fn nothing_is_charged_before_the_instance_works_and_then_exactly_once() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.pass(DAY);
    assert_eq!(house.there.charged_cents(&payer), 0);
    for _ in 0..2 {
        house.driver.subscribe(customer(), instance(1)).await.unwrap();
        assert_eq!(house.there.charged_cents(&payer), 500);
    }
    // The key is another one now, and the look before keeps it from being charged twice.
    house.pass(2 * DAY);
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(house.there.charged_cents(&payer), 500);
    assert_eq!(house.served.journal.count("POST /v1/subscriptions/{id}"), 1);
    assert_eq!(house.there.live_subscriptions()[0]["status"], "active");
}

#[tokio::test]
async fn a_configured_trial_runs_its_time_after_the_checkout() {
    for (days, hold, left) in [(14, 14, 14), (2, 3, 2)] {
        let house = House::open_with(|settings| settings.trial_days = Some(days)).await;
        let payer = house.paid().await;
        assert_eq!(trial_days(&house), hold);
        house.pass(3600);
        for _ in 0..2 {
            house.driver.subscribe(customer(), instance(1)).await.unwrap();
            assert_eq!((trial_days(&house), house.there.charged_cents(&payer)), (left, 0));
        }
        house.pass(left * DAY - 3600 - 60);
        assert_eq!(house.there.charged_cents(&payer), 0);
        // Stripe takes an hour from the draft to the charge.
        house.pass(60);
        house.pass(2 * 3600);
        assert_eq!(house.there.charged_cents(&payer), 500);
    }
}

#[tokio::test]
async fn a_trial_that_was_over_before_the_instance_worked_ends_at_once() {
    let house = House::open_with(|settings| settings.trial_days = Some(1)).await;
    let payer = house.paid().await;
    house.pass(2 * DAY);
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(house.there.charged_cents(&payer), 500);
}

#[tokio::test]
async fn a_declined_card_is_told_until_another_one_pays() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.there.set_card(&payer, false);
    for _ in 0..2 {
        let declined = house.driver.subscribe(customer(), instance(1)).await;
        assert!(matches!(declined, Err(ProviderError::Declined(_))), "{declined:?}");
    }
    house.there.set_card(&payer, true);
    house.pass(4 * DAY);
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(house.there.charged_cents(&payer), 500);
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
    assert_eq!(house.there.charged_cents(&payer), 500);
}
