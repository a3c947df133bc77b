//! What everybody is told while something does not work: said in the console, read on the status page, heard by mail.

use crate::support::browser::Browser;
use crate::support::server::Server;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_incident_is_told_on_the_status_page_and_to_who_asked_until_they_ask_no_more() {
    let server = Server::start().await;
    let stranger = Browser::open().await;
    stranger.go(&format!("{}/status", server.url())).await;
    stranger.see("No incident is over that began within 90 days").await;
    stranger.fill("email", ADA).await;
    stranger.press("Tell me").await;
    stranger.see("Look into your mailbox").await;
    let asked = server.mail_to(ADA, "").await;
    let confirm = *asked.links().iter().find(|link| link.contains("/status/confirm/")).expect("a link to confirm");
    stranger.go(confirm).await;
    stranger.see("Do you want to hear of incidents?").await;
    stranger.press("Tell me").await;
    stranger.see("You will hear of it").await;

    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.press("Incidents").await;
    operator.see("No incident yet").await;
    operator.fill("title", "Workspaces open slowly").await;
    operator.tick("instances").await;
    operator.fill("text", "Opening one takes up to a minute. We look for the cause.").await;
    operator.press("Tell everybody").await;
    operator.see("What was said").await;
    stranger.go(&format!("{}/status", server.url())).await;
    stranger.see("What is wrong").await;
    stranger.see("Workspaces open slowly").await;
    let told = server.mail_to(ADA, "Workspaces open slowly").await;
    assert!(told.text.contains("We look for the cause"), "{}", told.text);

    operator.js("document.querySelector('#state').value = 'resolved'", &[]).await;
    operator.fill("text", "A disk was full. There is room again.").await;
    operator.press("Tell everybody").await;
    operator.see("A disk was full").await;
    stranger.reload().await;
    stranger.see("The last 90 days").await;
    let text = stranger.text().await;
    assert!(!text.contains("What is wrong") && text.contains("There is room again"), "{text}");
    let feed = server.site("/status/feed.atom").send().await.unwrap().text().await.unwrap();
    assert!(feed.contains("Workspaces open slowly"), "{feed}");

    let last = server.mail_to(ADA, "Workspaces open slowly").await;
    let leave = *last.links().iter().find(|link| link.contains("/status/unsubscribe/")).expect("a link to stop");
    stranger.go(leave).await;
    stranger.press("No more mails").await;
    stranger.go(leave).await;
    stranger.see("This address gets no mails from here").await;
}
