//! From nothing to a tested, running app that somebody takes home.

use crate::app_port::{APP, AppPort};
use crate::browser::Browser;
use crate::program::{Home, REHEARSAL};
use crate::takeaway::{Running, free_port, instructions, unpack};
use crate::visit::VISION;

#[tokio::test]
async fn from_nothing_to_a_tested_running_and_downloaded_app() {
    let _port = AppPort::alone().await;
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    let browser = Browser::open().await;
    browser.go(&program.address).await;
    browser.see("This is a rehearsal.").await;
    browser.press("Talk about it with the team").await;
    browser.meet("Vision", None).await;
    browser.say("We want to buy milk.", "I will write the vision.").await;
    browser.say("We all do. Milk is missing.", "Your click decides").await;
    browser.approve().await;

    browser.meet("Backlog refinement", Some(VISION.1)).await;
    browser.say("Cut it into stories.", "Approve those you want").await;
    for _ in 0..3 {
        browser.approve().await;
    }

    browser.plan(VISION.1, &[1, 2, 3]).await;
    browser.press("Start").await;
    browser.see("3 of 3 done").await;
    browser.see("No story is left to work on.").await;
    browser.press("B-2").await;
    browser.see("Done: its 4 acceptance tests ran and passed.").await;
    browser.see("It is not done yet: an acceptance test failed").await;

    browser.press("App").await;
    browser.press("Start it").await;
    browser.see("runs.").await;
    browser.go(APP).await;
    uses_the_list(&browser).await;

    browser.go(&format!("{}/projects/{}", program.address, VISION.0)).await;
    let download = browser.link("Download it").await;
    let files = program.download(download.strip_prefix(&program.address).unwrap()).await;
    drop(program);
    let elsewhere = tempfile::tempdir().unwrap();
    unpack(&files, elsewhere.path());
    let folder = elsewhere.path().join(VISION.0).join("app");
    let port = free_port();
    let lines = instructions(&files[&format!("{}/START.md", VISION.0)]);
    let _app = Running::start(&folder, &lines, port, "Open http");
    browser.go(&format!("http://127.0.0.1:{port}/")).await;
    browser.see("Milk").await;
    uses_the_list(&browser).await;
}

/// Puts something on the shopping list, and it is there.
async fn uses_the_list(browser: &Browser) {
    browser.fill("name", "Milk").await;
    browser.press("Put on the list").await;
    browser.see("Milk").await;
}
