//! A customer leaves, in a browser: reads what happens, cancels, keeps the workspace after all, cancels again, sees it end,
//! takes everything along, and comes back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::until::until;

const ADA: &str = "ada@example.com";
/// A step is looked for every 20 seconds.
const NOTICED: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_workspace_is_cancelled_kept_cancelled_again_ends_is_taken_along_and_comes_back() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    server.until_healthy("engines").await;
    let portal = format!("{}/portal/instances/engines", server.url());
    let ada = Browser::open().await;
    ada.go(&portal).await;
    ada.sign_in_as(&server, ADA).await;
    ada.go(&portal).await;
    cancels_after_reading_what_it_means(&ada, &server).await;

    ada.press("Keep my workspace").await;
    ada.see("Cancel workspace").await;
    let mail = server.mail_to(ADA, "You keep engines").await;
    assert!(mail.text.contains("Nothing changes"), "{}", mail.text);

    server.cli(&["cancel", "engines"]).failed(4, &["--confirm engines"]);
    server.cli(&["cancel", "engines", "--confirm", "engines"]).ok();
    ada.reload().await;
    ada.see("It runs until").await;
    look(&ada, "portal-cancelled").await;

    server.runs_out("engines").await;
    until("it has ended", NOTICED, async || (server.instance("engines")["state"] == "suspended").then_some(())).await;
    let mail = server.mail_to(ADA, "has ended; its data is kept").await;
    assert!(mail.text.contains("you can download everything"), "{}", mail.text);
    reads_it_at_the_door(&ada, &server).await;
    takes_everything_along(&server);

    ada.go(&format!("{portal}/cancel")).await;
    ada.see("This workspace has ended").await;
    look(&ada, "leaving-ended").await;
    ada.press("Come back").await;
    ada.see("Cancel workspace").await;
    server.until_healthy("engines").await;
    until("members can enter", NOTICED, async || {
        let visit = server.at("engines", "/").send().await.ok()?;
        (visit.status() != reqwest::StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    server.mail_to(ADA, "You are back").await;
    server.cli(&["cancel", "engines", "--undo"]).failed(4, &["is not cancelled"]);
}

async fn cancels_after_reading_what_it_means(ada: &Browser, server: &Server) {
    ada.press("Cancel workspace").await;
    for words in ["Cancel this workspace?", "Your last invoice", "Base fee", "Coming back", "Download everything"] {
        ada.see(words).await;
    }
    look(ada, "leaving").await;
    ada.fill("confirmation", "engine").await;
    ada.press("Cancel this workspace").await;
    ada.see("Type engines to confirm").await;
    let refused = ada.complaints().await;
    assert!(refused.iter().all(|complaint| complaint.contains("422")), "{refused:?}");
    ada.fill("confirmation", "engines").await;
    ada.press("Cancel this workspace").await;
    ada.see("This workspace is cancelled").await;
    look(ada, "leaving-running-out").await;
    let mail = server.mail_to(ADA, "is cancelled").await;
    assert!(mail.text.contains("One more invoice follows"), "{}", mail.text);
}

async fn reads_it_at_the_door(ada: &Browser, server: &Server) {
    until("nobody can enter", NOTICED, async || {
        let visit = server.at("engines", "/").send().await.ok()?;
        (visit.status() == reqwest::StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    ada.go(&format!("http://{}/", server.host("engines"))).await;
    ada.see("This workspace was cancelled").await;
    ada.see("Its data is kept until").await;
    look(ada, "door-cancelled").await;
}

fn takes_everything_along(server: &Server) {
    std::fs::write(server.project("engines").join("data/vision.md"), "A shop").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("engines.tar.gz");
    let saved = server.cli(&["instances", "download", "engines", "--output", file.to_str().unwrap(), "--json"]).ok();
    assert_eq!(saved.json()["bytes"], std::fs::metadata(&file).unwrap().len());
    run(folder.path(), "tar", &["-xzf", "engines.tar.gz"]);
    let unpacked = folder.path().join("ai-diy-engines");
    run(&unpacked, "sha256sum", &["--check", "--strict", "MANIFEST.sha256"]);
    assert_eq!(std::fs::read_to_string(unpacked.join("data/vision.md")).unwrap(), "A shop");
}

fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let ran = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
}
