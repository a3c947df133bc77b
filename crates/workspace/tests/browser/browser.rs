//! A person's browser: headless Chromium with a profile of its own. What is done waits until what it needs is
//! there, and fails telling what the page shows instead.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::webdriver::{Element, Session};

/// A sprint of three stories takes most of it on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(200);
const PAUSE: Duration = Duration::from_millis(20);

/// The Tab key and the Enter key, as the protocol writes them.
pub const TAB: &str = "\u{E004}";
pub const ENTER: &str = "\u{E007}";

/// More presses of the Tab key than any page has stops on the way to what matters on it.
const STOPS: usize = 60;

const FLAGS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--lang=en-GB",
    "--window-size=1280,900",
    // Ends the browser when its chromedriver ends, however that happens.
    "--remote-debugging-pipe",
];

/// Two frames: when the second begins, the first was shown.
const DRAWN: &str =
    "return new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => shown(true))))";

/// What can be pressed and reads like the argument, the exact words before a mere beginning.
const PRESSABLE: &str = r"
    const words = (e) => e.innerText.replace(/\s+/g, ' ').trim();
    const all = [...document.querySelectorAll('a[href], button, summary')].filter((e) => e.checkVisibility());
    const found = all.find((e) => words(e) === arguments[0]) || all.find((e) => words(e).startsWith(arguments[0]));
    // A page that scrolls smoothly would move away under the pointer.
    found?.scrollIntoView({ block: 'center', behavior: 'instant' });
    return found || null;";

/// Where the keyboard is, and whether that can be seen.
const FOCUS: &str = r"
    const e = document.activeElement;
    const style = getComputedStyle(e);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    return { words: (e.innerText || '').replace(/\s+/g, ' ').trim(), what: e.outerHTML.slice(0, 120),
        name: e.getAttribute('name'), seen: e === document.body || outlined || style.boxShadow !== 'none' };";

/// An open browser.
pub struct Browser {
    session: Session,
    _profile: TempDir,
}

impl Browser {
    /// Opens one that knows nobody.
    pub async fn open() -> Self {
        let profile = tempfile::Builder::new().prefix("ai-diy-browser-").tempdir().unwrap();
        let profile_flag = format!("--user-data-dir={}", profile.path().display());
        let flags: Vec<&str> = FLAGS.into_iter().chain([profile_flag.as_str()]).collect();
        Self { session: Session::open(&flags).await, _profile: profile }
    }

    /// Goes to an address and waits until the page is loaded.
    pub async fn go(&self, url: &str) {
        self.session.ask("/url", json!({ "url": url })).await.unwrap_or_else(|error| panic!("going to {url}: {error}"));
    }

    pub async fn reload(&self) {
        self.session.ask("/refresh", json!({})).await.unwrap();
    }

    /// The status with which the page was answered.
    pub async fn status(&self) -> u64 {
        let asked = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.js(asked, &[]).await.as_u64().unwrap()
    }

    /// All that can be read on the page now, in one line; nothing while it changes.
    pub async fn text(&self) -> String {
        let found =
            self.session.run(r"return location.href + ' ' + document.body.innerText.replace(/\s+/g, ' ')", &[]).await;
        found.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until some words can be read.
    pub async fn see(&self, words: &str) {
        self.until(&format!("{words:?} to be seen"), async || self.text().await.contains(words)).await;
    }

    /// Waits until something holds.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            if begun.elapsed() > PATIENCE {
                panic!("waited in vain for {what}, at {}", self.text().await);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The first element that fits, once it is there.
    pub async fn find(&self, css: &str) -> Element {
        let (script, arguments) = ("return document.querySelector(arguments[0])", [json!(css)]);
        self.until(css, async || self.session.element(script, &arguments).await.is_some()).await;
        let found = self.session.element(script, &arguments).await;
        found.unwrap_or_else(|| panic!("{css} is gone again"))
    }

    /// Writes into the field of this name, over what stands there.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        self.session.write(&field, value).await.unwrap_or_else(|error| panic!("writing into {name}: {error}"));
    }

    /// What stands in the field of this name.
    pub async fn value(&self, name: &str) -> String {
        let script = "return document.querySelector(`[name='${arguments[0]}']`).value";
        self.js(script, &[json!(name)]).await.as_str().unwrap().to_owned()
    }

    /// Presses the link or button that reads like this.
    pub async fn press(&self, words: &str) {
        let what = format!("something to press that says {words:?}");
        self.until(&what, async || {
            // What moves away under the pointer is tried again.
            let found = self.session.element(PRESSABLE, &[json!(words)]).await;
            match found {
                Some(found) => self.session.click(&found).await.is_ok(),
                None => false,
            }
        })
        .await;
    }

    pub async fn click(&self, element: &Element) {
        self.session.click(element).await.unwrap_or_else(|error| panic!("pressing: {error}"));
    }

    /// Types keys, wherever the focus is. A page that was not drawn yet would lose them.
    pub async fn keys(&self, keys: &str) {
        self.js(DRAWN, &[]).await;
        self.session.press(keys).await.unwrap();
    }

    /// What a script returns; a promise is waited for.
    pub async fn js(&self, script: &str, arguments: &[Value]) -> Value {
        let done = self.session.run(script, arguments).await;
        done.unwrap_or_else(|error| panic!("a script of {} bytes: {error}", script.len()))
    }

    /// Speaks to the browser's own tools.
    pub async fn devtools(&self, command: &str, parameters: Value) {
        self.session.devtools(command, parameters).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// What the page complained about in its console since the last look.
    pub async fn complaints(&self) -> Vec<String> {
        let all = self.session.ask("/se/log", json!({ "type": "browser" })).await.unwrap();
        let serious =
            all.as_array().unwrap().iter().filter(|said| said["level"] == "SEVERE" || said["level"] == "WARNING");
        serious.map(|said| said["message"].to_string()).collect()
    }

    /// Where the keyboard is: `words`, `name`, the beginning of `what` it is, and whether it is `seen`.
    pub async fn focus(&self) -> Value {
        self.js(FOCUS, &[]).await
    }

    /// Presses Tab until the keyboard is at something, which can be seen all the way.
    pub async fn tab_to(&self, what: &str, arrived: impl Fn(&Value) -> bool) {
        let mut stops = Vec::new();
        for _ in 0..STOPS {
            self.keys(TAB).await;
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
