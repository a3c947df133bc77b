//! A person's browser: headless Chromium with a profile of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{LoggingPrefsLogLevel, WindowHandle};

use super::chromedriver::Chromedriver;

/// Some steps of the product themselves wait for 20 seconds.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(20);

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
const DRAWN: &str = "new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => shown(true))))";

/// What can be pressed and reads like the argument, the exact words before a mere beginning. Links in drawings have no
/// inner text.
const PRESSABLE: &str = "
    const words = (e) => (e.innerText ?? e.textContent).replace(/\\s+/g, ' ').trim();
    const all = [...document.querySelectorAll('a[href], button, summary')].filter((e) => e.checkVisibility());
    const found = all.find((e) => words(e) === arguments[0]) || all.find((e) => words(e).startsWith(arguments[0]));
    // A page that scrolls smoothly would move away under the pointer.
    found?.scrollIntoView({ block: 'center', behavior: 'instant' });
    return found || null;";

/// An open browser. Its methods wait until what they need is there, and fail telling what the page
/// shows instead.
pub struct Browser {
    driver: WebDriver,
    chromedriver: Chromedriver,
    profile: TempDir,
}

impl Browser {
    /// Opens one that knows nobody.
    pub async fn open() -> Self {
        let chromedriver = Chromedriver::start();
        let profile = tempfile::Builder::new().prefix("spinoff-browser-").tempdir().unwrap();
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary("/usr/bin/chromium").unwrap();
        for flag in FLAGS {
            wanted.add_arg(flag).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
        let driver = WebDriver::new(chromedriver.url(), wanted).await.expect("Chromium starts");
        Self { driver, chromedriver, profile }
    }

    /// Goes to an address and waits until the page is loaded.
    pub async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("going to {url}: {error}"));
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    pub async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// The status with which the page was answered.
    pub async fn status(&self) -> u64 {
        let asked = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.js(asked, &[]).await.as_u64().unwrap()
    }

