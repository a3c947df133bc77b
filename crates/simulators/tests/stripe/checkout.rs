use simulators::stripe::{Card, Incomplete};

use crate::scene::{DAY, HOUR, Scene, id};

#[tokio::test]
async fn a_completed_checkout_is_a_paid_subscription() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    let session = scene.checkout(&offer, &customer, &[("metadata[signup]", "s1")]).await;
    assert_eq!((&session["status"], &session["payment_status"]), (&"open".into(), &"unpaid".into()));
    assert_eq!((&session["amount_total"], &session["expires_at"]), (&500.into(), &(scene.now() + DAY).into()));
    let session = id(&session);
    let next = scene.stripe.complete(&session).unwrap();
    assert_eq!(next, format!("https://shop.example/done?s={session}"));
    let done = scene.get(&format!("/v1/checkout/sessions/{session}"), &[]).await;
    assert_eq!((&done["status"], &done["payment_status"]), (&"complete".into(), &"paid".into()));
    let subscription = scene.subscription(done["subscription"].as_str().unwrap()).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["metadata"], serde_json::json!({ "instance": "ins_1" }));
    let items = subscription["items"]["data"].as_array().unwrap();
    assert_eq!((items.len(), items[0]["quantity"].as_i64(), items[1]["quantity"].as_i64()), (2, Some(1), None));
    let invoice = scene.get(&format!("/v1/invoices/{}", done["invoice"].as_str().unwrap()), &[]).await;
    assert_eq!((&invoice["status"], &invoice["total"]), (&"paid".into(), &500.into()));
    assert_eq!(invoice["billing_reason"], "subscription_create");
    assert_eq!(scene.stripe.charged_cents(&customer), 500);
    assert_eq!(scene.stripe.complete(&session), Err(Incomplete::Closed));
    assert_eq!(scene.stripe.creations("subscription"), 1);
    for kind in
        ["customer.subscription.created", "invoice.paid", "checkout.session.completed", "payment_method.attached"]
    {
        assert_eq!(scene.kinds().iter().filter(|seen| *seen == kind).count(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_declined_card_leaves_the_session_open_and_nothing_behind() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    let session = id(&scene.checkout(&offer, &customer, &[]).await);
    assert_eq!(scene.stripe.decline(&session), Err(Incomplete::Declined));
    assert_eq!(scene.stripe.complete_with(&session, Card::None), Err(Incomplete::NeedsCard));
    assert_eq!(scene.stripe.complete("cs_test_none"), Err(Incomplete::Unknown));
    assert!(scene.stripe.subscriptions().is_empty());
    assert_eq!(scene.stripe.charged_cents(&customer), 0);
    scene.stripe.complete(&session).unwrap();
}

#[tokio::test]
async fn a_session_ends_with_its_time_or_when_told_to() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    let at = (scene.now() + HOUR).to_string();
    let short = id(&scene.checkout(&offer, &customer, &[("expires_at", &at)]).await);
    let told = id(&scene.checkout(&offer, &customer, &[]).await);
    let expired = scene.post(&format!("/v1/checkout/sessions/{told}/expire"), &[]).await;
    assert_eq!((&expired["status"], expired["url"].is_null()), (&"expired".into(), true));
    let again = scene.try_post(&format!("/v1/checkout/sessions/{told}/expire"), &[]).await;
    assert_eq!(again.status, 400);
    scene.pass(HOUR - 1);
    assert_eq!(scene.ids("/v1/checkout/sessions", &[("status", "open")]).await, [&*short]);
    scene.pass(1);
    assert!(scene.ids("/v1/checkout/sessions", &[("status", "open")]).await.is_empty());
    assert_eq!(scene.stripe.complete(&short), Err(Incomplete::Closed));
    assert_eq!(scene.kinds().iter().filter(|kind| *kind == "checkout.session.expired").count(), 2);
    for wait in [60, 2 * DAY] {
        let at = (scene.now() + wait).to_string();
        let form =
            [("mode", "setup"), ("currency", "usd"), ("success_url", "https://shop.example"), ("expires_at", &at)];
        let reply = scene.try_post("/v1/checkout/sessions", &form).await;
        assert_eq!(reply.refusal(), (400, None, Some("expires_at")), "{wait}");
    }
}

#[tokio::test]
async fn wrong_items_trials_and_addresses_are_refused() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let customer = scene.customer().await;
    let soon = (scene.now() + DAY).to_string();
    let base = [("mode", "subscription"), ("success_url", "https://shop.example")];
    let item = [("line_items[0][price]", &*offer.base), ("line_items[0][quantity]", "1")];
    for (more, param) in [
        (vec![], "line_items"),
        (vec![("line_items[0][price]", &*offer.base)], "line_items[0][quantity]"),
        (vec![("line_items[0][price]", &*offer.hours), ("line_items[0][quantity]", "1")], "line_items[0][quantity]"),
        (vec![("line_items[0][price]", "price_none")], "line_items[0][price]"),
        (
            [&item[..], &[("subscription_data[trial_period_days]", "0")]].concat(),
            "subscription_data[trial_period_days]",
        ),
        ([&item[..], &[("subscription_data[trial_end]", &*soon)]].concat(), "subscription_data[trial_end]"),
        ([&item[..], &[("success_url", "shop")]].concat(), "success_url"),
        ([&item[..], &[("customer", "cus_none")]].concat(), "customer"),
        ([&item[..], &[("customer", &*customer), ("customer_email", "a@b.c")]].concat(), "customer_email"),
        ([&item[..], &[("customer_update[address]", "auto")]].concat(), "customer_update"),
        ([&item[..], &[("customer", &*customer), ("automatic_tax[enabled]", "true")]].concat(), "automatic_tax"),
        ([&item[..], &[("payment_method_types[]", "card")]].concat(), "payment_method_types"),
    ] {
        let form = [&base[..], &more].concat();
        let reply = scene.try_post("/v1/checkout/sessions", &form).await;
        assert_eq!((reply.status, reply.refusal().2), (400, Some(param)), "{more:?}");
    }
    assert_eq!(scene.stripe.creations("checkout.session"), 0);
}

