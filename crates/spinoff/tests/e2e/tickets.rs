//! A customer asks support, an operator answers, and the customer says how content they are.

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_customer_asks_is_answered_and_says_how_that_was() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    let site = server.url();
    let ada = Browser::open().await;
    ada.go(&format!("{site}/portal/tickets")).await;
    ada.sign_in_as(&server, ADA).await;
    look(&ada, "portal-tickets-empty").await;
    ada.press("Ask support").await;
    look(&ada, "portal-ticket-about").await;
    ada.fill("subject", "Can I put a backup back?").await;
    ada.press("Next").await;
    ada.see("Does one of these help?").await;
    look(&ada, "portal-ticket-new").await;
    ada.fill("text", "I pressed the button.\nNothing came.").await;
    ada.press("Send").await;
    ada.see("We are on it").await;
    look(&ada, "portal-ticket").await;
    server.mail_to(ADA, "Re: Can I put a backup back?").await;

    server.cli(&["tickets", "canned", "add", "Backups", "--text", "Hello {name}, look under Backups."]).ok();
    let desk = Browser::open().await;
    desk.go(&server.admin_link()).await;
    desk.press("A customer waits for an answer").await;
    look(&desk, "console-tickets").await;
    desk.press("Can I put a backup back?").await;
    desk.press("I see to it").await;
    desk.see("Fill it in").await;
    desk.press("Fill it in").await;
    desk.until("the canned answer", async || desk.value("text").await.contains("look under Backups")).await;
    look(&desk, "console-ticket").await;
    desk.press("Send, and it is solved").await;
    desk.see("look under Backups.").await;
    desk.go(&format!("{site}/admin/tickets/answers")).await;
    look(&desk, "console-canned-answers").await;

    let answer = server.mail_to(ADA, "Re: Can I put a backup back?").await;
    assert!(answer.text.contains("look under Backups."), "{}", answer.text);
    let question = answer.links().into_iter().find(|link| link.ends_with("?score=5")).unwrap().to_owned();
    // Whoever has the mail answers, signed in or not.
    let mailbox = Browser::open().await;
    mailbox.go(&question).await;
    mailbox.see("How content are you").await;
    look(&mailbox, "rating").await;
    mailbox.press("Send").await;
    mailbox.see("Thank you").await;
    look(&mailbox, "rating-answered").await;
    ada.reload().await;
    ada.see("Solved").await;
    look(&ada, "portal-ticket-solved").await;
    let figures = server.cli(&["tickets", "figures", "--json"]).ok().json();
    assert_eq!((&figures["average_rating_tenths"], &figures["open"]), (&50.into(), &0.into()), "{figures}");
}
