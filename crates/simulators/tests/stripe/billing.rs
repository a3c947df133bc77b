//! Periods, trials and cancellations, as time passes.

use jiff::Timestamp;
use serde_json::Value;

use crate::scene::{DAY, HOUR, Offer, Scene, id};

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// Line by line what an invoice comes to.
fn amounts(invoice: &Value) -> Vec<i64> {
    invoice["lines"]["data"].as_array().unwrap().iter().map(|line| line["amount"].as_i64().unwrap()).collect()
}

async fn newest_invoice(scene: &Scene, subscription: &str) -> Value {
    scene.get("/v1/invoices", &[("subscription", subscription), ("limit", "1")]).await["data"][0].clone()
}

async fn started() -> (Scene, Offer, String, String) {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, subscription) = scene.subscribed(&offer, &[]).await;
    (scene, offer, customer, subscription)
}

#[tokio::test]
async fn a_new_period_bills_its_fee_and_the_hours_of_the_old_one_after_an_hour_of_grace() {
    let (scene, _, customer, subscription) = started().await;
    let item = scene.subscription(&subscription).await["items"]["data"][0].clone();
    assert_eq!(item["current_period_end"], at("2026-04-10T12:00:00Z"));
    let item = scene.get(&format!("/v1/subscription_items/{}", id(&item)), &[]).await;
    assert_eq!(item["current_period_start"], scene.now());
    scene.pass(30 * DAY);
    for hour in 0..3 {
        assert_eq!(scene.use_hour(&customer, &format!("h{hour}"), hour * HOUR).await.status, 200);
    }
    scene.pass(DAY);
    let draft = newest_invoice(&scene, &subscription).await;
    assert_eq!((&draft["status"], &draft["billing_reason"]), (&"draft".into(), &"subscription_cycle".into()));
    assert_eq!(amounts(&draft), [300, 500]);
    assert_eq!(draft["automatically_finalizes_at"], scene.now() + HOUR);
    // An hour that was used in the old period and is told of in the hour of grace still counts.
    scene.pass(HOUR / 2);
    assert_eq!(scene.use_hour(&customer, "late", HOUR).await.status, 200);
    assert_eq!(scene.use_hour(&customer, "next", 0).await.status, 200);
    scene.pass(HOUR / 2);
    let paid = newest_invoice(&scene, &subscription).await;
    assert_eq!((&paid["status"], amounts(&paid)), (&"paid".into(), vec![400, 500]));
    assert!(paid["number"].as_str().unwrap().ends_with("-0002"));
    assert_eq!(scene.stripe.charged_cents(&customer), 500 + 900);
    let period = scene.subscription(&subscription).await["items"]["data"][0]["current_period_end"].clone();
    assert_eq!(period, at("2026-05-10T12:00:00Z"));
}

#[tokio::test]
async fn a_long_time_at_once_is_the_same_as_many_short_ones() {
    let run = async |steps: i64| {
        let (scene, _, customer, subscription) = started().await;
        for _ in 0..steps {
            scene.pass(120 * DAY / steps);
        }
        let list = scene.get("/v1/invoices", &[("subscription", &*subscription)]).await;
        let list = list["data"].as_array().unwrap().iter();
        let seen: Vec<Value> =
            list.map(|one| serde_json::json!([one["created"], one["status_transitions"], one["total"]])).collect();
        (seen, scene.stripe.charged_cents(&customer), scene.kinds())
    };
    let once = run(1).await;
    assert_eq!(once.1, 500 * 4);
    assert_eq!(once, run(240).await);
}

#[tokio::test]
async fn the_end_of_a_trial_is_announced_and_then_billed() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, subscription) = scene.subscribed(&offer, &[("subscription_data[trial_period_days]", "14")]).await;
    let announced =
        |scene: &Scene| scene.kinds().iter().filter(|kind| *kind == "customer.subscription.trial_will_end").count();
    scene.use_hour(&customer, "in trial", 0).await;
    scene.pass(11 * DAY - 1);
    assert_eq!(announced(&scene), 0);
    scene.pass(1);
    assert_eq!(announced(&scene), 1);
    scene.pass(3 * DAY);
    let draft = newest_invoice(&scene, &subscription).await;
    assert_eq!((&draft["status"], amounts(&draft)), (&"draft".into(), vec![500]));
    scene.pass(HOUR);
    assert_eq!(scene.subscription(&subscription).await["status"], "active");
    assert_eq!(scene.stripe.charged_cents(&customer), 500);
}

#[tokio::test]
async fn a_trial_without_a_card_ends_as_was_agreed() {
    for (agreed, wanted) in [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")] {
        let scene = Scene::new().await;
        let offer = scene.offer().await;
        let customer = scene.customer().await;
        let form = [
            ("subscription_data[trial_period_days]", "14"),
            ("payment_method_collection", "if_required"),
            ("subscription_data[trial_settings][end_behavior][missing_payment_method]", agreed),
        ];
        let session = id(&scene.checkout(&offer, &customer, &form).await);
        scene.stripe.complete_with(&session, simulators::stripe::Card::None).unwrap();
        scene.pass(14 * DAY + HOUR);
        assert_eq!(scene.stripe.subscriptions()[0]["status"], wanted, "{agreed}");
        assert_eq!(scene.stripe.charged_cents(&customer), 0);
    }
}

