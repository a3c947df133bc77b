use providers::Removed;
use providers::payments::{Ending, Payments as _};
use providers::resources::Resources;

use crate::harness::{DAY, House, customer, instance, order};

#[tokio::test]
async fn an_instance_that_never_worked_is_charged_nothing() {
    let house = House::open().await;
    let payer = house.paid().await;
    let removed = house.driver.cancel(instance(1), Ending::NotWanted).await.unwrap();
    let id = house.there.subscriptions()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(removed, [Removed::new("subscription", id)]);
    assert_eq!(house.driver.cancel(instance(1), Ending::NotWanted).await.unwrap(), []);
    house.pass(60 * DAY);
    assert_eq!((house.there.charged_cents(&payer), house.there.live_subscriptions().len()), (0, 0));
}

#[tokio::test]
async fn what_was_charged_when_the_hold_ran_out_is_given_back_once() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.pass(3 * DAY);
    house.pass(3 * 3600);
    assert_eq!((house.there.charged_cents(&payer), house.there.refunded_cents(&payer)), (500, 0));
    for _ in 0..2 {
        house.driver.cancel(instance(1), Ending::NotWanted).await.unwrap();
        assert_eq!(house.there.refunded_cents(&payer), 500);
    }
    assert_eq!(house.there.live_subscriptions().len(), 0);
}

#[tokio::test]
async fn an_instance_that_was_given_up_just_after_the_charge_gets_it_back_once() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    house.pass(3600 * 2);
    assert_eq!((house.there.charged_cents(&payer), house.there.refunded_cents(&payer)), (500, 0));
    for _ in 0..2 {
        house.driver.cancel(instance(1), Ending::NeverWorked).await.unwrap();
        assert_eq!(house.there.refunded_cents(&payer), 500);
    }
    house.pass(60 * DAY);
    assert_eq!((house.there.charged_cents(&payer), house.there.live_subscriptions().len()), (500, 0));
}

#[tokio::test]
async fn a_draft_from_the_hour_before_the_charge_is_never_collected() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.pass(3 * DAY);
    house.pass(60);
    house.driver.cancel(instance(1), Ending::NotWanted).await.unwrap();
    house.pass(30 * DAY);
    assert_eq!(house.there.charged_cents(&payer), 0);
    let owed = house.there.invoices().into_iter().filter(|invoice| invoice["status"] == "open").count();
    assert_eq!(owed, 0);
}

#[tokio::test]
async fn an_instance_that_worked_pays_for_what_it_had() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    house.pass(5 * DAY);
    assert_eq!(house.driver.cancel(instance(1), Ending::NotWanted).await.unwrap().len(), 1);
    assert_eq!(house.driver.cancel(instance(1), Ending::NotWanted).await.unwrap(), []);
    house.pass(60 * DAY);
    assert_eq!((house.there.charged_cents(&payer), house.there.refunded_cents(&payer)), (500, 0));
}

#[tokio::test]
async fn cancelling_closes_an_open_checkout_and_leaves_other_instances_alone() {
    let house = House::open().await;
    house.paid().await;
    house.driver.open_checkout(&order(2)).await.unwrap();
    assert_eq!(house.driver.cancel(instance(2), Ending::NotWanted).await.unwrap(), []);
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
        house.driver.cancel(instance(number), Ending::NotWanted).await.unwrap();
    }
    assert_eq!(house.there.live_subscriptions().len(), 0);
    assert!(house.there.complete(&house.session()).is_err());
}
