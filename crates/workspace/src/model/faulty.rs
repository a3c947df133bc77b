//! A provider for tests, on a real socket, that can be as bad as real ones: it plays one scene for
//! each question, and the last one again and again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{BaseUrl, Setup};

/// What the provider does with one question.
#[derive(Debug, Clone)]
pub enum Scene {
    /// Sends these bytes and closes the connection.
    Sends(String),
    /// Sends these bytes and then nothing, for ever.
    Hangs(String),
    /// Sends the first bytes once and the others again and again, for ever.
    Repeats(String, String),
    /// Closes the connection without a word.
    HangsUp,
}

/// The provider; it is gone when this is dropped.
pub struct Provider {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    server: JoinHandle<()>,
}

/// A question as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The head of the request, as it was sent.
    pub head: String,
    /// The body.
    pub body: Value,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Provider {
    /// A provider that plays these scenes.
    pub async fn playing(scenes: impl IntoIterator<Item = Scene>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let scenes: Arc<Vec<Scene>> = Arc::new(scenes.into_iter().collect());
        let heard = Arc::clone(&asked);
        let server = tokio::spawn(async move {
            let mut number = 0;
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let scene = scenes[number.min(scenes.len() - 1)].clone();
                number += 1;
                tokio::spawn(play(stream, scene, Arc::clone(&heard)));
            }
        });
        Self { address, asked, server }
    }

    /// How it is reached.
    pub fn setup(&self) -> Setup {
        Setup::new(BaseUrl::parse(&self.address).unwrap(), "test-model")
    }

    /// Its address, as a person would type it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn play(mut stream: TcpStream, scene: Scene, asked: Arc<Mutex<Vec<Asked>>>) {
    let Some(question) = read_question(&mut stream).await else { return };
    asked.lock().unwrap().push(question);
    match scene {
        Scene::HangsUp => {}
        Scene::Sends(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Scene::Hangs(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            std::future::pending::<()>().await;
        }
        Scene::Repeats(first, again) => {
            let _ = stream.write_all(first.as_bytes()).await;
            while stream.write_all(again.as_bytes()).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn read_question(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let length: usize = length.unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Asked { head, body: serde_json::from_slice(&bytes[end..]).unwrap_or(Value::Null) })
}

/// The head of a stream of events.
pub const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// A stream of these events, as they are, to its end.
pub fn stream(events: &[String]) -> String {
    format!("{STREAM}{}", events.concat())
}

/// The event of a piece of text.
pub fn text(piece: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]}))
}

/// The event of a whole call.
pub fn call(name: &str, arguments: &str) -> String {
    let function = json!({"name": name, "arguments": arguments});
    let call = json!({"index": 0, "id": "call_1", "type": "function", "function": function});
    event(&json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null}]}))
}

/// The events at the end of an answer.
pub fn end(reason: &str) -> String {
    let last = event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}));
    format!("{last}data: [DONE]\n\n")
}

/// Any event.
pub fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// An answer that says this and nothing else.
pub fn says(words: &str) -> Scene {
    Scene::Sends(stream(&[text(words), end("stop")]))
}

/// An answer with another status, a header, and a body.
pub fn refuses(status: u16, header: &str, body: &str) -> Scene {
    let length = body.len();
    Scene::Sends(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}
