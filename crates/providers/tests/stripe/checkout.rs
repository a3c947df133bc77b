use domain::Email;
use providers::ProviderError;
use providers::payments::{Card, CheckoutState, Collects, Payments as _, SavedCard};
use providers::resources::Resources;
use secrecy::SecretString;

use crate::harness::{DAY, House, customer, instance, order, word};

#[tokio::test]
async fn a_checkout_leads_to_a_card_that_may_be_shown() {
    let house = House::open().await;
    let first = house.driver.open_checkout(&order(1)).await.unwrap();
    assert_eq!(house.driver.open_checkout(&order(1)).await.unwrap(), first);
    assert_eq!(first.expires_at, "2026-11-26T10:00:00Z".parse().unwrap());
    assert_eq!(house.driver.checkout(instance(1)).await.unwrap(), CheckoutState::Open);
    house.there.complete(&house.session()).unwrap();
    let card = SavedCard { brand: "Visa".into(), last4: "4242".into(), expiry: "12/40".into() };
    let done = CheckoutState::Done { card: Some(card) };
    assert_eq!(house.driver.checkout(instance(1)).await.unwrap(), done);
    // Whoever opens it again is sent on, and nothing more is made.
    assert_eq!(house.driver.open_checkout(&order(1)).await.unwrap().url, "https://ai-diy.ai/done");
    assert_eq!((house.there.creations("checkout.session"), house.there.creations("customer")), (1, 1));
}

#[tokio::test]
async fn what_is_made_bears_our_marks() {
    let house = House::open().await;
    house.paid().await;
    let id = instance(1).to_string();
    let session = &house.there.checkout_sessions()[0];
    assert_eq!(session["client_reference_id"], id);
    assert_eq!(session["metadata"]["spinoff_instance"], id);
    assert_eq!(house.there.customers()[0]["metadata"]["spinoff_customer"], customer().to_string());
    let subscription = &house.there.subscriptions()[0];
    assert_eq!(subscription["metadata"]["spinoff_instance"], id);
    assert_eq!(subscription["items"]["data"][0]["price"]["id"], house.price);
}

#[tokio::test]
async fn a_price_may_be_set_by_its_id() {
    let house = House::open().await;
    let driver = house.driver_with(|settings| settings.base_price = house.price.clone());
    driver.open_checkout(&order(1)).await.unwrap();
    assert_eq!(house.there.checkout_sessions().len(), 1);
}

#[tokio::test]
async fn an_expired_checkout_is_followed_by_another() {
    let house = House::open().await;
    let first = house.driver.open_checkout(&order(1)).await.unwrap();
    house.pass(DAY + 1);
    assert_eq!(house.driver.checkout(instance(1)).await.unwrap(), CheckoutState::Expired);
    let second = house.driver.open_checkout(&order(1)).await.unwrap();
    assert_ne!(first.url, second.url);
    assert_eq!(house.driver.open_checkout(&order(1)).await.unwrap(), second);
    assert_eq!(house.driver.checkout(instance(1)).await.unwrap(), CheckoutState::Open);
    assert_eq!((house.there.creations("checkout.session"), house.there.creations("customer")), (2, 1));
}

#[tokio::test]
async fn a_closed_checkout_takes_no_card_and_closing_it_again_is_success() {
    let house = House::open().await;
    house.driver.close_checkout(instance(1)).await.unwrap();
    house.driver.open_checkout(&order(1)).await.unwrap();
    for _ in 0..2 {
        house.driver.close_checkout(instance(1)).await.unwrap();
        assert!(house.there.complete(&house.session()).is_err());
    }
    assert_eq!(house.driver.checkout(instance(1)).await.unwrap(), CheckoutState::Expired);
    // One within the same hour as the one that was closed is a new one all the same.
    house.driver.open_checkout(&order(1)).await.unwrap();
    assert_eq!(house.driver.checkout(instance(1)).await.unwrap(), CheckoutState::Open);
}

#[tokio::test]
async fn a_checkout_that_nobody_opened_is_not_found() {
    let house = House::open().await;
    let found = house.driver.checkout(instance(1)).await;
    assert!(matches!(found, Err(ProviderError::NotFound { .. })), "{found:?}");
}

#[tokio::test]
async fn a_customer_with_two_instances_is_one_customer_under_the_newest_name() {
    let house = House::open().await;
    house.driver.open_checkout(&order(1)).await.unwrap();
    for (name, email) in
        [("Ada King", "king@example.com"), ("Ada Lovelace", "ada@example.com"), ("Ada B", "b@example.com")]
    {
        let mut other = order(2);
        other.name = name.into();
        other.email = Email::parse(email).unwrap();
        house.driver.open_checkout(&other).await.unwrap();
        house.customer();
        let there = &house.there.customers()[0];
        assert_eq!((word(there, "name"), word(there, "email")), (name, email));
    }
}

#[tokio::test]
async fn a_failure_that_stripe_remembers_is_over_in_an_hour() {
    let house = House::open().await;
    house.there.break_next("POST /v1/customers", 500);
    let failed = house.driver.open_checkout(&order(1)).await.unwrap_err();
    assert!(failed.is_temporary(), "{failed}");
    assert!(house.driver.open_checkout(&order(1)).await.unwrap_err().is_temporary());
    house.pass(3600);
    house.driver.open_checkout(&order(1)).await.unwrap();
    house.customer();
}

#[tokio::test]
async fn what_is_not_on_record_is_found_by_its_marks_when_no_key_helps_any_more() {
    let house = House::open().await;
    let first = house.driver.open_checkout(&order(1)).await.unwrap();
    let records = Resources::new(house.test.db.clone(), house.clock.clone(), "stripe");
    let mut renamed = order(1);
    renamed.email = Email::parse("king@example.com").unwrap();
    for order in [&order(1), &renamed] {
        records.forget_all(instance(1)).await.unwrap();
        house.pass(2 * 3600);
        assert_eq!(house.driver.open_checkout(order).await.unwrap(), first);
    }
    assert_eq!(word(&house.there.customers()[0], "email"), "king@example.com");
    assert_eq!((house.there.creations("checkout.session"), house.there.creations("customer")), (1, 1));
}

#[tokio::test]
async fn the_portal_opens_for_a_customer_and_each_time_anew() {
    let house = House::open().await;
    let back = "https://ai-diy.ai/console";
    let unknown = house.driver.portal(customer(), back).await;
    assert!(matches!(unknown, Err(ProviderError::NotFound { .. })), "{unknown:?}");
    house.paid().await;
    let first = house.driver.portal(customer(), back).await.unwrap().unwrap();
    let second = house.driver.portal(customer(), back).await.unwrap().unwrap();
    assert_ne!(first, second);
    assert!(reqwest::get(&second).await.unwrap().text().await.unwrap().contains(back));
    // Stripe keeps the customer when the instance is gone, and so the way to the invoices.
    house.driver.cancel(instance(1)).await.unwrap();
    assert!(house.driver.portal(customer(), back).await.unwrap().is_some());
}

#[tokio::test]
async fn cards_are_never_taken_by_us() {
    let house = House::open().await;
    assert_eq!(house.driver.collects(), Collects::Checkout);
    let card =
        Card { number: SecretString::from("4242424242424242"), expiry: "12/40".into(), cvc: SecretString::from("123") };
    let problems = house.driver.accept_card(&card).unwrap_err();
    assert!(problems.number.unwrap().contains("Stripe's page"));
}
