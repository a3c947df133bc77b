//! Webhooks that go wrong as asked.

use std::collections::BTreeSet;

use simulators::stripe::Deliveries;
use world::Entropy;

use crate::receiver::Endpoint;
use crate::scene::{HOUR, Scene};

const MANY: usize = 200;

async fn after(wrong: Deliveries, seed: u64) -> (Vec<String>, Vec<String>) {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    scene.stripe.misdeliver(wrong, Entropy::seeded(seed));
    for _ in 0..MANY {
        scene.customer().await;
    }
    for _ in 0..60 {
        scene.stripe.deliver_due().await;
        scene.pass(60);
    }
    let made = scene.stripe.events().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    (made, endpoint.received())
}

#[tokio::test]
async fn chance_repeats_itself_with_its_seed() {
    let wrong = Deliveries { late: 100, twice: 100, out_of_order: 100, lost: 100 };
    let first = after(wrong, 1).await.1;
    assert_eq!(first, after(wrong, 1).await.1);
    assert_ne!(first, after(wrong, 2).await.1);
}

#[tokio::test]
async fn lost_events_never_come_and_all_others_do() {
    let (made, received) = after(Deliveries { lost: 200, ..Deliveries::default() }, 1).await;
    assert!((MANY / 10..MANY / 2).contains(&(made.len() - received.len())), "{}", received.len());
    assert!(received.is_sorted_by_key(|id| made.iter().position(|known| known == id)));
}

#[tokio::test]
async fn double_events_come_twice() {
    let (made, received) = after(Deliveries { twice: 200, ..Deliveries::default() }, 1).await;
    assert!(received.len() > made.len());
    assert_eq!(received.iter().collect::<BTreeSet<_>>(), made.iter().collect());
}

#[tokio::test]
async fn late_and_disordered_events_come_once_in_another_order() {
    for wrong in
        [Deliveries { out_of_order: 300, ..Deliveries::default() }, Deliveries { late: 300, ..Deliveries::default() }]
    {
        let (made, received) = after(wrong, 1).await;
        assert_ne!(made, received, "{wrong:?}");
        assert_eq!(received.len(), made.len());
        assert_eq!(received.iter().collect::<BTreeSet<_>>(), made.iter().collect());
    }
}

#[tokio::test]
async fn one_event_can_be_lost_and_one_doubled() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["*"]).await;
    scene.stripe.drop_next("checkout.session.completed");
    scene.stripe.duplicate_next("customer.subscription.created");
    let offer = scene.offer().await;
    scene.subscribed(&offer, &[]).await;
    scene.subscribed(&offer, &[]).await;
    scene.stripe.deliver_due().await;
    let count = |kind: &str| endpoint.kinds().iter().filter(|seen| *seen == kind).count();
    assert_eq!(count("checkout.session.completed"), 1);
    assert_eq!(count("customer.subscription.created"), 3);
    // The sweep finds what was lost.
    let swept = scene.ids("/v1/events", &[("types[]", "checkout.session.completed")]).await;
    assert_eq!(swept.len(), 2);
}

#[tokio::test]
async fn deliveries_go_well_again_when_told_to() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    scene.stripe.misdeliver(Deliveries { lost: 1000, ..Deliveries::default() }, Entropy::seeded(1));
    scene.customer().await;
    scene.stripe.deliver_well();
    scene.customer().await;
    scene.pass(HOUR);
    scene.stripe.deliver_due().await;
    assert_eq!(endpoint.letters().len(), 1);
}

#[tokio::test]
async fn in_real_time_events_are_delivered_by_themselves() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    let _work = scene.stripe.deliver_always(std::time::Duration::from_millis(5));
    scene.customer().await;
    crate::scene::until(|| !endpoint.letters().is_empty()).await;
}
