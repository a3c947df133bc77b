use crate::receiver::Endpoint;
use crate::scene::{DAY, HOUR, Scene, id};

#[tokio::test]
async fn events_reach_whoever_asked_for_them_signed_and_once() {
    let scene = Scene::new().await;
    let all = Endpoint::of(&scene, &["*"]).await;
    let some = Endpoint::of(&scene, &["customer.created", "checkout.session.completed"]).await;
    let offer = scene.offer().await;
    scene.subscribed(&offer, &[]).await;
    assert!(all.letters().is_empty(), "nothing is delivered before its time");
    scene.stripe.deliver_due().await;
    assert_eq!(all.kinds(), scene.kinds());
    assert_eq!(some.kinds(), ["customer.created", "checkout.session.completed"]);
    for letter in all.letters() {
        assert!(letter.signed_with(&all.secret) && !letter.signed_with(&some.secret));
        assert!(letter.signature.starts_with(&format!("t={},v1=", scene.now())));
        assert_eq!(letter.event()["api_version"], simulators::stripe::VERSION);
    }
    assert_eq!(scene.stripe.deliver_due().await, 0);
    let done = scene.get("/v1/events", &[("type", "checkout.session.completed")]).await;
    assert_eq!(done["data"][0]["pending_webhooks"], 0);
    assert_eq!(some.letters()[1].event()["data"], done["data"][0]["data"]);
}

#[tokio::test]
async fn an_event_says_what_asked_for_it_and_what_was_there_before() {
    let scene = Scene::new().await;
    let path = format!("/v1/customers/{}", scene.customer().await);
    let request = scene.request(reqwest::Method::POST, &path, &[("name", "Grace")]).header("Idempotency-Key", "k");
    let reply = scene.send(request).await;
    let event = scene.stripe.events().pop().unwrap();
    assert_eq!(event["type"], "customer.updated");
    assert_eq!(event["data"]["previous_attributes"], serde_json::json!({ "name": "Ada" }));
    let request = serde_json::json!({ "id": reply.header("request-id"), "idempotency_key": "k" });
    assert_eq!(event["request"], request);
    scene.post(&path, &[("name", "Grace")]).await;
    assert_eq!(scene.stripe.events().pop().unwrap()["id"], event["id"], "no change, no event");
}

#[tokio::test]
async fn two_secrets_sign_while_one_is_rolled() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    let new = scene.stripe.roll_secret(&endpoint.id, std::time::Duration::from_secs(3600)).unwrap();
    scene.customer().await;
    scene.stripe.deliver_due().await;
    scene.pass(HOUR);
    scene.customer().await;
    scene.stripe.deliver_due().await;
    let [both, one] = &*endpoint.letters() else { panic!("two letters") };
    assert!(both.signatures() == 2 && both.signed_with(&new) && both.signed_with(&endpoint.secret));
    assert!(one.signatures() == 1 && one.signed_with(&new) && !one.signed_with(&endpoint.secret));
    assert!(scene.get(&format!("/v1/webhook_endpoints/{}", endpoint.id), &[]).await["secret"].is_null());
}

#[tokio::test]
async fn what_was_not_taken_comes_again_with_growing_gaps_for_three_days() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    endpoint.answer_next(&[500; 100]);
    scene.customer().await;
    for _ in 0..5 * 24 * 12 {
        scene.stripe.deliver_due().await;
        scene.pass(300);
    }
    let attempts = scene.stripe.attempts();
    let times: Vec<i64> = attempts.iter().map(|attempt| attempt.at).collect();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() >= 8 && gaps.is_sorted(), "{gaps:?}");
    assert!((2 * DAY..=3 * DAY).contains(&(times.last().unwrap() - times[0])));
    assert!(attempts.iter().all(|attempt| attempt.status == Some(500)));
    assert_eq!(scene.stripe.deliveries_waiting(), 0);
    let undelivered = scene.ids("/v1/events", &[("delivery_success", "false")]).await;
    assert_eq!(undelivered, endpoint.received()[..1]);
}

#[tokio::test]
async fn nobody_home_is_a_failed_attempt_too() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    drop(endpoint.served);
    scene.customer().await;
    assert_eq!(scene.stripe.deliver_due().await, 1);
    assert_eq!(scene.stripe.attempts()[0].status, None);
    assert_eq!(scene.stripe.deliveries_waiting(), 1);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_or_off_hears_nothing() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["customer.created"]).await;
    let path = format!("/v1/webhook_endpoints/{}", endpoint.id);
    assert_eq!(scene.post(&path, &[("disabled", "true")]).await["status"], "disabled");
    scene.customer().await;
    assert_eq!(scene.stripe.deliver_due().await, 0);
    scene.post(&path, &[("disabled", "false"), ("enabled_events[]", "customer.updated")]).await;
    scene.customer().await;
    assert_eq!(scene.stripe.deliver_due().await, 0);
    assert_eq!(scene.delete(&path, &[]).await["deleted"], true);
    assert!(scene.ids("/v1/webhook_endpoints", &[]).await.is_empty());
    for (form, param) in [
        ([("url", "nowhere"), ("enabled_events[]", "*")], "url"),
        ([("url", "http://a.example"), ("enabled_events[]", "x")], "enabled_events"),
    ] {
        assert_eq!(scene.try_post("/v1/webhook_endpoints", &form).await.refusal().2, Some(param));
    }
}

#[tokio::test]
async fn events_can_be_read_for_thirty_days() {
    let scene = Scene::new().await;
    scene.customer().await;
    let event = id(&scene.stripe.events()[0]);
    scene.pass(10 * DAY);
    let middle = scene.now().to_string();
    scene.customer().await;
    let all = scene.ids("/v1/events", &[("types[]", "customer.created"), ("types[]", "invoice.*")]).await;
    assert_eq!(all.len(), 2);
    assert_eq!(scene.ids("/v1/events", &[("created[gte]", &middle)]).await, all[..1]);
    assert_eq!(scene.ids("/v1/events", &[("starting_after", &all[0])]).await, all[1..]);
    assert!(scene.ids("/v1/events", &[("types[]", "invoice.*")]).await.is_empty());
    scene.pass(20 * DAY + 1);
    assert_eq!(scene.ids("/v1/events", &[]).await, all[..1]);
    assert_eq!(scene.try_get(&format!("/v1/events/{event}"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_draft_waits_for_its_webhook_up_to_three_days() {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["invoice.created"]).await;
    let offer = scene.offer().await;
    let (customer, _) = scene.subscribed(&offer, &[]).await;
    scene.stripe.deliver_due().await;
    scene.pass(31 * DAY + 2 * HOUR);
    assert_eq!(scene.stripe.charged_cents(&customer), 500, "the draft waits");
    scene.stripe.deliver_due().await;
    scene.pass(HOUR);
    assert_eq!(scene.stripe.charged_cents(&customer), 1000);
    endpoint.answer_next(&[500; 50]);
    scene.pass(30 * DAY);
    scene.pass(68 * HOUR);
    assert_eq!(scene.stripe.charged_cents(&customer), 1000);
    scene.pass(HOUR);
    assert_eq!(scene.stripe.charged_cents(&customer), 1500, "and then no longer");
}
