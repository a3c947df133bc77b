//! What a workspace keeps is backed up, proven, lost and restored: from the command line, and by its customer in a browser.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::until::until;

const ADA: &str = "ada@example.com";
const SOON: Duration = Duration::from_secs(60);

fn vision(server: &Server) -> PathBuf {
    server.project("engines").join("data/vision.md")
}

fn newest(server: &Server) -> Value {
    server.cli(&["backups", "list", "--instance", "engines", "--json"]).ok().json()["data"][0].clone()
}

#[tokio::test]
async fn a_workspace_is_backed_up_proven_and_restored() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    server.until_healthy("engines").await;
    fs::write(vision(&server), "A shop").unwrap();
    let kept = server.cli(&["backups", "create", "engines", "--json"]).ok().json();
    let id = kept["id"].as_str().unwrap().to_owned();
    assert_eq!(kept["state"], "kept");
    server.until_healthy("engines").await;
    let file = fs::read(kept["place"].as_str().unwrap()).unwrap();
    assert!(!file.windows(6).any(|window| window == b"A shop"), "what is kept is encrypted");

    let before = fs::read_dir(server.data().join("instances")).unwrap().count();
    server.cli(&["backups", "verify", &id, "--json"]).ok();
    assert!(newest(&server)["proven_at"].is_string());
    let after = fs::read_dir(server.data().join("instances")).unwrap().count();
    assert_eq!(after, before, "the place that was made for the proof is gone");
    assert_eq!(server.cli(&["backups", "proofs", "--json"]).ok().json()["data"][0]["proven"], true);

    fs::remove_file(vision(&server)).unwrap();
    server.cli(&["backups", "restore", &id]).failed(4, &["--confirm engines"]);
    server.cli(&["backups", "restore", &id, "--confirm", "engines"]).ok();
    assert_eq!(fs::read_to_string(vision(&server)).unwrap(), "A shop");
    server.until_healthy("engines").await;
    server.mail_to(ADA, "was restored").await;
    server.cli(&["backups", "show", "bak_00000000000000000000000000"]).failed(3, &[]);
    restores_in_the_portal(&server).await;

    server.cli(&["delete", "engines", "--confirm", "engines"]).ok();
    assert_eq!(server.cli(&["backups", "list", "--json"]).ok().json()["data"], serde_json::json!([]));
    assert_eq!(fs::read_dir(server.data().join("backups")).unwrap().count(), 0);
    let removed = server.instance("engines")["removal"]["removed"].to_string();
    assert!(removed.contains(&id) && removed.contains("key of all backups"), "{removed}");
}

async fn restores_in_the_portal(server: &Server) {
    let portal = format!("{}/portal/instances/engines", server.url());
    let ada = Browser::open().await;
    ada.go(&portal).await;
    ada.sign_in_as(server, ADA).await;
    ada.go(&format!("{portal}/backups")).await;
    ada.see("Last proven").await;
    look(&ada, "portal-backups").await;
    ada.press("Back up now").await;
    until("it is taken", SOON, async || {
        (newest(server)["state"] == "kept" && newest(server)["reason"] == "requested").then_some(())
    })
    .await;
    fs::write(vision(server), "Something else").unwrap();
    let id = newest(server)["id"].as_str().unwrap().to_owned();
    ada.go(&format!("{portal}/backups/{id}/restore")).await;
    ada.see("Restore this backup?").await;
    look(&ada, "portal-restore").await;
    ada.fill("confirmation", "engines").await;
    ada.press("Restore it").await;
    until("it is restored", SOON, async || {
        let running = server.api("/workflows?state=running").await;
        let is_back = fs::read_to_string(vision(server)).is_ok_and(|text| text == "A shop");
        (is_back && running["data"] == serde_json::json!([])).then_some(())
    })
    .await;
    server.until_healthy("engines").await;
}