#[tokio::test]
async fn a_trial_can_be_ended_now_or_made_longer() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let trial = [("subscription_data[trial_period_days]", "14")];
    let (customer, subscription) = scene.subscribed(&offer, &trial).await;
    let path = format!("/v1/subscriptions/{subscription}");
    let later = (scene.now() + 20 * DAY).to_string();
    assert_eq!(scene.post(&path, &[("trial_end", &later)]).await["trial_end"].to_string(), later);
    scene.pass(15 * DAY);
    assert_eq!(scene.subscription(&subscription).await["status"], "trialing");
    let reply = scene.try_post(&path, &[("trial_end", "1")]).await;
    assert_eq!(reply.refusal(), (400, None, Some("trial_end")));
    let now = scene.post(&path, &[("trial_end", "now")]).await;
    assert_eq!((&now["status"], &now["trial_end"]), (&"active".into(), &scene.now().into()));
    assert_eq!(scene.stripe.charged_cents(&customer), 500);
    scene.pass(10 * DAY);
    assert_eq!(scene.stripe.charged_cents(&customer), 500, "the old end of the trial means nothing any more");
}

#[tokio::test]
async fn ending_at_once_loses_what_was_used_unless_it_is_billed_now() {
    for (query, wanted) in [(&[][..], 500), (&[("invoice_now", "true")][..], 500 + 200)] {
        let (scene, _, customer, subscription) = started().await;
        scene.pass(10 * DAY);
        scene.use_hour(&customer, "a", HOUR).await;
        scene.use_hour(&customer, "b", 0).await;
        scene.pass(HOUR);
        let ended = scene.delete(&format!("/v1/subscriptions/{subscription}"), query).await;
        assert_eq!((&ended["status"], &ended["ended_at"]), (&"canceled".into(), &scene.now().into()));
        scene.pass(60 * DAY);
        assert_eq!(scene.stripe.charged_cents(&customer), wanted, "{query:?}");
        assert!(scene.stripe.live_subscriptions().is_empty());
        let again =
            scene.send(scene.request(reqwest::Method::DELETE, &format!("/v1/subscriptions/{subscription}"), &[])).await;
        assert_eq!(again.refusal(), (404, Some("resource_missing"), Some("id")));
    }
}

#[tokio::test]
async fn the_unused_half_is_given_back_where_asked_for() {
    let (scene, _, customer, subscription) = started().await;
    scene.pass(31 * DAY / 2);
    let query = [("invoice_now", "true"), ("prorate", "true")];
    scene.delete(&format!("/v1/subscriptions/{subscription}"), &query).await;
    let invoice = newest_invoice(&scene, &subscription).await;
    assert_eq!(amounts(&invoice), [0, -250]);
    assert_eq!((&invoice["total"], &invoice["amount_due"]), (&(-250).into(), &0.into()));
    assert_eq!(scene.stripe.charged_cents(&customer), 500);
}

#[tokio::test]
async fn ending_with_the_period_bills_the_hours_and_can_be_taken_back() {
    let (scene, _, customer, subscription) = started().await;
    let path = format!("/v1/subscriptions/{subscription}");
    let ending = scene.post(&path, &[("cancel_at_period_end", "true")]).await;
    assert_eq!(ending["cancel_at"], at("2026-04-10T12:00:00Z"));
    let kept = scene.post(&path, &[("cancel_at_period_end", "false")]).await;
    assert!(kept["cancel_at"].is_null() && kept["canceled_at"].is_null());
    scene.post(&path, &[("cancel_at_period_end", "true")]).await;
    scene.use_hour(&customer, "a", 0).await;
    scene.pass(31 * DAY);
    assert_eq!(scene.subscription(&subscription).await["status"], "canceled");
    scene.pass(40 * DAY);
    let last = newest_invoice(&scene, &subscription).await;
    assert_eq!((&last["status"], amounts(&last)), (&"paid".into(), vec![100]));
    assert_eq!(scene.stripe.charged_cents(&customer), 600);
    let reply = scene.try_post(&path, &[("cancel_at_period_end", "false")]).await;
    assert_eq!(reply.status, 400);
    scene.post(&path, &[("metadata[a]", "1")]).await;
}

#[tokio::test]
async fn subscriptions_are_found_by_customer_and_status() {
    let (scene, offer, customer, first) = started().await;
    let (_, second) = scene.subscribed(&offer, &[]).await;
    scene.delete(&format!("/v1/subscriptions/{second}"), &[]).await;
    let path = "/v1/subscriptions";
    assert_eq!(scene.ids(path, &[]).await, [&*first]);
    assert_eq!(scene.ids(path, &[("status", "all")]).await, [&*second, &first]);
    assert_eq!(scene.ids(path, &[("status", "canceled")]).await, [&*second]);
    assert_eq!(scene.ids(path, &[("status", "ended"), ("customer", &*customer)]).await, [""; 0]);
    assert_eq!(scene.ids(path, &[("customer", &*customer), ("price", &*offer.base)]).await, [&*first]);
}

#[tokio::test]
async fn deleting_a_customer_ends_what_runs() {
    let (scene, _, customer, subscription) = started().await;
    let path = format!("/v1/customers/{customer}");
    assert_eq!(scene.delete(&path, &[]).await["deleted"], true);
    assert_eq!(scene.subscription(&subscription).await["status"], "canceled");
    assert_eq!(
        scene.get(&path, &[]).await,
        serde_json::json!({ "id": customer, "object": "customer", "deleted": true })
    );
    assert!(scene.ids("/v1/customers", &[]).await.is_empty());
}

#[tokio::test]
async fn only_what_is_free_begins_without_a_checkout() {
    let (scene, offer, customer, _) = started().await;
    for (form, param) in [
        (vec![("customer", &*customer), ("items[0][price]", &*offer.base)], "items"),
        (vec![("customer", &*customer)], "items"),
        (vec![("customer", "cus_nobody"), ("items[0][price]", &*offer.base)], "customer"),
    ] {
        let reply = scene.try_post("/v1/subscriptions", &form).await;
        assert_eq!((reply.status, reply.refusal().2), (400, Some(param)), "{form:?}");
    }
    assert_eq!(scene.stripe.live_subscriptions().len(), 1);
}
