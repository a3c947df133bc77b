//! A card that fails, until everything is closed; and paying, which opens it again.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::stripe::Deliveries;
use workflow::Faults;
use world::Entropy;

use crate::city::City;
use crate::collecting::{books_agree, charge_again, close, failed, in_december, invoice, paid};

const ADA: Option<&str> = Some("ada@example.com");

/// So many days pass, and dunning looks at them, twice as two replicas would.
pub(crate) async fn days(city: &City, count: i64) {
    city.pass(count);
    for _ in 0..2 {
        control_plane::dun_if_due(&city.app().core()).await.unwrap();
    }
    city.until("an end", async || city.nothing_runs().await).await;
}

pub(crate) async fn stage(city: &City) -> String {
    let customer = invoice(city).await["customer_id"].as_str().unwrap().to_owned();
    let (_, seen) = city.api(Method::GET, &format!("/customers/{customer}/dunning"), Value::Null).await;
    seen["stage"].as_str().unwrap().to_owned()
}

/// November's invoice, whose card is refused.
async fn refused(city: &City) -> String {
    let payer = in_december(city).await;
    city.stripe.set_card(&payer, false);
    close(city).await;
    failed(city, 1).await;
    payer
}

/// The same, until the workspace is closed.
async fn closed_out(city: &City) -> String {
    let payer = refused(city).await;
    for (passed, tries) in [(1, 2), (3, 3), (5, 4)] {
        days(city, passed).await;
        failed(city, tries).await;
        days(city, 0).await;
    }
    assert_eq!(stage(city).await, "reminded", "its due date has not come, but its charge failed");
    for expected in ["reminded", "grace", "suspended"] {
        days(city, 7).await;
        assert_eq!(stage(city).await, expected);
    }
    assert_eq!(city.state().await, "suspended");
    payer
}

pub(crate) async fn page_of_the_invoice(city: &City) -> String {
    let number = invoice(city).await["number"].as_str().unwrap().to_owned();
    format!("/portal/instances/acme/bills/invoices/{number}")
}

/// Goes to Stripe's page of the invoice, as its customer does. Its address.
pub(crate) async fn led_to_stripe(city: &City) -> String {
    let url = page_of_the_invoice(city).await;
    let opened = city.post(&format!("{url}/pay"), ADA, &[]).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
    city.get(&opened.location.unwrap(), ADA).await.onward().to_owned()
}

pub(crate) async fn press(page: &str, button: &str) -> String {
    let pressed = reqwest::Client::new().post(page).form(&[("do", button)]).send().await.unwrap();
    assert_eq!(pressed.status(), StatusCode::OK);
    pressed.text().await.unwrap()
}

#[tokio::test]
async fn a_card_that_fails_is_tried_again_until_the_workspace_closes_and_paying_opens_it() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let city = City::open_with(engine, Faults::none()).await;
        let payer = closed_out(&city).await;
        let mails = city.mails_to("ada@example.com").await;
        let told = |start: &str| mails.iter().filter(|subject| subject.contains(start)).count();
        let expected = [("did not go through", 3), ("Reminder", 2), ("closed soon", 1), ("is closed until", 1)];
        for (subject, times) in expected {
            assert_eq!(told(subject), times, "{subject}: {mails:#?}");
        }
        let shown = city.get(&page_of_the_invoice(&city).await, ADA).await.body;
        assert!(shown.contains("failed: The card was declined.") && shown.contains("/pay\""), "{shown}");
        let portal = city.get("/portal/instances/acme", ADA).await.body;
        assert!(portal.contains("An invoice is not paid."), "{portal}");

        let page = led_to_stripe(&city).await;
        assert!(press(&page, "declined").await.contains("was declined"));
        assert_eq!(city.charged(), 0);
        assert!(press(&page, "pay").await.contains("is paid"));
        assert!(press(&page, "pay").await.contains("is paid"), "pressed twice");
        city.stripe.deliver_due().await;
        paid(&city).await;
        city.active().await;
        books_agree(&city, &payer).await;
        days(&city, 1).await;
        assert_eq!((stage(&city).await.as_str(), city.state().await.as_str()), ("current", "active"));
        let again = city.post(&format!("{}/pay", page_of_the_invoice(&city).await), ADA, &[]).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "nothing is left to be paid");
        city.close().await;
    }
}

#[tokio::test]
async fn what_was_paid_at_stripe_opens_the_workspace_though_no_event_came() {
    let city = City::open().await;
    let payer = closed_out(&city).await;
    city.stripe.deliver_due().await;
    city.until("an end", async || city.nothing_runs().await).await;
    city.stripe.misdeliver(Deliveries { lost: 1000, ..Deliveries::default() }, Entropy::seeded(5));
    let page = led_to_stripe(&city).await;
    press(&page, "pay").await;
    city.stripe.deliver_due().await;
    assert_eq!(city.state().await, "suspended");
    let city = city.restarted().await;
    city.active().await;
    books_agree(&city, &payer).await;
    city.close().await;
}

#[tokio::test]
async fn a_card_that_works_again_is_charged_by_itself_and_nobody_is_closed_out() {
    let city = City::open().await;
    let payer = refused(&city).await;
    assert_eq!(stage(&city).await, "retrying");
    city.stripe.set_card(&payer, true);
    days(&city, 1).await;
    paid(&city).await;
    books_agree(&city, &payer).await;
    days(&city, 30).await;
    assert_eq!((stage(&city).await.as_str(), city.state().await.as_str()), ("current", "active"));
    city.close().await;
}

#[tokio::test]
async fn a_failure_that_is_told_again_is_one_and_a_pause_holds_the_next_try() {
    let city = City::open().await;
    refused(&city).await;
    let customer = invoice(&city).await["customer_id"].as_str().unwrap().to_owned();
    let (status, _) = city.api(Method::POST, &format!("/customers/{customer}/dunning/pause"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    for _ in 0..2 {
        city.stripe.deliver_due().await;
        days(&city, 20).await;
    }
    failed(&city, 1).await;
    assert_eq!((stage(&city).await.as_str(), city.state().await.as_str()), ("retrying", "active"));
    // Whoever leaves a customer alone may still charge by hand.
    charge_again(&city).await;
    failed(&city, 2).await;
    city.close().await;
}

#[tokio::test]
async fn nobody_else_is_led_to_the_page_of_an_invoice() {
    let city = City::open().await;
    refused(&city).await;
    let url = page_of_the_invoice(&city).await;
    let opened = city.post(&format!("{url}/pay"), ADA, &[]).await.location.unwrap();
    city.app().admit_to_site(&domain::Email::parse("eve@example.com").unwrap()).await.unwrap();
    let eve = Some("eve@example.com");
    assert_eq!(city.post(&format!("{url}/pay"), eve, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(city.get(&opened, eve).await.status, StatusCode::NOT_FOUND);
    let page = city.get(&opened, ADA).await.onward().to_owned();
    let secret = page.rsplit('/').next().unwrap();
    let sql = "select coalesce(output, '') from workflow_steps";
    let outputs: Vec<String> = store::sqlx::query_scalar(sql).fetch_all(city.db.db.read()).await.unwrap();
    assert!(
        !outputs.iter().any(|output| output.contains(&format!("/i/{secret}"))),
        "the address lies open in the store"
    );
    city.close().await;
}
