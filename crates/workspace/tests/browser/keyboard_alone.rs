//! A keyboard and nothing else, from an empty notebook to a story that is done.

use crate::browser::{Browser, ENTER, TAB};
use crate::program::{Home, REHEARSAL};
use crate::visit::{STORIES, VISION};

impl Browser {
    /// Goes to what reads like this, and presses it.
    async fn enter(&self, words: &str) {
        self.tab_to(words, |focus| focus["words"] == words).await;
        self.keys(ENTER).await;
    }

    /// Goes to a field and types.
    async fn type_into(&self, name: &str, words: &str) {
        if self.focus().await["name"] != name {
            self.tab_to(name, |focus| focus["name"] == name).await;
        }
        self.keys(words).await;
    }
}

#[tokio::test]
async fn from_an_empty_notebook_to_a_story_that_is_done() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    let browser = Browser::open().await;
    browser.go(&program.address).await;
    browser.keys(TAB).await;
    assert_eq!(browser.focus().await["words"], "Skip to content");
    browser.keys(ENTER).await;
    browser.enter("Write your first vision").await;
    browser.see("New vision").await;
    browser.type_into("title", VISION.1).await;
    browser.type_into("body", "Nobody comes home without the milk.").await;
    browser.enter("Save").await;
    browser.see("Steps towards it").await;
    browser.enter("Add an item").await;
    browser.see("New backlog item").await;
    browser.type_into("title", STORIES[0].0).await;
    browser.type_into("criteria", STORIES[0].1).await;
    browser.enter("Save").await;
    browser.see("B-1").await;
    browser.go(&format!("{}/visions/{}", program.address, VISION.0)).await;
    browser.enter("Plan a sprint").await;
    browser.see("Which stories?").await;
    browser.tab_to("a story", |focus| focus["name"] == "item").await;
    browser.keys(" ").await;
    browser.enter("Plan it").await;
    browser.see("Stop for good").await;
    browser.enter("Start").await;
    browser.see("1 of 1 done").await;
    browser.enter("All states of it").await;
    browser.see("The project begins").await;
}

#[tokio::test]
async fn a_meeting_from_the_first_word_to_the_approval() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/meetings", program.address)).await;
    browser.enter("Start").await;
    browser.see("Your message").await;
    for (words, answer) in [("We want milk.", "I will write the vision."), ("It is missing.", "Your click decides")] {
        browser.type_into("text", words).await;
        browser.enter("Send").await;
        browser.see(answer).await;
    }
    browser.until("the end of the answer", async || browser.count("Stop").await == 0).await;
    browser.reload().await;
    browser.enter("Approve").await;
    browser.see("Approved").await;
}
