use jiff::SignedDuration;
use reqwest::StatusCode;
use workflow::{Fault, Faults, Moment, WorkflowState};

use crate::city::{City, FORM};

#[tokio::test]
async fn the_form_leads_to_the_providers_page_and_on_to_an_instance_that_is_charged_once() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, Faults::none()).await;
        let form = city.get("/signup", None).await;
        assert!(!form.body.contains("card_number") && form.body.contains("nothing is charged before"), "{}", form.body);
        let order = city.sign_up(&FORM).await;
        let session = city.session(&order).await;
        let onward = city.get(&format!("/signup/{order}/payment"), None).await;
        assert!(onward.onward().ends_with(&format!("/c/pay/{session}")), "{}", onward.body);
        let progress = city.get(&format!("/signup/{order}"), None).await;
        assert!(progress.body.contains("stays open until 25 Nov 2026, 12:00 UTC"), "{}", progress.body);
        assert!(progress.body.contains(onward.onward()) && progress.body.contains("Cancel the order"));
        assert!(city.host.projects().is_empty(), "something was made before there was a card");

        city.waits(&order).await;
        let back = city.stripe.complete(&session).unwrap();
        assert_eq!(back, format!("{}/signup/{order}", city.url));
        city.stripe.deliver_due().await;
        city.active().await;
        // Until Stripe had told, nobody had to look again.
        assert_eq!(city.clock.now().to_string(), "2026-11-25T10:00:00Z");
        let done = city.get(&format!("/signup/{order}"), None).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        let making = city.get(done.location.as_deref().unwrap(), None).await;
        assert!(making.body.contains("Your workspace is ready"), "{}", making.body);
        assert_eq!((city.stripe.live_subscriptions().len(), city.charged()), (1, 0));
        assert_eq!(city.host.times_created("ai-diy-acme"), 1);
        assert_eq!(city.count("select count(*) from payment_methods where last4 = '4242'").await, 1);
        assert_eq!(city.count("select count(*) from agreements").await, 4);
        assert_eq!(city.mails_to("ada@example.com").await, ["Your AI-DIY workspace is ready"]);
        city.close().await;
    }
}

#[tokio::test]
async fn when_nobody_tells_it_is_seen_all_the_same() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    city.stripe.complete(&city.session(&order).await).unwrap();
    city.active().await;
    let waited = city.clock.now().duration_since("2026-11-25T10:00:00Z".parse().unwrap());
    assert!(waited <= SignedDuration::from_secs(35), "{waited:#}");
    city.close().await;
}

#[tokio::test]
async fn whoever_comes_back_from_the_providers_page_does_not_wait_for_the_next_look() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    let session = city.session(&order).await;
    city.waits(&order).await;
    city.stripe.complete(&session).unwrap();
    city.clock.advance(SignedDuration::from_secs(20));
    let before = city.clock.now();
    city.get(&format!("/signup/{order}"), None).await;
    city.active().await;
    assert_eq!(city.clock.now(), before);
    city.close().await;
}

#[tokio::test]
async fn the_same_form_twice_is_one_order_with_one_checkout() {
    let city = City::open().await;
    let orders = futures_util::future::join_all((0..4).map(|_| city.sign_up(&FORM))).await;
    let one: std::collections::BTreeSet<_> = orders.iter().collect();
    assert_eq!(one.len(), 1, "{orders:?}");
    city.pay(&orders[0]).await;
    city.active().await;
    assert_eq!(city.sign_up(&FORM).await, orders[0]);
    assert_eq!((city.stripe.creations("checkout.session"), city.stripe.creations("customer")), (1, 1));
    assert_eq!((city.stripe.live_subscriptions().len(), city.charged()), (1, 0));
    city.close().await;
}

#[tokio::test]
async fn whoever_lost_the_way_to_the_page_orders_again_and_a_customer_has_to_sign_in() {
    let city = City::open().await;
    city.sign_up(&FORM).await;
    let another = |key: &'static str, subdomain: &'static str| {
        let mut form = FORM;
        (form[0].1, form[4].1) = (key, subdomain);
        form
    };
    let order = city.sign_up(&another("k2", "zoo")).await;
    city.until("two checkouts", async || city.stripe.creations("checkout.session") == 2).await;
    assert_eq!(city.stripe.creations("customer"), 1);
    city.pay(&order).await;
    let active = async || city.count("select count(*) from instances where state = 'active'").await == 1;
    city.until("the second one", active).await;
    let page = city.post("/signup", None, &another("k3", "corner")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("Sign in first"), "{}", page.body);
    city.close().await;
}

