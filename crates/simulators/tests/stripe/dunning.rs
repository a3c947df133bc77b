//! What happens when the bank says no.

use simulators::stripe::{Afterwards, Settings};

use crate::scene::{DAY, HOUR, Scene, id};

const RENEWED: i64 = 31 * DAY + HOUR;

async fn declined(afterwards: Afterwards) -> (Scene, String, String) {
    let scene = Scene::with(Settings { afterwards, ..Settings::default() }).await;
    let offer = scene.offer().await;
    let (customer, subscription) = scene.subscribed(&offer, &[]).await;
    scene.stripe.set_card(&customer, false);
    scene.pass(RENEWED);
    (scene, customer, subscription)
}

#[tokio::test]
async fn a_failed_payment_is_tried_again_and_a_new_card_heals_it() {
    let (scene, customer, subscription) = declined(Afterwards::Cancel).await;
    assert_eq!(scene.subscription(&subscription).await["status"], "past_due");
    let invoice = scene.stripe.invoices().pop().unwrap();
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&"open".into(), &1.into()));
    assert_eq!(invoice["next_payment_attempt"], scene.now() + 3 * DAY);
    scene.pass(3 * DAY);
    let invoice = scene.get(&format!("/v1/invoices/{}", id(&invoice)), &[]).await;
    assert_eq!(
        (&invoice["attempt_count"], &invoice["next_payment_attempt"]),
        (&2.into(), &(scene.now() + 5 * DAY).into())
    );
    scene.stripe.set_card(&customer, true);
    scene.pass(5 * DAY);
    assert_eq!(scene.subscription(&subscription).await["status"], "active");
    assert_eq!(scene.stripe.charged_cents(&customer), 1000);
    assert_eq!(scene.kinds().iter().filter(|kind| *kind == "invoice.payment_failed").count(), 2);
}

#[tokio::test]
async fn after_the_last_attempt_comes_what_the_account_says() {
    for (afterwards, wanted) in
        [(Afterwards::Cancel, "canceled"), (Afterwards::Unpaid, "unpaid"), (Afterwards::PastDue, "past_due")]
    {
        let (scene, customer, subscription) = declined(afterwards).await;
        scene.pass(14 * DAY);
        assert_eq!(scene.subscription(&subscription).await["status"], wanted);
        let invoice = scene.stripe.invoices().pop().unwrap();
        assert_eq!((&invoice["status"], &invoice["auto_advance"]), (&"open".into(), &false.into()), "{wanted}");
        assert_eq!(scene.stripe.charged_cents(&customer), 500);
    }
}

#[tokio::test]
async fn an_unpaid_subscription_gets_drafts_until_it_is_paid() {
    let (scene, customer, subscription) = declined(Afterwards::Unpaid).await;
    scene.pass(31 * DAY);
    let drafts = scene.get("/v1/invoices", &[("subscription", &*subscription), ("status", "draft")]).await;
    assert_eq!((drafts["data"].as_array().unwrap().len(), &drafts["data"][0]["auto_advance"]), (1, &false.into()));
    let open = id(&scene.get("/v1/invoices", &[("status", "open")]).await["data"][0]);
    let path = format!("/v1/invoices/{open}/pay");
    let reply = scene.try_post(&path, &[]).await;
    assert_eq!(reply.refusal(), (402, Some("card_declined"), None));
    assert_eq!(
        (&reply.json["error"]["type"], &reply.json["error"]["decline_code"]),
        (&"card_error".into(), &"generic_decline".into())
    );
    scene.stripe.set_card(&customer, true);
    assert_eq!(scene.post(&path, &[]).await["status"], "paid");
    assert_eq!(scene.subscription(&subscription).await["status"], "active");
    assert_eq!(scene.try_post(&path, &[]).await.refusal(), (400, Some("invoice_not_editable"), None));
}
