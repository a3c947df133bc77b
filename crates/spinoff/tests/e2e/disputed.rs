//! Money that goes back, by a bank's hand and by the operator's: what both sides see of it, and how it comes again.

use reqwest::{Method, StatusCode};

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::wildcard::made;

const ADA: &str = "ada@example.com";

async fn at_stripes_desk(server: &Server, button: &str) {
    let host = format!("localhost:{}", server.port());
    let pressed = server.request(Method::POST, &host, &format!("/-/simulation/stripe/{button}")).send().await.unwrap();
    assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_bank_takes_a_payment_back_it_is_paid_again_and_a_part_is_given_back() {
    let server = Server::with().simulate_builtin_edge().billed_by_anniversary().start().await;
    made(&server, ADA, "engines").await;
    server.grows_old().await;
    for hours_ago in [800, 801, 802] {
        server.was_used("engines", hours_ago).await;
    }
    server.cli(&["billing", "close"]).ok();
    server.mail_to(ADA, "Receipt").await;
    let number =
        server.cli(&["invoices", "list", "--json"]).ok().json()["data"][0]["number"].as_str().unwrap().to_owned();

    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    at_stripes_desk(&server, "dispute").await;
    let mail = server.mail_to("operator@localhost", "is disputed").await;
    assert!(mail.text.contains(&number) && mail.text.contains("Send evidence"), "{}", mail.text);
    operator.go(&format!("{}/admin", server.url())).await;
    operator.see("A bank questions a payment of $8.00").await;
    operator.go(&format!("{}/admin/money", server.url())).await;
    operator.see("The bank took the money and waits for evidence").await;
    look(&operator, "console-money-disputed").await;

    let ada = Browser::open().await;
    let invoice = format!("{}/portal/instances/engines/bills/invoices/{number}", server.url());
    ada.go(&invoice).await;
    ada.sign_in_as(&server, ADA).await;
    ada.go(&invoice).await;
    ada.see("Nothing changes for you until then.").await;
    look(&ada, "invoice-disputed").await;

    at_stripes_desk(&server, "bank-for-customer").await;
    server.mail_to("operator@localhost", "is lost").await;
    pays_again(&ada, &server, &invoice).await;
    gives_back(&operator, &server, &number).await;
    let told = server.cli(&["invoices", "disputes", "--closed", "--json"]).ok().json();
    assert_eq!(told["data"][0]["state"], "lost", "{told}");
    assert_eq!(server.cli(&["billing", "check", "--json"]).ok().json()["problems"], serde_json::json!([]));
}

async fn gives_back(operator: &Browser, server: &Server, number: &str) {
    operator.go(&format!("{}/admin/money/invoices/{number}", server.url())).await;
    operator.press("Give back").await;
    operator.see("Give money back?").await;
    operator.fill("amount", "3.00").await;
    operator.fill("reason", "We had an outage.").await;
    operator.fill("confirmation", "2000-000001").await;
    operator.press("Give it back").await;
    operator.find("#confirmation_error").await;
    look(operator, "console-refund-refused").await;
    operator.fill("confirmation", number).await;
    operator.press("Give it back").await;
    let mail = server.mail_to(ADA, "You get back $3.00").await;
    assert!(mail.text.contains("We had an outage."), "{}", mail.text);
    operator.go(&format!("{}/admin/money/invoices/{number}", server.url())).await;
    operator.see("We had an outage.").await;
    look(operator, "console-invoice-refunded").await;
}

async fn pays_again(ada: &Browser, server: &Server, invoice: &str) {
    ada.until("what the bank took is to be paid again", async || {
        ada.go(invoice).await;
        ada.text().await.contains("Pay $8.00")
    })
    .await;
    ada.see("It is to be paid again.").await;
    look(ada, "invoice-to-be-paid-again").await;
    ada.press("Pay $8.00").await;
    ada.arrive(&format!("http://stripe.localhost:{}/i/", server.port())).await;
    ada.press("Pay with a card that works").await;
    ada.see("This invoice is paid.").await;
    ada.until("it is paid", async || {
        ada.go(invoice).await;
        !ada.text().await.contains("Pay $8.00")
    })
    .await;
}
