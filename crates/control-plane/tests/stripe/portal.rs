use reqwest::StatusCode;

use crate::city::{City, FORM};

const ADA: Option<&str> = Some("ada@example.com");

#[tokio::test]
async fn a_customer_is_led_to_where_cards_are_changed_and_nobody_else_is() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    assert!(city.get("/portal", ADA).await.body.contains("Manage payment"));
    let page = city.post("/portal/payment", ADA, &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let opening = page.location.unwrap();
    let onward = city.get(&opening, ADA).await;
    assert!(onward.onward().starts_with("http"), "{}", onward.body);
    let secret = onward.onward().rsplit('/').next().unwrap().to_owned();
    let sql = "select coalesce(output, '') from workflow_steps";
    let outputs: Vec<String> = store::sqlx::query_scalar(sql).fetch_all(city.db.db.read()).await.unwrap();
    assert!(!outputs.iter().any(|output| output.contains(&secret)), "the address lies open in the store");

    city.app().admit_to_site(&domain::Email::parse("eve@example.com").unwrap()).await.unwrap();
    let eve = Some("eve@example.com");
    assert_eq!(city.get(&opening, eve).await.status, StatusCode::NOT_FOUND);
    assert_eq!(city.post("/portal/payment", eve, &[]).await.status, StatusCode::NOT_FOUND);
    city.clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(city.get(&opening, ADA).await.location.as_deref(), Some("/portal"), "an address that is over was shown");
    city.close().await;
}

#[tokio::test]
async fn a_page_that_can_not_be_opened_is_said_so() {
    let city = City::open().await;
    let order = city.sign_up(&FORM).await;
    city.pay(&order).await;
    city.active().await;
    city.stripe.revoke("sk_test_simulated");
    let opening = city.post("/portal/payment", ADA, &[]).await.location.unwrap();
    let id = opening.rsplit('/').next().unwrap();
    city.until("its end", async || city.workflow(id).await.state.is_over()).await;
    let page = city.get(&opening, ADA).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.body.contains("can&#39;t be opened now"), "{}", page.body);
    assert!(!city.mails_to("operator@localhost").await.iter().any(|mail| mail.contains("payment")));
    city.close().await;
}
