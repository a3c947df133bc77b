use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::http::Connection;
use crate::product::{free_address, wait_for, wait_until_served};
use crate::services;
use crate::temporary::TemporaryFolder;

/// Keeps the browser from speaking with anybody but our own server, and from differing between machines.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en-GB",
];

/// Waits until everything on the page stands where it belongs.
const SETTLE: &str = "
    scrollTo(0, 0);
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const ends = (animation) => animation.effect?.getComputedTiming().endTime !== Infinity;
    return frame().then(frame).then(() =>
        Promise.allSettled(document.getAnimations().filter(ends).map((animation) => animation.finished)))
        .then(() => null)";

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub name: &'static str,
    width: u32,
    height: u32,
    phone: bool,
    scheme: &'static str,
}

/// The first is the one that documents use.
pub const LOOKS: [Look; 4] = [
    Look { name: "", width: 1280, height: 1000, phone: false, scheme: "light" },
    Look { name: "-dark", width: 1280, height: 1000, phone: false, scheme: "dark" },
    Look { name: "-phone", width: 390, height: 844, phone: true, scheme: "light" },
    Look { name: "-phone-dark", width: 390, height: 844, phone: true, scheme: "dark" },
];

/// A headless Chromium, driven through WebDriver.
pub struct Browser {
    driver: Child,
    connection: Connection,
    session: String,
    _profile: TemporaryFolder,
}

impl Browser {
    pub fn open() -> Result<Self> {
        let program = services::find_driver()?;
        let profile = TemporaryFolder::new("browser")?;
        let address = free_address()?;
        let mut command = Command::new(program);
        command.arg(format!("--port={}", address.port())).stdin(Stdio::null()).stdout(Stdio::null());
        let mut driver = command.stderr(Stdio::null()).spawn().context("can't start the browser's driver")?;
        wait_until_served(&mut driver, address, "/status", Instant::now())?;
        let connection = Connection::open(address, &format!("localhost:{}", address.port()))?;
        let mut browser = Self { driver, connection, session: String::new(), _profile: profile };
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": flags } });
        let session = browser.ask("", &json!({ "capabilities": { "alwaysMatch": wanted } }))?;
        browser.session = session["sessionId"].as_str().context("the driver opened no session")?.to_owned();
        Ok(browser)
    }

    /// Goes to an address and waits until the page is loaded.
    pub fn go(&mut self, url: &str) -> Result<()> {
        self.ask("/url", &json!({ "url": url })).map(|_| ())
    }

    /// Runs a script in the page; a promise that it returns is waited for.
    pub fn run(&mut self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.ask("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Waits until something is there.
    pub fn wait_for(&mut self, selector: &str) -> Result<()> {
        wait_for(&format!("`{selector}` on the page"), || {
            // While the page changes, there is nothing to ask.
            let found = self.run("return document.querySelector(arguments[0]) !== null", &[json!(selector)]);
            Ok(found.ok().filter(|found| *found == true).map(|_| ()))
        })
    }

    /// Fills the form that has these fields, as far as it can be without sending it.
    pub fn fill(&mut self, fields: &[(&str, &str)]) -> Result<()> {
        let fields: Vec<Value> = fields.iter().map(|(name, value)| json!([name, value])).collect();
        let script = "
            const form = [...document.forms].find((form) => arguments[0].every(([name]) => form.elements[name]));
            if (!form) return false;
            for (const [name, value] of arguments[0]) {
                const field = form.elements[name];
                if (field.type === 'checkbox') field.checked = true; else field.value = value;
                field.dispatchEvent(new Event('input', { bubbles: true }));
            }
            window.filled = form;
            return true";
        if self.run(script, &[json!(fields)])? != true {
            bail!("the page has no form with these fields: {}", Value::from(fields));
        }
        Ok(())
    }

    /// Sends the form that was filled, as its button would.
    pub fn send(&mut self) -> Result<()> {
        self.run("window.filled.requestSubmit()", &[]).map(|_| ())
    }

    /// Shows the page in some way from now on.
    pub fn look(&mut self, look: Look) -> Result<()> {
        let size = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.phone,
        });
        self.develop("Emulation.setDeviceMetricsOverride", &size)?;
        let features = json!([
            { "name": "prefers-color-scheme", "value": look.scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.develop("Emulation.setEmulatedMedia", &json!({ "features": features }))?;
        self.run(SETTLE, &[])?;
        Ok(())
    }

    /// Writes what is seen of the page to a PNG file.
    pub fn take(&mut self, file: &Path) -> Result<()> {
        let taken = self.develop("Page.captureScreenshot", &json!({ "format": "png" }))?;
        let data = taken["data"].as_str().context("the browser gave no picture")?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(data)?;
        fs::write(file, bytes).with_context(|| format!("writing {}", file.display()))
    }

    fn develop(&mut self, command: &str, parameters: &Value) -> Result<Value> {
        self.ask("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn ask(&mut self, what: &str, body: &Value) -> Result<Value> {
        let session = if self.session.is_empty() { String::new() } else { format!("/{}", self.session) };
        let answer = self.connection.post_json(&format!("/session{session}{what}"), body)?.json()?;
        let value = answer["value"].clone();
        match value["error"].as_str() {
            Some(error) => bail!("the browser can't do {what}: {error}: {}", value["message"]),
            None => Ok(value),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; without it the driver's end would leave it running.
        let _ = self.connection.send("DELETE", &format!("/session/{}", self.session), "", b"");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
