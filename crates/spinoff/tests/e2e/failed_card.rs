//! A card that is refused, and the way back: from the mail to Stripe's page, which takes another one.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::until::until;
use crate::wildcard::made;

const ADA: &str = "ada@example.com";
const CHARGED: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_refused_card_is_told_with_its_reason_and_another_one_pays_on_stripes_page() {
    let server = Server::with().simulate_builtin_edge().billed_by_anniversary().start().await;
    made(&server, ADA, "engines").await;
    server.grows_old().await;
    for hours_ago in [800, 801, 802] {
        server.was_used("engines", hours_ago).await;
    }
    let host = format!("localhost:{}", server.port());
    let declined = server.request(Method::POST, &host, "/-/simulation/stripe/decline").send().await.unwrap();
    assert_eq!(declined.status(), StatusCode::SEE_OTHER);
    server.cli(&["billing", "close"]).ok();
    let mail = server.mail_to(ADA, "did not go through").await;
    assert!(mail.text.contains("The card was declined"), "{}", mail.text);
    let number =
        server.cli(&["invoices", "list", "--json"]).ok().json()["data"][0]["number"].as_str().unwrap().to_owned();
    let invoice = format!("{}/portal/instances/engines/bills/invoices/{number}", server.url());
    assert!(mail.text.contains(&invoice), "{}", mail.text);

    let ada = Browser::open().await;
    ada.go(&invoice).await;
    ada.sign_in_as(&server, ADA).await;
    ada.go(&invoice).await;
    ada.see("failed: The card was declined.").await;
    look(&ada, "invoice-of-a-refused-card").await;
    is_shown_to_the_operator(&server, &number).await;

    ada.press("Pay $8.00").await;
    ada.arrive(&format!("http://stripe.localhost:{}/i/", server.port())).await;
    ada.see("To be paid: 8.00 USD").await;
    ada.press("Pay with a card that is declined").await;
    ada.see("The card was declined. Try another one.").await;
    ada.press("Pay with a card that works").await;
    ada.see("This invoice is paid.").await;
    let receipt = server.mail_to(ADA, "Receipt").await;
    assert!(receipt.text.contains("$8.00"), "{}", receipt.text);
    ada.go(&invoice).await;
    ada.see("Paid").await;
    assert!(!ada.text().await.contains("How to pay"), "nothing is left to be paid");
    until("nobody is reminded any more", CHARGED, async || {
        let customer = server.instance("engines")["customer_id"].as_str().unwrap().to_owned();
        let seen = server.cli(&["billing", "dunning", "show", &customer, "--json"]).ok().json();
        (seen["stage"] == "current").then_some(())
    })
    .await;
    a_part_goes_back(&ada, &server, &number).await;
    assert_eq!(server.cli(&["billing", "check", "--json"]).ok().json()["problems"], serde_json::json!([]));
}

async fn a_part_goes_back(ada: &Browser, server: &Server, number: &str) {
    let asked = ["invoices", "refund", number, "--amount", "3.00", "--reference", "TICKET 1", "--reason", "An outage."];
    server.cli(&asked).failed(4, &["--confirm 3.00"]);
    server.cli(&[&asked[..], &["--confirm", "3.00"]].concat()).ok();
    let mail = server.mail_to(ADA, "You get back $3.00").await;
    assert!(mail.text.contains("An outage."), "{}", mail.text);
    let listed = server.cli(&["invoices", "refunds", number, "--json"]).ok().json();
    assert!(listed["data"][0]["booked_at"].is_string(), "{listed}");
    ada.reload().await;
    ada.see("Given back: An outage.").await;
}

async fn is_shown_to_the_operator(server: &Server, number: &str) {
    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.press("Money").await;
    operator.see("Failed payments").await;
    operator.see("The card was declined").await;
    operator.see("The charge is tried again.").await;
    operator.see("Both say the same.").await;
    look(&operator, "console-money-failed").await;
    operator.press(number).await;
    operator.see("A charge failed, and will be tried again.").await;
    operator.see("Charge failed: $8.00, The card was declined").await;
    look(&operator, "console-invoice-failed").await;
}
