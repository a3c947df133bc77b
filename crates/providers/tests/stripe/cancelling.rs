use providers::Removed;
use providers::payments::Payments as _;
use providers::resources::Resources;

use crate::harness::{DAY, House, customer, instance, order};

#[tokio::test]
async fn an_instance_that_never_worked_is_charged_nothing() {
    let house = House::open().await;
    let payer = house.paid().await;
    let removed = house.driver.cancel(instance(1)).await.unwrap();
    let id = house.there.subscriptions()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(removed, [Removed::new("subscription", id)]);
    assert_eq!(house.driver.cancel(instance(1)).await.unwrap(), []);
    house.pass(60 * DAY);
    assert_eq!((house.there.charged_cents(&payer), house.there.live_subscriptions().len()), (0, 0));
}

#[tokio::test]
async fn an_instance_that_worked_ends_without_a_charge_and_its_customer_stays() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    house.pass(5 * DAY);
    assert_eq!(house.driver.cancel(instance(1)).await.unwrap().len(), 1);
    assert_eq!(house.driver.cancel(instance(1)).await.unwrap(), []);
    house.pass(60 * DAY);
    assert_eq!((house.there.charged_cents(&payer), house.there.live_subscriptions().len()), (0, 0));
    assert_eq!(house.customer(), payer);
}

#[tokio::test]
async fn cancelling_closes_an_open_checkout_and_leaves_other_instances_alone() {
    let house = House::open().await;
    house.paid().await;
    house.driver.open_checkout(&order(2)).await.unwrap();
    assert_eq!(house.driver.cancel(instance(2)).await.unwrap(), []);
    assert!(house.there.complete(&house.session()).is_err());
    assert_eq!(house.there.live_subscriptions().len(), 1);
}

#[tokio::test]
async fn what_is_not_on_record_is_found_by_its_mark_and_ended() {
    let house = House::open().await;
    house.paid().await;
    house.driver.open_checkout(&order(2)).await.unwrap();
    let records = Resources::new(house.test.db.clone(), house.clock.clone(), "stripe");
    for number in [1, 2] {
        records.forget_all(instance(number)).await.unwrap();
        house.driver.cancel(instance(number)).await.unwrap();
    }
    assert_eq!(house.there.live_subscriptions().len(), 0);
    assert!(house.there.complete(&house.session()).is_err());
}

#[tokio::test]
async fn one_that_ended_begins_again_without_a_page_or_a_charge_as_often_as_it_is_wanted() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    house.driver.subscribe_again(customer(), instance(1)).await.unwrap();
    assert_eq!(house.there.subscriptions().len(), 1, "it runs");
    for times in 2..4 {
        assert_eq!(house.driver.cancel(instance(1)).await.unwrap().len(), 1);
        assert_eq!(house.there.live_subscriptions().len(), 0);
        for _ in 0..2 {
            house.driver.subscribe_again(customer(), instance(1)).await.unwrap();
        }
        assert_eq!((house.there.subscriptions().len(), house.there.live_subscriptions().len()), (times, 1));
        house.driver.subscribe(customer(), instance(1)).await.unwrap();
    }
    house.pass(60 * DAY);
    assert_eq!((house.there.charged_cents(&payer), house.there.live_subscriptions().len()), (0, 1));
    let listed = house.driver.inventory().await.unwrap();
    assert!(listed.iter().any(|item| item.instance == Some(instance(1)) && item.drift.is_none()), "{listed:?}");
    assert_eq!(house.driver.cancel(instance(1)).await.unwrap().len(), 1);
}
