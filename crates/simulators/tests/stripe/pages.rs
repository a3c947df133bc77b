//! What a customer sees and presses.

use crate::scene::{HOUR, Scene, id};

async fn press(scene: &Scene, url: &str, choice: &str) -> (u16, Option<String>, String) {
    let answer = scene.client.post(url).form(&[("do", choice)]).send().await.unwrap();
    let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), location, answer.text().await.unwrap())
}

async fn look(scene: &Scene, url: &str) -> (u16, String) {
    let answer = scene.client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_checkout_page_shows_the_price_and_takes_a_card() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    let session = scene.checkout(&offer, &customer, &[]).await;
    let url = session["url"].as_str().unwrap();
    assert!(url.starts_with(&scene.served.url), "{url}");
    let (status, page) = look(&scene, url).await;
    assert_eq!(status, 200);
    for text in ["Simulated Stripe Checkout", "5.00 USD", "Instance", "Pay with a card that works"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(press(&scene, url, "cancel").await.1.as_deref(), Some("https://shop.example/again"));
    let (status, location, page) = press(&scene, url, "decline").await;
    assert_eq!((status, location), (200, None));
    assert!(page.contains("declined"), "{page}");
    let (status, location, _) = press(&scene, url, "pay").await;
    assert_eq!((status, location), (303, Some(format!("https://shop.example/done?s={}", id(&session)))));
    assert!(look(&scene, url).await.1.contains("not open any more"));
    assert_eq!(scene.stripe.charged_cents(&customer), 500);
    let unknown = format!("{}/c/pay/cs_test_none", scene.served.url);
    assert_eq!(look(&scene, &unknown).await.0, 404);
}

#[tokio::test]
async fn names_are_shown_as_text_only() {
    let scene = Scene::new().await;
    let product = id(&scene.post("/v1/products", &[("name", "<script>x</script>")]).await);
    let form = [("product", &*product), ("currency", "usd"), ("unit_amount", "1"), ("recurring[interval]", "month")];
    let price = id(&scene.post("/v1/prices", &form).await);
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", &*price),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://shop.example"),
    ];
    let session = scene.post("/v1/checkout/sessions", &form).await;
    let page = look(&scene, session["url"].as_str().unwrap()).await.1;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn the_portal_changes_the_card_and_ends_the_subscription() {
    let scene = Scene::new().await;
    scene.stripe.set_pages("https://pay.example/");
    let offer = scene.offer().await;
    let (customer, subscription) = scene.subscribed(&offer, &[]).await;
    let form = [("customer", &*customer), ("return_url", "https://shop.example/account")];
    let session = scene.post("/v1/billing_portal/sessions", &form).await;
    let path = session["url"].as_str().unwrap().strip_prefix("https://pay.example").unwrap().to_owned();
    let url = format!("{}{path}", scene.served.url);
    assert!(look(&scene, &url).await.1.contains("active"));
    scene.stripe.set_card(&customer, false);
    let before = scene.subscription(&subscription).await["default_payment_method"].clone();
    assert!(press(&scene, &url, "declined").await.2.contains("declined"));
    assert_eq!(scene.subscription(&subscription).await["default_payment_method"], before);
    assert_eq!(press(&scene, &url, "card").await.1.as_deref(), Some("https://shop.example/account"));
    assert_ne!(scene.subscription(&subscription).await["default_payment_method"], before);
    press(&scene, &url, "end").await;
    assert_eq!(scene.subscription(&subscription).await["cancel_at_period_end"], true);
    press(&scene, &url, "keep").await;
    assert_eq!(scene.subscription(&subscription).await["cancel_at_period_end"], false);
}

#[tokio::test]
async fn a_portal_link_that_nobody_opened_is_too_old_after_a_while() {
    let scene = Scene::new().await;
    let customer = scene.customer().await;
    let session = scene.post("/v1/billing_portal/sessions", &[("customer", &*customer)]).await;
    scene.pass(HOUR);
    assert_eq!(look(&scene, session["url"].as_str().unwrap()).await.0, 410);
    let form = [("customer", "cus_none")];
    let reply = scene.try_post("/v1/billing_portal/sessions", &form).await;
    assert_eq!(reply.refusal(), (400, Some("resource_missing"), Some("customer")));
}
