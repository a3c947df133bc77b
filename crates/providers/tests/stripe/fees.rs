use domain::{Cents, CustomerId};
use jiff::Timestamp;
use providers::costs::Fee;
use providers::payments::{Payments as _, Refund};
use reqwest::Method;

use crate::harness::{DAY, House, bill, customer, instance};

const NUMBER: &str = "2026-000001";

async fn fees(house: &House) -> Vec<(String, i64, Option<CustomerId>)> {
    let since: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let all = house.driver.fees_since(since).await.unwrap();
    assert!(all.iter().all(|fee| fee.currency == "usd"), "{all:?}");
    all.into_iter().map(|Fee { kind, amount, customer, .. }| (kind, amount.get(), customer)).collect()
}

#[tokio::test]
async fn what_was_kept_of_a_charge_is_its_customers_and_reading_it_twice_says_the_same() {
    let house = House::open().await;
    house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    assert_eq!(fees(&house).await, []);
    house.driver.collect(&bill(NUMBER)).await.unwrap();
    // 2.9 % of 800 and 30 more.
    let wanted = [("charge".to_owned(), 53, Some(customer()))];
    assert_eq!(fees(&house).await, wanted);
    house.pass(DAY);
    let refund = Refund {
        reference: "one".to_owned(),
        invoice: NUMBER.to_owned(),
        customer: customer(),
        amount: Cents::new(300),
    };
    house.driver.refund(&refund).await.unwrap();
    assert_eq!(fees(&house).await, wanted, "a refund costs nothing, and gives no fee back");
    assert_eq!(house.driver.fees_since(house.clock.now()).await.unwrap(), [], "only what is new");
}

#[tokio::test]
async fn a_customer_of_whom_nothing_is_on_record_is_known_by_our_mark_at_stripe() {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    house.driver.collect(&bill(NUMBER)).await.unwrap();
    house.driver.cancel(instance(1)).await.unwrap();
    store::sqlx::query("delete from provider_resources").execute(house.test.db.read()).await.unwrap();
    assert_eq!(fees(&house).await[0].2, Some(customer()));
    // Somebody's whom the operator bills by hand, beside us.
    house.ask(Method::POST, &format!("/v1/customers/{payer}"), &[("metadata[spinoff_customer]", "")]).await;
    let unmarked = fees(&house).await;
    assert_eq!((unmarked.len(), unmarked[0].1), (1, 53));
}
