//! Chromium by the WebDriver protocol, as much of it as is needed here.

use serde_json::{Value, json};

use crate::chromedriver::Chromedriver;

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session with a browser; the browser ends with it.
pub struct Session {
    http: reqwest::Client,
    address: String,
    _chromedriver: Chromedriver,
}

/// An element of the page.
pub struct Element(String);

impl Session {
    /// Opens a browser with these flags.
    pub async fn open(flags: &[&str]) -> Self {
        let chromedriver = Chromedriver::start();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut session =
            Self { http, address: format!("{}/session", chromedriver.url()), _chromedriver: chromedriver };
        let options = json!({ "binary": "/usr/bin/chromium", "args": flags });
        let wanted =
            json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"} });
        let opened = session.ask("", json!({ "capabilities": { "alwaysMatch": wanted } })).await;
        let opened = opened.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        session.address = format!("{}/{}", session.address, opened["sessionId"].as_str().unwrap());
        session
    }

    /// Asks for something; the error is what the browser says.
    pub async fn ask(&self, what: &str, body: Value) -> Result<Value, String> {
        let sent = self.http.post(format!("{}{what}", self.address)).json(&body).send().await;
        let mut answer: Value = sent.unwrap().json().await.unwrap();
        let value = answer["value"].take();
        if value["error"].is_string() { Err(value.to_string()) } else { Ok(value) }
    }

    /// What a script returns; a promise that it returns is waited for.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, String> {
        self.ask("/execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// The element that a script returns, if it returns one.
    pub async fn element(&self, script: &str, arguments: &[Value]) -> Option<Element> {
        let found = self.run(script, arguments).await.ok()?;
        Some(Element(found[ELEMENT].as_str()?.to_owned()))
    }

    pub async fn click(&self, element: &Element) -> Result<Value, String> {
        self.ask(&format!("/element/{}/click", element.0), json!({})).await
    }

    /// Types over what stands in a field.
    pub async fn write(&self, element: &Element, text: &str) -> Result<Value, String> {
        self.ask(&format!("/element/{}/clear", element.0), json!({})).await?;
        self.ask(&format!("/element/{}/value", element.0), json!({ "text": text })).await
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<Value, String> {
        let key = |kind: &str, key: char| json!({ "type": kind, "value": key.to_string() });
        let strokes: Vec<Value> = keys.chars().flat_map(|it| [key("keyDown", it), key("keyUp", it)]).collect();
        self.ask("/actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] })).await
    }

    /// Speaks to the browser's own tools.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.ask("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }
}
