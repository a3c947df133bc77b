use providers::ProviderError;
use providers::payments::{CollectionState, Payments as _};
use simulators::Fault;

use crate::harness::{House, bill, customer, instance, order};

/// More calls than the whole way takes; each is lost in turn.
const CALLS: u64 = 24;

/// Asks again until it is done, as a workflow does.
async fn until<T>(work: impl AsyncFn() -> Result<T, ProviderError>) -> T {
    for _ in 0..10 {
        match work().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
    }
    panic!("it was never done");
}

/// From the checkout to the subscription, with every answer from the call `number` on lost `times` times.
/// Says whether there was such a call.
async fn paid_in_the_end(number: u64, times: u64, fault: Fault) -> bool {
    let house = House::open().await;
    let first = house.served.faults.calls();
    for next in 0..times {
        house.served.faults.at_call(first + number + next, fault);
    }
    until(async || house.driver.open_checkout(&order(1)).await).await;
    house.there.complete(&house.session()).unwrap();
    until(async || house.driver.checkout(instance(1)).await).await;
    until(async || house.driver.subscribe(customer(), instance(1)).await).await;
    let made = ["customer", "checkout.session", "subscription"].map(|kind| house.there.creations(kind));
    assert_eq!(made, [1, 1, 1], "{fault:?} at call {number}");
    assert_eq!(house.there.live_subscriptions()[0]["status"], "active", "{fault:?} at call {number}");
    let reached = house.served.faults.calls() - first >= number;
    until(async || house.driver.cancel(instance(1)).await).await;
    assert_eq!(house.there.live_subscriptions().len(), 0, "{fault:?} at call {number}");
    reached
}

#[tokio::test]
async fn an_answer_lost_anywhere_makes_nothing_twice() {
    for fault in [Fault::ResetAfter, Fault::ResetBefore] {
        for times in [1, 3] {
            let mut reached = 0;
            for number in 1..=CALLS {
                reached += u64::from(paid_in_the_end(number, times, fault).await);
            }
            assert!((8..CALLS).contains(&reached), "{reached} calls were lost");
        }
    }
}

/// An invoice is handed over and charged, with every answer from the call `number` on lost `times` times. Says whether
/// there was such a call.
async fn collected_in_the_end(number: u64, times: u64, fault: Fault) -> bool {
    let house = House::open().await;
    let payer = house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    let first = house.served.faults.calls();
    for next in 0..times {
        house.served.faults.at_call(first + number + next, fault);
    }
    let standing = until(async || house.driver.collect(&bill("2026-000001")).await).await;
    assert_eq!((standing.state, standing.paid.get()), (CollectionState::Paid, 800), "{fault:?} at call {number}");
    let reached = house.served.faults.calls() - first >= number;
    until(async || house.driver.collect(&bill("2026-000001")).await).await;
    let ours = house.ours();
    assert_eq!(ours.len(), 1, "{fault:?} at call {number}");
    assert_eq!((&ours[0]["total"], ours[0]["lines"]["data"].as_array().unwrap().len()), (&800.into(), 3));
    assert_eq!(house.there.charged_cents(&payer), 800, "{fault:?} at call {number}");
    reached
}

#[tokio::test]
async fn an_answer_lost_while_collecting_leaves_one_invoice_with_the_right_total_charged_once() {
    for fault in [Fault::ResetAfter, Fault::ResetBefore] {
        for times in [1, 3] {
            let mut reached = 0;
            for number in 1..=CALLS {
                reached += u64::from(collected_in_the_end(number, times, fault).await);
            }
            assert!((10..CALLS).contains(&reached), "{reached} calls were lost");
        }
    }
}

#[tokio::test]
async fn two_who_open_the_same_checkout_at_once_open_one() {
    let house = House::open().await;
    let (one, other) = (order(1), order(1));
    let (one, other) = tokio::join!(
        until(async || house.driver.open_checkout(&one).await),
        until(async || house.driver.open_checkout(&other).await)
    );
    assert_eq!(one, other);
    assert_eq!((house.there.creations("checkout.session"), house.there.creations("customer")), (1, 1));
}
