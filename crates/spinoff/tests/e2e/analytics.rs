//! A customer says why they leave; the operator reads it beside the numbers, enters what was spent, and sees what mails say.

use crate::looks::look;
use crate::support::axe::Axe;
use crate::support::browser::Browser;
use crate::support::server::Server;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn why_somebody_leaves_what_was_spent_and_what_mails_say_is_read_in_the_console() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    let axe = Axe::find();
    let portal = format!("{}/portal/instances/engines", server.url());
    let ada = Browser::open().await;
    ada.go(&portal).await;
    ada.sign_in_as(&server, ADA).await;
    ada.go(&format!("{portal}/cancel")).await;
    ada.see("Would you tell us why?").await;
    look(&ada, "portal-why-leaving").await;
    axe.is_content(&ada).await;
    ada.js("document.querySelector('#reason').value = 'too_hard'", &[]).await;
    ada.fill("comment", "I got lost in the backlog.").await;
    ada.fill("confirmation", "engines").await;
    ada.press("Cancel this workspace").await;
    ada.see("This workspace is cancelled").await;

    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.press("Analytics").await;
    operator.see("Recurring revenue (MRR)").await;
    let now = jiff::Timestamp::now().strftime("%Y-%m").to_string();
    operator.go(&format!("{}/admin/analytics?month={now}", server.url())).await;
    operator.see("It was too hard to use").await;
    operator.see("I got lost in the backlog.").await;
    operator.see("Invoices of this month are still to come").await;
    look(&operator, "console-analytics").await;
    axe.is_content(&operator).await;

    operator.press("What was spent").await;
    operator.see("Nothing was entered yet").await;
    operator.fill("amount", "-5").await;
    operator.fill("purpose", "search ads").await;
    operator.press("Enter it").await;
    operator.see("is not an amount").await;
    axe.is_content(&operator).await;
    let refused = operator.complaints().await;
    assert!(refused.iter().all(|said| said.contains("422")), "{refused:?}");
    operator.fill("amount", "25").await;
    operator.press("Enter it").await;
    operator.see("$25.00").await;
    look(&operator, "console-spend").await;
    operator.press("Take back").await;
    operator.see("Taken back").await;
    axe.is_content(&operator).await;

    operator.press("Mails").await;
    look(&operator, "console-mails").await;
    axe.is_content(&operator).await;
    operator.press("Some days after a customer left").await;
    operator.see("To get no mail of this kind").await;
    look(&operator, "console-mail").await;
    axe.is_content(&operator).await;
}