#[tokio::test]
async fn an_order_that_nobody_pays_lapses_and_its_name_is_free_again() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    city.session(&order).await;
    city.failed().await;
    let open = city.clock.now().duration_since("2026-11-25T10:00:00Z".parse().unwrap());
    assert_eq!(open.as_hours(), 2, "{open:#}");
    assert_eq!((city.stripe.subscriptions().len(), city.charged()), (0, 0));
    assert_eq!(city.count("select count(*) from members").await, 0);
    assert_eq!(city.count("select count(*) from provider_resources").await, 0);
    assert_eq!(city.count("select count(*) from audit_events where action = 'order.lapsed'").await, 1);
    assert_eq!(city.mails_to("operator@localhost").await, Vec::<String>::new());
    let mails = city.mails_to("ada@example.com").await;
    assert!(mails.len() == 1 && mails[0].starts_with("Your order of acme.localhost"), "{mails:?}");
    let page = city.get(&format!("/signup/{order}"), None).await;
    assert!(page.body.contains("No payment details were entered in time."), "{}", page.body);

    let mut again = FORM;
    again[0].1 = "k2";
    let order = city.sign_up(&again).await;
    city.pay(&order).await;
    city.active().await;
    assert_eq!((city.stripe.creations("customer"), city.charged()), (1, 0));
    city.close().await;
}

#[tokio::test]
async fn a_cancelled_order_is_closed_at_once_even_if_it_was_paid_meanwhile() {
    for paid in [false, true] {
        let city = City::open().await;
        let order = city.sign_up(&FORM).await;
        let session = city.session(&order).await;
        city.waits(&order).await;
        if paid {
            city.stripe.complete(&session).unwrap();
        }
        let page = city.post(&format!("/signup/{order}/cancel"), None, &[]).await;
        assert_eq!(page.location, Some(format!("/signup/{order}")));
        city.failed().await;
        let page = city.get(&format!("/signup/{order}"), None).await;
        assert!(page.body.contains("It was cancelled.") && page.body.contains("Nothing was charged"), "{}", page.body);
        let sessions = city.stripe.checkout_sessions();
        assert!(sessions.iter().all(|session| session["status"] != "open"), "somebody could still pay");
        assert_eq!(city.count("select count(*) from audit_events where action = 'order.cancelled'").await, 1);
        city.pass(5);
        assert_eq!((city.stripe.live_subscriptions().len(), city.charged()), (0, 0), "paid: {paid}");
        city.close().await;
    }
}

#[tokio::test]
async fn what_is_being_made_is_not_cancelled_by_the_page_of_its_order() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    let page = city.post(&format!("/signup/{order}/cancel"), None, &[]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(city.workflow(&order).await.state, WorkflowState::Done);
    assert_eq!(city.state().await, "active");
    city.close().await;
}

#[tokio::test]
async fn an_operators_order_sends_its_customer_the_way_to_pay() {
    let city = City::open().await;
    let order = city.order().await;
    city.session(&order).await;
    city.until("the mail", async || !city.mails_to("ada@example.com").await.is_empty()).await;
    let sent = city.get("/mailbox/messages.json", None).await;
    assert!(sent.body.contains(&format!("{}/signup/{order}", city.url)), "{}", sent.body);
    city.pay(&order).await;
    city.active().await;
    let subjects = city.mails_to("ada@example.com").await;
    let sent = |start: &str| subjects.iter().filter(|subject| subject.starts_with(start)).count();
    assert_eq!(sent("A workspace was ordered for you"), 1, "{subjects:?}");
    assert_eq!((subjects.len(), city.charged()), (2, 0));
    city.close().await;
}

#[tokio::test]
async fn an_instance_that_can_not_be_made_costs_nothing_however_late_it_fails() {
    for step in ["create project", "deploy", "start subscription"] {
        let faults = Faults::by(move |point| {
            let here = point.kind == "provision.v1" && point.step == step && point.moment == Moment::Before;
            here.then_some(Fault::Permanent)
        });
        let city = City::open_with(store::Engine::Sqlite, faults).await;
        let order = city.sign_up(&FORM).await;
        city.pay(&order).await;
        city.failed().await;
        city.pass(5);
        assert_eq!((city.stripe.live_subscriptions().len(), city.charged()), (0, 0), "{step}");
        assert!(city.host.projects().is_empty(), "{step}");
        assert_eq!(city.count("select count(*) from provider_resources").await, 0, "{step}");
        assert_eq!(city.mails_to("operator@localhost").await.len(), 1, "{step}");
        city.close().await;
    }
}

#[tokio::test]
async fn a_page_that_can_not_be_opened_ends_the_order_and_the_operator_is_told() {
    let city = City::open().await;
    city.stripe.revoke("sk_test_simulated");
    let order = city.sign_up(&FORM).await;
    // Closing it needs the key as well: that waits for the operator.
    city.until("help is asked for", async || city.workflow(&order).await.state == WorkflowState::Stuck).await;
    let page = city.get(&format!("/signup/{order}"), None).await;
    assert!(page.body.contains("The operator has been told"), "{}", page.body);
    city.close().await;
}