    /// All that can be read on the page now, in one line.
    pub async fn text(&self) -> String {
        let found = self.try_js("return document.body.innerText.replace(/\\s+/g, ' ')", &[]).await;
        found.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until some words can be read.
    pub async fn see(&self, words: &str) {
        self.until(&format!("{words:?} to be seen"), async || self.text().await.contains(words)).await;
    }

    /// Waits until the address begins like this.
    pub async fn arrive(&self, url: &str) {
        self.until(&format!("to be at {url}"), async || self.url().await.starts_with(url)).await;
    }

    /// Waits until something holds.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            if begun.elapsed() > PATIENCE {
                panic!("waited in vain for {what}, at {}, which shows: {}", self.url().await, self.text().await);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Writes into the field of this name, over what stands there.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    /// What stands in the field of this name.
    pub async fn value(&self, name: &str) -> String {
        self.find(&format!("[name='{name}']")).await.value().await.unwrap().unwrap_or_default()
    }

    /// Puts a mark into the box of this name, if there is none.
    pub async fn tick(&self, name: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        if !field.is_selected().await.unwrap() {
            field.click().await.unwrap();
        }
    }

    /// Presses the link or button that reads like this.
    pub async fn press(&self, words: &str) {
        self.until(&format!("something to press that says {words:?}"), async || {
            self.try_js(PRESSABLE, &[json!(words)]).await.is_some_and(|found| !found.is_null())
        })
        .await;
        let found = self.driver.execute(PRESSABLE, vec![json!(words)]).await.unwrap().element().unwrap();
        found.click().await.unwrap_or_else(|error| panic!("pressing {words:?}: {error}"));
    }

    /// Types keys, wherever the focus is. A page that was not drawn yet would lose them.
    pub async fn keys(&self, keys: impl Into<thirtyfour::TypingData>) {
        self.js_later(DRAWN).await;
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// The only element that fits, once it is there.
    pub async fn find(&self, css: &str) -> WebElement {
        let found = self.driver.query(By::Css(css)).wait(PATIENCE, PAUSE).first().await;
        match found {
            Ok(found) => found,
            Err(_) => panic!("no {css} at {}, which shows: {}", self.url().await, self.text().await),
        }
    }

    /// What a script returns.
    pub async fn js(&self, script: &str, arguments: &[Value]) -> Value {
        let done = self.driver.execute(script, arguments.to_vec()).await;
        done.unwrap_or_else(|error| panic!("the script {script:?}: {error}")).json().clone()
    }

    /// The same when the page may be on the point of changing.
    async fn try_js(&self, script: &str, arguments: &[Value]) -> Option<Value> {
        Some(self.driver.execute(script, arguments.to_vec()).await.ok()?.json().clone())
    }

    /// What a promise of the page becomes.
    pub async fn js_later(&self, promise: &str) -> Value {
        let script = format!("const done = arguments[0]; ({promise}).then(done, (error) => done(String(error)))");
        self.driver.execute_async(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Speaks to the browser's own tools.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Takes a picture of the whole page.
    pub async fn picture(&self, to: &Path) {
        use base64::Engine as _;
        let size = &self.devtools("Page.getLayoutMetrics", json!({})).await["cssContentSize"];
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let wanted = json!({"captureBeyondViewport": true, "clip": clip});
        let taken = self.devtools("Page.captureScreenshot", wanted).await;
        let bytes = base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }

    /// What the page complained about in its console since the last look.
    pub async fn complaints(&self) -> Vec<String> {
        let all = self.driver.browser_log().await.unwrap();
        let serious = all.into_iter().filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"));
        serious.map(|entry| format!("{} {}", entry.level, entry.message)).collect()
    }

    /// Every address that was asked for since the last look.
    pub async fn requested(&self) -> Vec<String> {
        let events = self.driver.get_log("performance").await.unwrap();
        let asked = events.into_iter().filter_map(|event| {
            let message: Value = serde_json::from_str(&event.message).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent")
                .then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        });
        asked.collect()
    }

    /// The session's cookie of the page's hostname.
    pub async fn cookie(&self, name: &str) -> Option<String> {
        self.driver.get_named_cookie(name).await.ok().map(|cookie| cookie.value)
    }

    /// Goes on in a new, empty tab.
    pub async fn new_tab(&self) -> WindowHandle {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab.clone()).await.unwrap();
        tab
    }

    /// The tab that is in front.
    pub async fn tab(&self) -> WindowHandle {
        self.driver.window().await.unwrap()
    }

    /// Goes back to a tab.
    pub async fn switch_to(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
    }

    /// Goes on in the tab that a link opens. Every other one stays as it is.
    pub async fn follow_to_new_tab(&self, before: &[WindowHandle]) {
        self.until("a new tab", async || self.driver.windows().await.unwrap().len() > before.len()).await;
        let all = self.driver.windows().await.unwrap();
        let new = all.into_iter().find(|tab| !before.contains(tab)).unwrap();
        self.driver.switch_to_window(new).await.unwrap();
    }

    pub async fn tabs(&self) -> Vec<WindowHandle> {
        self.driver.windows().await.unwrap()
    }

    /// Looks into the frame of a page, or out of it again.
    pub async fn enter_frame(&self, css: &str) {
        self.find(css).await.enter_frame().await.unwrap();
    }

    pub async fn leave_frame(&self) {
        self.driver.enter_default_frame().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session politely would wait for this very thread.
        let _ = self.driver.clone().leak();
        self.chromedriver.stop();
        // The browser writes to its profile until it has noticed that it is alone and ended.
        let begun = Instant::now();
        while runs_with(self.profile.path()) && begun.elapsed() < PATIENCE {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether any process was started on this profile.
fn runs_with(profile: &Path) -> bool {
    let mark = profile.to_str().unwrap().as_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut commands = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    commands.any(|command| command.windows(mark.len()).any(|part| part == mark))
}
