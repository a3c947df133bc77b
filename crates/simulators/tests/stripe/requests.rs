//! Forms, idempotency, limits and versions.

use reqwest::Method;
use simulators::Fault;
use simulators::stripe::Settings;

use crate::scene::{DAY, Scene, id, until};

const CUSTOMERS: &str = "/v1/customers";

#[tokio::test]
async fn unknown_and_missing_parameters_and_wrong_kinds_are_refused_in_stripes_form() {
    let scene = Scene::new().await;
    for (path, form, wanted) in [
        (CUSTOMERS, &[("colour", "red")][..], (400, Some("parameter_unknown"), Some("colour"))),
        (CUSTOMERS, &[("address[planet]", "x")], (400, Some("parameter_unknown"), Some("address[planet]"))),
        (CUSTOMERS, &[("email", "nobody")], (400, Some("email_invalid"), Some("email"))),
        ("/v1/products", &[("active", "true")], (400, Some("parameter_missing"), Some("name"))),
        ("/v1/products", &[("name", "x"), ("active", "maybe")], (400, None, Some("active"))),
        ("/v1/prices", &[("currency", "usd")], (400, Some("parameter_missing"), Some("product"))),
        ("/v1/refunds", &[("charge", "ch_none")], (400, Some("resource_missing"), Some("charge"))),
        ("/v1/customers/cus_none", &[], (404, Some("resource_missing"), Some("id"))),
        ("/v1/nothing", &[], (404, None, None)),
    ] {
        let reply = scene.try_post(path, form).await;
        assert_eq!(reply.refusal(), wanted, "{path} {form:?}");
        assert_eq!(reply.json["error"]["type"], "invalid_request_error");
        assert!(reply.header("request-id").unwrap().starts_with("req_"));
    }
    let reply = scene.try_get(CUSTOMERS, &[("limit", "101")]).await;
    assert_eq!(reply.refusal(), (400, None, Some("limit")));
    assert!(scene.stripe.customers().is_empty());
}

#[tokio::test]
async fn metadata_is_merged_name_by_name_and_an_empty_word_unsets() {
    let scene = Scene::new().await;
    let form = [("metadata[a]", "1"), ("metadata[b]", "2"), ("description", "x")];
    let path = format!("{CUSTOMERS}/{}", id(&scene.post(CUSTOMERS, &form).await));
    let changed = scene.post(&path, &[("metadata[a]", ""), ("metadata[c]", "3"), ("description", "")]).await;
    assert_eq!(changed["metadata"], serde_json::json!({ "b": "2", "c": "3" }));
    assert!(changed["description"].is_null());
    assert_eq!(scene.post(&path, &[("metadata", "")]).await["metadata"], serde_json::json!({}));
}

#[tokio::test]
async fn lists_come_newest_first_and_page_by_page() {
    let scene = Scene::new().await;
    let mut made = Vec::new();
    for number in 0..5 {
        let email = if number % 2 == 0 { "even@example.com" } else { "odd@example.com" };
        made.push(id(&scene.post(CUSTOMERS, &[("email", email)]).await));
        scene.pass(1);
    }
    made.reverse();
    let first = scene.get(CUSTOMERS, &[("limit", "2")]).await;
    assert_eq!((&first["has_more"], &first["url"]), (&true.into(), &CUSTOMERS.into()));
    assert_eq!(scene.ids(CUSTOMERS, &[("limit", "2"), ("starting_after", &made[1])]).await, made[2..4]);
    assert_eq!(scene.ids(CUSTOMERS, &[("limit", "2"), ("starting_after", &made[3])]).await, made[4..]);
    assert_eq!(scene.ids(CUSTOMERS, &[("limit", "2"), ("ending_before", &made[3])]).await, made[1..3]);
    assert_eq!(scene.ids(CUSTOMERS, &[("email", "odd@example.com")]).await, [&*made[1], &made[3]]);
    let since = (scene.now() - 2).to_string();
    assert_eq!(scene.ids(CUSTOMERS, &[("created[gte]", &since)]).await, made[..2]);
    let found = scene.ids("/v1/customers/search", &[("query", "email:'even@example.com'")]).await;
    assert_eq!(found, [&*made[0], &made[2], &made[4]]);
    let reply = scene.try_get(CUSTOMERS, &[("starting_after", "cus_none")]).await;
    assert_eq!(reply.refusal(), (400, Some("resource_missing"), Some("starting_after")));
}

#[tokio::test]
async fn the_same_key_gives_the_first_answer_for_a_day() {
    let scene = Scene::new().await;
    let ask = |name: &'static str| {
        scene.request(Method::POST, CUSTOMERS, &[("name", name)]).header("Idempotency-Key", "signup-1")
    };
    let first = scene.send(ask("Ada")).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
    let again = scene.send(ask("Ada")).await;
    assert_eq!((&again.json, again.header("idempotent-replayed")), (&first.json, Some("true")));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    let other = scene.send(ask("Bob")).await;
    assert_eq!(other.status, 400);
    assert_eq!(other.json["error"]["type"], "idempotency_error");
    assert_eq!(scene.stripe.creations("customer"), 1);
    scene.pass(DAY + 1);
    assert_ne!(scene.send(ask("Ada")).await.json["id"], first.json["id"]);
    assert_eq!(scene.stripe.creations("customer"), 2);
}

