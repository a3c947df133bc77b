//! A page used without a pointer.

use serde_json::{Value, json};
use thirtyfour::Key;

use super::browser::Browser;

/// More presses of the Tab key than any page has stops on the way to what matters on it.
const STOPS: usize = 60;

/// Where the keyboard is, and whether that can be seen.
const FOCUS: &str = r#"
    const e = document.activeElement;
    const style = getComputedStyle(e);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    return { words: (e.innerText || '').replace(/\s+/g, ' ').trim(), what: e.outerHTML.slice(0, 120),
        name: e.getAttribute('name'), link: e.getAttribute('href'),
        seen: e === document.body || outlined || style.boxShadow !== 'none' };"#;

impl Browser {
    /// Where the keyboard is: `words`, `name`, `link`, the beginning of `what` it is, and whether it is `seen`.
    pub async fn focus(&self) -> Value {
        self.js(FOCUS, &[]).await
    }

    /// Presses Tab until the keyboard is at what reads like this.
    pub async fn tab_to(&self, words: &str) {
        self.tab_until(words, |focus| focus["words"] == words).await;
    }

    /// The same for the field of a name.
    pub async fn tab_to_field(&self, name: &str) {
        self.tab_until(name, |focus| focus["name"] == name).await;
    }

    /// The same for the link to an address.
    pub async fn tab_to_link(&self, address: &str) {
        self.tab_until(address, |focus| focus["link"] == address).await;
    }

    async fn tab_until(&self, what: &str, arrived: impl Fn(&Value) -> bool) {
        let mut stops = Vec::new();
        for _ in 0..STOPS {
            self.keys(Key::Tab + "").await;
            let focus = self.focus().await;
            assert_eq!(focus["seen"], json!(true), "the focus can't be seen on {}", focus["what"]);
            if arrived(&focus) {
                return;
            }
            stops.push(focus["what"].to_string());
        }
        panic!("{what:?} is not reached by {STOPS} presses of Tab: {stops:#?}");
    }
}
