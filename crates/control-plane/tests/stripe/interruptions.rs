use simulators::Fault;
use workflow::{Faults, Moment};

use crate::city::{City, FORM};

/// More calls than a signup makes; those beyond its end change nothing.
const CALLS: u64 = 20;

async fn made_once(city: &City, when: &str) {
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    let made = ["customer", "checkout.session", "subscription"].map(|kind| city.stripe.creations(kind));
    assert_eq!(made, [1, 1, 1], "{when}");
    assert_eq!((city.charged(), city.host.times_created("ai-diy-acme")), (0, 1), "{when}");
    let making = city.count("select count(*) from workflows where kind = 'provision.v1'").await;
    assert_eq!(making, 1, "{when}");
}

#[tokio::test]
async fn each_call_may_fail_before_or_after_its_effect_and_one_of_each_thing_is_made() {
    let mut reached = 0;
    for number in 1..=CALLS {
        for fault in [Fault::ResetBefore, Fault::ResetAfter] {
            let city = City::open().await;
            let first = city.served.faults.calls();
            // Three in a row, since what is safe to ask again is asked again at once.
            for next in 0..3 {
                city.served.faults.at_call(first + number + next, fault);
            }
            made_once(&city, &format!("{fault:?} at call {number}")).await;
            reached += u64::from(city.served.faults.calls() - first >= number);
            city.close().await;
        }
    }
    assert!((16..2 * CALLS).contains(&reached), "{reached} calls were broken");
}

#[tokio::test]
async fn a_process_may_die_at_each_step_of_an_order_and_the_next_one_goes_on() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let seen = std::sync::Mutex::new(std::collections::HashSet::new());
        let faults = Faults::by(move |point| {
            let first = point.moment == Moment::After && seen.lock().unwrap().insert(point.clone());
            first.then_some(workflow::Fault::Temporary)
        });
        let city = City::open_with(engine, faults).await;
        made_once(&city, "with every step done twice").await;
        city.close().await;
    }
}

#[tokio::test]
async fn an_order_may_be_closed_twice_at_each_step() {
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let faults = Faults::by(move |point| {
        let first = point.moment == Moment::After && seen.lock().unwrap().insert(point.clone());
        first.then_some(workflow::Fault::Temporary)
    });
    let city = City::open_with(store::Engine::Sqlite, faults).await;
    let order = city.sign_up(&FORM).await;
    city.session(&order).await;
    city.post(&format!("/signup/{order}/cancel"), None, &[]).await;
    city.failed().await;
    assert_eq!(city.count("select count(*) from audit_events where action = 'order.cancelled'").await, 1);
    assert_eq!(city.mails_to("ada@example.com").await.len(), 1);
    city.close().await;
}
