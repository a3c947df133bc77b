//! Two members at once, each with a browser.

use crate::browser::Browser;
use crate::guard::{GUARDED, Guard};
use crate::program::{Home, REHEARSAL};

#[tokio::test]
async fn two_members_work_at_once_and_see_each_other() {
    let home = Home::new();
    let program = home.start(&[&REHEARSAL[..], &GUARDED[..]].concat()).await;
    let (ada_guard, bob_guard) = (
        Guard::before(&program, Some("ada@example.com")).await,
        Guard::before(&program, Some("bob@example.com")).await,
    );
    let (ada, bob) = (Browser::open().await, Browser::open().await);
    ada.go(&ada_guard.at("/")).await;
    ada.meet("Vision", None).await;
    bob.go(&bob_guard.at("/meetings/M-1")).await;
    ada.say("We want to buy milk.", "I will write the vision.").await;
    bob.see("We want to buy milk.").await;
    bob.see("I will write the vision.").await;
    bob.say("We all do. Milk is missing.", "Your click decides").await;
    ada.see("Your click decides").await;
    bob.approve().await;
    ada.see("by bob@example.com. See it").await;
    assert_eq!(ada.count("Approve").await, 0);

    for (browser, guard) in [(&ada, &ada_guard), (&bob, &bob_guard)] {
        browser.go(&guard.at("/visions/shopping-list/edit")).await;
    }
    ada.fill("body", "Milk, always.").await;
    ada.press("Save").await;
    ada.see("Milk, always.").await;
    bob.see("ada@example.com saved a new version while you are writing.").await;
    bob.fill("body", "Bread too.").await;
    bob.press("Save").await;
    bob.see("Somebody else saved while you were writing").await;
    assert_eq!(bob.value("body").await, "Bread too.");
    bob.press("Save").await;
    ada.see("Bread too.").await;

    bob.go(&bob_guard.at("/settings")).await;
    bob.see("only owners can change them").await;
    ada.go(&ada_guard.at("/settings")).await;
    ada.find("[aria-label='Save what bob@example.com may do']").await;
}
