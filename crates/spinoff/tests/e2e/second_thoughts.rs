//! A customer deletes a workspace and thinks again; then tries something in a copy of it, and deletes that for good.

use std::fs;
use std::time::Duration;

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::until::until;

const ADA: &str = "ada@example.com";
const NOTICED: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_workspace_is_deleted_kept_after_all_and_copied() {
    let mut server = Server::with().undo_days(3).start().await;
    server.provision(ADA, "engines");
    server.until_healthy("engines").await;
    fs::write(server.project("engines").join("data/vision.md"), "A shop").unwrap();
    let portal = format!("{}/portal/instances/engines", server.url());
    let ada = Browser::open().await;
    ada.go(&portal).await;
    ada.sign_in_as(&server, ADA).await;
    deletes_and_keeps_it(&ada, &server, &portal).await;
    copies_it(&ada, &server, &portal).await;

    let asked = server.cli(&["delete", "trial", "--confirm", "trial", "--json"]).ok().json();
    assert!(asked["deleted_at"].is_string() && asked["workflow_id"].is_null(), "{asked}");
    // A wait outlives the server.
    server.kill9();
    server.restart().await;
    assert_eq!(server.instance("trial")["state"], "suspended");
    server.cli(&["delete", "trial", "--undo"]).ok();
    server.until_healthy("trial").await;
    server.cli(&["delete", "trial", "--undo"]).failed(4, &["is not to be deleted"]);
    server.cli(&["delete", "trial", "--now", "--confirm", "trial"]).ok();
    assert_eq!(server.instance("trial")["state"], "deleted");
    assert_eq!(fs::read_to_string(server.project("engines").join("data/vision.md")).unwrap(), "A shop");
}

async fn deletes_and_keeps_it(ada: &Browser, server: &Server, portal: &str) {
    ada.go(&format!("{portal}/delete")).await;
    ada.see("it is only closed").await;
    ada.fill("confirmation", "engines").await;
    ada.press("Delete this workspace").await;
    ada.see("This workspace will be deleted").await;
    look(ada, "portal-to-be-deleted").await;
    server.mail_to(ADA, "will be deleted").await;
    until("nobody can enter", NOTICED, async || {
        let visit = server.at("engines", "/").send().await.ok()?;
        (visit.status() == reqwest::StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    ada.press("Keep my workspace").await;
    ada.see("Delete workspace").await;
    server.mail_to(ADA, "is not deleted").await;
    server.until_healthy("engines").await;
    assert_eq!(fs::read_to_string(server.project("engines").join("data/vision.md")).unwrap(), "A shop");
}

async fn copies_it(ada: &Browser, server: &Server, portal: &str) {
    ada.go(&format!("{portal}/copies")).await;
    ada.see("$5.00 a month").await;
    look(ada, "portal-copy").await;
    ada.fill("subdomain", "trial").await;
    ada.press("Order the copy").await;
    ada.see("Putting everything into the copy").await;
    server.until_healthy("trial").await;
    let copied = fs::read_to_string(server.project("trial").join("data/vision.md")).unwrap();
    assert_eq!(copied, "A shop", "it was there before the application first started");
    until("the copy is in use", NOTICED, async || {
        let shown = server.cli(&["instances", "show", "trial", "--json"]).ok().json();
        (shown["state"] == "active").then_some(())
    })
    .await;
    server.cli(&["instances", "copy", "engines", "another"]).failed(4, &["--yes"]);
    server.cli(&["instances", "copy", "engines", "trial", "--yes"]).failed(4, &["is taken"]);
}
