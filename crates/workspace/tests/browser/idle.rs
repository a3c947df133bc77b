//! An open tab that nobody uses: it hears of changes, and asks for nothing.

use crate::browser::Browser;
use crate::guard::{GUARDED, Guard};
use crate::program::{Home, REHEARSAL};

/// Signs of life to wait for. Each stream shows one every 25 seconds, and this page has two streams.
const BEATS: usize = 4;

#[tokio::test]
async fn an_open_tab_asks_for_nothing_and_still_hears_of_changes() {
    let home = Home::new();
    let program = home.start(&[&REHEARSAL[..], &GUARDED[..]].concat()).await;
    let (guard, other) = (
        Guard::before(&program, Some("ada@example.com")).await,
        Guard::before(&program, Some("bob@example.com")).await,
    );
    let browser = Browser::open().await;
    browser.go(&guard.at("/")).await;
    browser.meet("Vision", None).await;
    // Both streams are open once they have shown their first signs of life.
    guard.beats(2).await;
    guard.requests();
    guard.beats(BEATS).await;
    assert_eq!(guard.requests(), Vec::<String>::new());
    let words = [("text", "Is anybody there?")];
    reqwest::Client::new().post(other.at("/meetings/M-1/messages")).form(&words).send().await.unwrap();
    browser.see("Is anybody there?").await;
}