#[tokio::test]
async fn an_answer_that_never_came_is_had_with_the_same_key() {
    let scene = Scene::new().await;
    let ask = || scene.request(Method::POST, CUSTOMERS, &[("name", "Ada")]).header("Idempotency-Key", "k");
    scene.served.faults.once("POST /v1/customers", Fault::ResetAfter);
    ask().send().await.unwrap_err();
    let reply = scene.send(ask()).await;
    assert_eq!((reply.status, reply.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(scene.stripe.customers(), [reply.json]);
}

#[tokio::test]
async fn a_failure_is_remembered_with_its_key_and_a_refusal_is_not() {
    let scene = Scene::new().await;
    let ask = |form: &[(&str, &str)]| scene.request(Method::POST, CUSTOMERS, form).header("Idempotency-Key", "k");
    assert_eq!(scene.send(ask(&[("email", "nobody")])).await.status, 400);
    scene.stripe.break_next("POST /v1/customers", 500);
    let broken = scene.send(ask(&[("name", "Ada")])).await;
    assert_eq!((broken.status, &broken.json["error"]["type"]), (500, &"api_error".into()));
    let again = scene.send(ask(&[("name", "Ada")])).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, Some("true")));
    assert_eq!(scene.stripe.creations("customer"), 0);
    let reply = scene.try_post(CUSTOMERS, &[("name", "Ada")]).await;
    assert_eq!((reply.status, scene.stripe.creations("customer")), (200, 1));
}

#[tokio::test]
async fn two_requests_with_one_key_at_once_are_one_too_many() {
    let scene = Scene::new().await;
    let ask = || scene.request(Method::POST, CUSTOMERS, &[("name", "Ada")]).header("Idempotency-Key", "k");
    let held = scene.stripe.hold_next("POST /v1/customers");
    let first = tokio::spawn(ask().send());
    until(|| scene.stripe.is_running("k")).await;
    let second = scene.send(ask()).await;
    assert_eq!(second.refusal(), (409, Some("idempotency_key_in_use"), None));
    assert_eq!(second.header("stripe-should-retry"), Some("true"));
    held.release();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(scene.stripe.creations("customer"), 1);
}

#[tokio::test]
async fn a_request_that_breaks_off_frees_its_key() {
    let scene = Scene::new().await;
    let ask = || scene.request(Method::POST, CUSTOMERS, &[("name", "Ada")]).header("Idempotency-Key", "k");
    let held = scene.stripe.hold_next("POST /v1/customers");
    let first = tokio::spawn(ask().send());
    until(|| scene.stripe.is_running("k")).await;
    first.abort();
    drop(first.await);
    until(|| !scene.stripe.is_running("k")).await;
    assert!(!held.waits(), "nobody waits any more");
    assert_eq!(scene.send(ask()).await.status, 200);
}

#[tokio::test]
async fn too_many_requests_a_second_are_refused_and_may_come_again() {
    let scene = Scene::with(Settings { requests_per_second: Some(2), ..Settings::default() }).await;
    assert_eq!(scene.try_get("/v1/account", &[]).await.status, 200);
    assert_eq!(scene.try_get("/v1/account", &[]).await.status, 200);
    let reply = scene.try_get("/v1/account", &[]).await;
    assert_eq!(reply.refusal(), (429, Some("rate_limit"), None));
    assert_eq!(reply.header("stripe-should-retry"), Some("true"));
    scene.pass(1);
    assert_eq!(scene.try_get("/v1/account", &[]).await.status, 200);
}

#[tokio::test]
async fn another_version_is_refused_unless_any_will_do() {
    let scene = Scene::new().await;
    let ask = |scene: &Scene, version: Option<&str>| {
        let request = scene.client.get(format!("{}/v1/account", scene.served.url)).bearer_auth("sk_test_simulated");
        match version {
            Some(version) => request.header("Stripe-Version", version),
            None => request,
        }
    };
    for version in [None, Some("2025-03-31.basil")] {
        assert_eq!(scene.send(ask(&scene, version)).await.status, 400, "{version:?}");
    }
    let easy = Scene::with(Settings { strict_version: false, ..Settings::default() }).await;
    for version in [None, Some("2025-03-31.basil")] {
        assert_eq!(easy.send(ask(&easy, version)).await.status, 200, "{version:?}");
    }
}

#[tokio::test]
async fn whole_things_come_instead_of_ids_where_asked_for() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, subscription) = scene.subscribed(&offer, &[]).await;
    let path = format!("/v1/subscriptions/{subscription}");
    let query = [("expand[]", "latest_invoice.payments"), ("expand[]", "customer"), ("expand[]", "schedule")];
    let whole = scene.get(&path, &query).await;
    assert_eq!(whole["customer"]["id"], customer.as_str());
    assert_eq!(whole["latest_invoice"]["payments"]["data"][0]["payment"]["type"], "payment_intent");
    let query = [("customer", &*customer), ("expand[]", "data.line_items")];
    let list = scene.get("/v1/checkout/sessions", &query).await;
    assert_eq!(list["data"][0]["line_items"]["data"].as_array().unwrap().len(), 2);
    let reply = scene.try_get(&path, &[("expand[]", "colour")]).await;
    assert_eq!(reply.refusal(), (400, None, Some("expand")));
}
