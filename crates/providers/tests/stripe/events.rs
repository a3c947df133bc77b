use std::time::Duration;

use jiff::SignedDuration;
use providers::payments::Payments as _;
use providers::payments::stripe::Stripe;
use secrecy::SecretString;

use crate::harness::{DAY, House, customer, instance, order};
use crate::postbox::Hung;

fn driver(house: &House, secrets: &[&str]) -> Stripe {
    house.driver_with(|settings| {
        settings.webhook_secrets = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    })
}

#[tokio::test]
async fn what_stripe_sends_is_genuine_and_names_the_instance() {
    let house = House::open().await;
    let hung = Hung::at(&house).await;
    house.paid().await;
    house.driver.subscribe(customer(), instance(1)).await.unwrap();
    let driver = driver(&house, &[&hung.secret]);
    let mut kinds = Vec::new();
    for (signature, body) in hung.letters(&house).await {
        let event = driver.read_event(&signature, &body, house.clock.now()).unwrap();
        assert_eq!(event.body.as_bytes(), &*body);
        let ours = ["checkout.session.completed", "customer.subscription.created", "invoice.paid"];
        if ours.contains(&&*event.kind) {
            assert_eq!(event.instance, Some(instance(1)), "{}", event.kind);
            kinds.push(event.kind);
        }
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["checkout.session.completed", "customer.subscription.created", "invoice.paid"]);
}

#[tokio::test]
async fn a_letter_kept_too_long_changed_or_signed_by_another_is_refused() {
    let house = House::open().await;
    let hung = Hung::at(&house).await;
    house.paid().await;
    let (signature, body) = hung.letters(&house).await.remove(0);
    let (driver, other) = (driver(&house, &[&hung.secret]), driver(&house, &["whsec_other"]));
    let now = house.clock.now();
    // A replay in time is read again: it is its id by which the store knows it.
    let first = driver.read_event(&signature, &body, now).unwrap();
    assert_eq!(driver.read_event(&signature, &body, now + SignedDuration::from_secs(300)), Ok(first));
    let late = driver.read_event(&signature, &body, now + SignedDuration::from_secs(301)).unwrap_err();
    assert_eq!(late.to_string(), "it was signed 301 s ago, and 300 s are allowed");
    let wrong = other.read_event(&signature, &body, now).unwrap_err();
    assert_eq!(wrong.to_string(), "the signature fits none of the webhook secrets");
    let changed = [&*body, b" "].concat();
    assert!(driver.read_event(&signature, &changed, now).is_err());
}

#[tokio::test]
async fn old_and_new_secret_both_fit_while_one_is_rolled() {
    let house = House::open().await;
    let hung = Hung::at(&house).await;
    let new = house.there.roll_secret(&hung.id, Duration::from_secs(86_400)).unwrap();
    house.paid().await;
    let (signature, body) = hung.letters(&house).await.remove(0);
    for secrets in [&[&*hung.secret][..], &[&*new], &[&*hung.secret, &*new]] {
        driver(&house, secrets).read_event(&signature, &body, house.clock.now()).unwrap();
    }
}

#[tokio::test]
async fn what_never_came_is_read_page_by_page_and_oldest_first() {
    let house = House::open().await;
    house.paid().await;
    house.pass(DAY);
    let since = house.clock.now();
    for number in 2..=60 {
        house.driver.open_checkout(&order(number)).await.unwrap();
        house.there.complete(&house.session()).unwrap();
        house.pass(1);
    }
    let before = house.served.journal.count("GET /v1/events");
    let events = house.driver.events_since(since).await.unwrap();
    assert!(house.served.journal.count("GET /v1/events") > before + 1, "one page is not enough for the test");
    assert!(events.is_sorted_by_key(|event| event.created_at));
    assert!(events.iter().all(|event| event.created_at >= since));
    let completed = events.iter().filter(|event| event.kind == "checkout.session.completed");
    let instances: Vec<_> = completed.filter_map(|event| event.instance).collect();
    assert_eq!(instances, (2..=60).map(instance).collect::<Vec<_>>());
}
