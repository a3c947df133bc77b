//! Stopping, going on, and going back.

use crate::browser::Browser;
use crate::program::{Home, REHEARSAL};
use crate::visit::VISION;

#[tokio::test]
async fn a_sprint_is_paused_goes_on_and_is_stopped_and_what_is_done_can_be_gone_back_to() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    program.write_stories(3).await;
    let browser = Browser::open().await;
    browser.go(&program.address).await;
    browser.plan(VISION.1, &[1, 2]).await;
    browser.press("Start").await;
    browser.see("The tester writes its acceptance tests.").await;
    browser.press("Pause").await;
    browser.see("you paused it.").await;
    browser.press("Go on").await;
    browser.see("2 of 2 done").await;

    browser.plan(VISION.1, &[1]).await;
    browser.press("Start").await;
    browser.see("The architect says how to build it.").await;
    browser.press("Stop for good").await;
    browser.see("you stopped it.").await;
    assert_eq!(browser.count("Go on").await, 0);
    assert!(browser.text().await.contains("0 of 1 done"));

    browser.press("All states of it").await;
    browser.press("B-1: Put an item on the list").await;
    browser.see("Going back to it would change").await;
    assert!(browser.text().await.contains("list.js"), "{}", browser.text().await);
    browser.press("Go back to this state").await;
    browser.see("Back to").await;
    // What was there before is a state like any other.
    browser.press("B-2: Tick off what is in the basket").await;
    browser.press("Go back to this state").await;
    browser.until("two new states", async || browser.text().await.matches("Back to").count() == 2).await;
}

#[tokio::test]
async fn a_meeting_is_stopped_in_the_middle_of_an_answer_and_goes_on() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    let browser = Browser::open().await;
    browser.go(&program.address).await;
    browser.meet("Vision", None).await;
    browser.say("We want to buy milk.", "Welcome!").await;
    browser.press("Stop").await;
    browser.see("The meeting is stopped for now. Nothing is lost.").await;
    browser.press("Go on").await;
    browser.see("I will write the vision.").await;
    browser.press("Close the meeting").await;
    browser.see("The meeting is closed.").await;
    browser.press("Open it again").await;
    browser.see("Your message").await;
}