#[tokio::test]
async fn a_trial_begins_with_or_without_a_card() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let trial = [("subscription_data[trial_period_days]", "14"), ("payment_method_collection", "if_required")];
    let customer = scene.customer().await;
    let session = id(&scene.checkout(&offer, &customer, &trial).await);
    scene.stripe.complete_with(&session, Card::None).unwrap();
    let [subscription] = &*scene.stripe.live_subscriptions() else { panic!("one subscription") };
    assert_eq!(
        (&subscription["status"], &subscription["trial_end"]),
        (&"trialing".into(), &(scene.now() + 14 * DAY).into())
    );
    assert!(subscription["default_payment_method"].is_null());
    assert_eq!(scene.stripe.charged_cents(&customer), 0);
    let done = scene.get(&format!("/v1/checkout/sessions/{session}"), &[]).await;
    assert_eq!(done["payment_status"], "no_payment_required");
}

#[tokio::test]
async fn a_setup_session_leaves_a_card() {
    let scene = Scene::new().await;
    let customer = scene.customer().await;
    let form =
        [("mode", "setup"), ("currency", "usd"), ("customer", &*customer), ("success_url", "https://shop.example")];
    let session = id(&scene.post("/v1/checkout/sessions", &form).await);
    scene.stripe.complete(&session).unwrap();
    let done = scene.get(&format!("/v1/checkout/sessions/{session}"), &[]).await;
    assert!(done["setup_intent"].is_string() && done["subscription"].is_null());
    let cards = scene.get(&format!("/v1/customers/{customer}/payment_methods"), &[]).await;
    assert_eq!(cards["data"][0]["card"]["last4"], "4242");
    let form = [("mode", "setup"), ("success_url", "https://shop.example")];
    let reply = scene.try_post("/v1/checkout/sessions", &form).await;
    assert_eq!(reply.refusal(), (400, Some("parameter_missing"), Some("currency")));
}

#[tokio::test]
async fn without_a_customer_the_checkout_makes_one() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let form = [
        ("mode", "subscription"),
        ("customer_email", "new@example.com"),
        ("success_url", "https://shop.example"),
        ("line_items[0][price]", &*offer.base),
        ("line_items[0][quantity]", "2"),
    ];
    let session = id(&scene.post("/v1/checkout/sessions", &form).await);
    scene.stripe.complete(&session).unwrap();
    let [customer] = &*scene.stripe.customers() else { panic!("one customer") };
    assert_eq!(customer["email"], "new@example.com");
    assert_eq!(scene.stripe.charged_cents(&id(customer)), 1000);
}
