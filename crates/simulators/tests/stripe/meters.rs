use simulators::stripe::Settings;

use crate::scene::{DAY, HOUR, Scene, id};

#[tokio::test]
async fn an_identifier_counts_once_a_day_and_is_refused_again_till_then() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    assert_eq!(scene.use_hour(&customer, "acme:21", 0).await.status, 200);
    scene.pass(DAY - 1);
    let reply = scene.use_hour(&customer, "acme:21", DAY - 1).await;
    assert_eq!(reply.refusal(), (400, Some("duplicate_meter_event"), Some("identifier")));
    assert_eq!(reply.header("stripe-should-retry"), Some("false"));
    scene.pass(1);
    assert_eq!(scene.use_hour(&customer, "acme:21", DAY).await.status, 200, "after a day it counts twice");
    scene.pass(HOUR);
    assert_eq!(total(&scene, &offer.meter, &customer, &[]).await, [2]);
}

#[tokio::test]
async fn an_event_is_too_old_after_35_days_and_too_early_before_5_minutes() {
    let scene = Scene::new().await;
    scene.offer().await;
    let customer = scene.customer().await;
    for (number, (ago, wanted)) in [
        (35 * DAY, None),
        (35 * DAY + 1, Some("timestamp_too_far_in_past")),
        (-300, None),
        (-301, Some("timestamp_in_future")),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = scene.use_hour(&customer, &number.to_string(), ago).await;
        assert_eq!(reply.json["error"]["code"].as_str(), wanted, "{ago}");
    }
    assert_eq!(scene.use_hour(&customer, &"x".repeat(101), 0).await.refusal(), (400, None, Some("identifier")));
}

#[tokio::test]
async fn an_event_counts_a_while_after_it_was_taken() {
    let lag = std::time::Duration::from_secs(120);
    let scene = Scene::with(Settings { counting_takes: lag, ..Settings::default() }).await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    scene.use_hour(&customer, "a", 60).await;
    scene.pass(60);
    assert_eq!(total(&scene, &offer.meter, &customer, &[]).await, [0]);
    scene.pass(60);
    assert_eq!(total(&scene, &offer.meter, &customer, &[]).await, [1]);
}

#[tokio::test]
async fn summaries_are_by_hour_or_by_day_newest_first() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    scene.pass(DAY);
    for (identifier, ago) in [("a", 0), ("b", HOUR), ("c", HOUR + 1), ("d", 13 * HOUR)] {
        scene.use_hour(&customer, identifier, ago).await;
    }
    scene.pass(HOUR);
    let hourly = [("value_grouping_window", "hour")];
    assert_eq!(total(&scene, &offer.meter, &customer, &hourly).await, [1, 1, 1, 1]);
    let midnight = scene.now() - scene.now() % DAY;
    let (from, to) = ((midnight - DAY).to_string(), (midnight + DAY).to_string());
    let query = [("customer", &*customer), ("start_time", &from), ("end_time", &to), ("value_grouping_window", "day")];
    let path = format!("/v1/billing/meters/{}/event_summaries", offer.meter);
    let days = scene.get(&path, &query).await;
    let days = days["data"].as_array().unwrap().iter().map(|day| day["aggregated_value"].as_i64().unwrap());
    assert_eq!(days.collect::<Vec<_>>(), [3, 1]);
    let odd = (midnight + 1).to_string();
    let query = [("customer", &*customer), ("start_time", &odd), ("end_time", &to)];
    assert_eq!(scene.try_get(&path, &query).await.refusal(), (400, None, Some("start_time")));
}

#[tokio::test]
async fn an_event_is_taken_back_within_a_day() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    scene.use_hour(&customer, "a", 60).await;
    let form = [("event_name", "hours"), ("type", "cancel"), ("cancel[identifier]", "a")];
    scene.post("/v1/billing/meter_event_adjustments", &form).await;
    assert_eq!(scene.try_post("/v1/billing/meter_event_adjustments", &form).await.status, 400);
    scene.pass(HOUR);
    assert_eq!(total(&scene, &offer.meter, &customer, &[]).await, [0]);
}

#[tokio::test]
async fn what_cannot_be_counted_is_taken_and_told_later() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    assert_eq!(scene.use_hour("cus_none", "nobody", 0).await.status, 200);
    let customer = scene.customer().await;
    let event = [("event_name", "minutes"), ("identifier", "other"), ("payload[stripe_customer_id]", &*customer)];
    scene.post("/v1/billing/meter_events", &event).await;
    scene.post(&format!("/v1/billing/meters/{}/deactivate", offer.meter), &[]).await;
    scene.use_hour(&customer, "late", 0).await;
    scene.post(&format!("/v1/billing/meters/{}/reactivate", offer.meter), &[]).await;
    let wanted = [("nobody", "meter_event_customer_not_found"), ("other", "no_meter"), ("late", "archived_meter")];
    assert_eq!(scene.stripe.faulty_usage(), wanted.map(|(name, code)| (name.to_owned(), code)));
}

#[tokio::test]
async fn only_the_name_of_a_meter_changes_and_its_event_has_one_meter() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let path = format!("/v1/billing/meters/{}", offer.meter);
    assert_eq!(scene.post(&path, &[("display_name", "h")]).await["display_name"], "h");
    let reply = scene.try_post(&path, &[("event_name", "x")]).await;
    assert_eq!(reply.refusal(), (400, Some("parameter_unknown"), Some("event_name")));
    let form = [("display_name", "x"), ("event_name", "hours"), ("default_aggregation[formula]", "count")];
    assert_eq!(scene.try_post("/v1/billing/meters", &form).await.refusal(), (400, None, Some("event_name")));
    assert_eq!(scene.ids("/v1/billing/meters", &[("status", "active")]).await, [id(&scene.get(&path, &[]).await)]);
}

/// The values of the last day's summaries.
async fn total(scene: &Scene, meter: &str, customer: &str, more: &[(&str, &str)]) -> Vec<i64> {
    let hour = scene.now() - scene.now() % HOUR;
    let (from, to) = ((hour - 2 * DAY).to_string(), (hour + HOUR).to_string());
    let mut query = vec![("customer", customer), ("start_time", &*from), ("end_time", &*to)];
    query.extend_from_slice(more);
    let list = scene.get(&format!("/v1/billing/meters/{meter}/event_summaries"), &query).await;
    list["data"].as_array().unwrap().iter().map(|one| one["aggregated_value"].as_i64().unwrap()).collect()
}
