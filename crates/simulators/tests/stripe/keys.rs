use reqwest::Method;
use simulators::stripe::{Permission, VERSION};

use crate::scene::Scene;

async fn ask(scene: &Scene, key: &str, method: Method, path: &str) -> (u16, Option<String>) {
    let request = scene.client.request(method, format!("{}{path}", scene.served.url));
    let reply = scene.send(request.bearer_auth(key).header("Stripe-Version", VERSION)).await;
    (reply.status, reply.json["error"]["code"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn no_key_a_wrong_one_and_one_that_ran_out_do_not_open() {
    let scene = Scene::new().await;
    let nobody = scene.client.get(format!("{}/v1/account", scene.served.url)).header("Stripe-Version", VERSION);
    assert_eq!(scene.send(nobody).await.status, 401);
    assert_eq!(ask(&scene, "sk_test_wrong", Method::GET, "/v1/account").await, (401, None));
    assert_eq!(ask(&scene, "sk_test_simulated", Method::GET, "/v1/account").await, (200, None));
    let basic = scene.client.get(format!("{}/v1/account", scene.served.url)).header("Stripe-Version", VERSION);
    assert_eq!(scene.send(basic.basic_auth("sk_test_simulated", Some(""))).await.status, 200);
    scene.stripe.expire_key("sk_test_simulated");
    let expired = (401, Some("api_key_expired".to_owned()));
    assert_eq!(ask(&scene, "sk_test_simulated", Method::GET, "/v1/account").await, expired);
    scene.stripe.revoke("sk_test_simulated");
    assert_eq!(ask(&scene, "sk_test_simulated", Method::GET, "/v1/account").await, (401, None));
}

#[tokio::test]
async fn a_restricted_key_opens_what_it_is_for() {
    let scene = Scene::new().await;
    let key = scene.stripe.restricted_key(&[("customer", Permission::Write), ("event", Permission::Read)]);
    assert!(key.starts_with("rk_test_"));
    let lacks = (403, Some("more_permissions_required".to_owned()));
    for (method, path, wanted) in [
        (Method::POST, "/v1/customers", (200, None)),
        (Method::GET, "/v1/customers", (200, None)),
        (Method::GET, "/v1/events", (200, None)),
        (Method::GET, "/v1/invoices", lacks.clone()),
        (Method::POST, "/v1/checkout/sessions", lacks.clone()),
        (Method::GET, "/v1/account", lacks),
    ] {
        assert_eq!(ask(&scene, &key, method.clone(), path).await, wanted, "{method} {path}");
    }
    let refused = scene.client.get(format!("{}/v1/invoices", scene.served.url)).bearer_auth(&key);
    let text = scene.send(refused).await.json.to_string();
    assert!(!text.contains(&key), "a refusal never shows a whole key: {text}");
    scene.stripe.revoke(&key);
    assert_eq!(ask(&scene, &key, Method::GET, "/v1/customers").await.0, 401);
}
