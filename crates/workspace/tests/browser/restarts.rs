//! `kill -9` of the program while somebody looks at a page, which goes on by itself once the program is
//! there again.

use crate::app_port::AppPort;
use crate::browser::Browser;
use crate::guard::{GUARDED, Guard};
use crate::program::{Home, Program, REHEARSAL};
use crate::visit::VISION;

const OPTIONS: [&str; 4] = [REHEARSAL[0], REHEARSAL[1], GUARDED[0], GUARDED[1]];

/// Kills the program, and starts it once the open page has noticed. A page that is not whole yet would not.
async fn restart(browser: &Browser, home: &Home, guard: &Guard, program: Program) -> Program {
    let is_whole = async || browser.js("return document.readyState === 'complete'", &[]).await == true;
    browser.until("the whole page", is_whole).await;
    let mut refusals = guard.refusals();
    program.kill();
    refusals.changed().await.unwrap();
    let program = home.start(&OPTIONS).await;
    guard.lead_to(&program);
    program
}

#[tokio::test]
async fn a_page_goes_on_after_a_restart_in_the_middle_of_everything() {
    let _port = AppPort::alone().await;
    let home = Home::new();
    let mut program = home.start(&OPTIONS).await;
    let guard = Guard::before(&program, Some("ada@example.com")).await;
    let browser = Browser::open().await;

    browser.go(&guard.at("/new/vision")).await;
    browser.fill("title", VISION.1).await;
    program = restart(&browser, &home, &guard, program).await;
    browser.fill("body", "Nobody comes home without the milk.").await;
    browser.press("Save").await;
    browser.see("without the milk.").await;

    browser.meet("Backlog refinement", Some(VISION.1)).await;
    browser.say("Cut it into stories.", "I cut the vision").await;
    program = restart(&browser, &home, &guard, program).await;
    browser.see("The program stopped in the middle of it.").await;
    browser.press("Ask again").await;
    browser.see("Approve those you want").await;
    browser.reload().await;
    browser.see("Approve those you want").await;
    browser.approve().await;

    browser.plan(VISION.1, &[1]).await;
    browser.press("Start").await;
    browser.see("The tester writes its acceptance tests.").await;
    program = restart(&browser, &home, &guard, program).await;
    browser.see("1 of 1 done").await;

    browser.press("App").await;
    browser.press("Start it").await;
    browser.see("runs.").await;
    let _program = restart(&browser, &home, &guard, program).await;
    browser.see("does not run").await;
    browser.press("Start it").await;
    browser.see("runs.").await;
}
