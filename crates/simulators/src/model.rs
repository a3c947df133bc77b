//! A provider of models, as far as its protocol goes: it says what it is told to, word by word, and can be as bad as real
//! ones. What is told to break off really breaks off.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What becomes of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scene {
    /// These words, one event each, and then how many tokens were asked and answered, if that is said.
    Says(Vec<&'static str>, Option<(u64, u64)>),
    /// The first of these words; the others, and the count, when [`ModelProvider::go_on`] was called.
    Waits(Vec<&'static str>, Option<(u64, u64)>),
    /// These words, and then the connection breaks.
    BreaksOff(Vec<&'static str>),
    /// Another status with this body, and when to come back.
    Refuses(u16, Option<u64>, String),
    /// The connection breaks without a word.
    HangsUp,
}

/// A question, as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Lines of the request's head.
    pub head: String,
    /// What was asked.
    pub body: Value,
}

/// A provider that is being served; ends when dropped.
#[derive(Debug)]
pub struct ModelProvider {
    /// Where questions go: `http://127.0.0.1:…/v1`.
    pub url: String,
    state: Arc<State>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct State {
    scenes: Mutex<VecDeque<Scene>>,
    asked: watch::Sender<Vec<Asked>>,
    gate: Semaphore,
}

impl ModelProvider {
    /// A provider on a loopback port of the system's choice. Each scene is for one question; when there are no more, it
    /// says `Hello` and counts 10 tokens asked and 5 answered.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn playing(scenes: impl IntoIterator<Item = Scene>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let scenes = Mutex::new(scenes.into_iter().collect());
        let state = Arc::new(State { scenes, asked: watch::Sender::new(Vec::new()), gate: Semaphore::new(0) });
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, Arc::clone(&state), stop.clone())));
        Ok(Self { url, state, _stop: stop.drop_guard() })
    }

    /// Lets one answer that waits go on.
    pub fn go_on(&self) {
        self.state.gate.add_permits(1);
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.borrow().clone()
    }
}

impl State {
    fn scenes(&self) -> MutexGuard<'_, VecDeque<Scene>> {
        self.scenes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Scene {
        self.scenes().pop_front().unwrap_or_else(|| Scene::Says(vec!["Hello"], Some((10, 5))))
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let state = Arc::clone(&state);
        let conversation = async move {
            // An error here is a client that went away.
            let _ = converse(stream, &state).await;
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(conversation));
    }
}

async fn converse(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(asked) = read(&mut stream).await? else { return Ok(()) };
    let streams = asked.body["stream"] == true;
    let scene = state.next();
    state.asked.send_modify(|all| all.push(asked));
    match scene {
        Scene::HangsUp => Ok(()),
        Scene::Refuses(status, retry_after, body) => {
            let retry = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
            let length = body.len();
            let head = format!("HTTP/1.1 {status} No\r\ncontent-type: application/json\r\n{retry}");
            stream
                .write_all(format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}").as_bytes())
                .await
        }
        Scene::Says(words, tokens) if !streams => whole(&mut stream, &words, tokens).await,
        Scene::Says(words, tokens) => {
            begin(&mut stream).await?;
            say(&mut stream, &words).await?;
            end(&mut stream, tokens).await
        }
        Scene::Waits(words, tokens) => {
            begin(&mut stream).await?;
            let (first, others) = words.split_at(words.len().min(1));
            say(&mut stream, first).await?;
            if let Ok(leave) = state.gate.acquire().await {
                leave.forget();
            }
            say(&mut stream, others).await?;
            end(&mut stream, tokens).await
        }
        Scene::BreaksOff(words) => {
            begin(&mut stream).await?;
            // The last chunk, which would say that this is all, never comes.
            say(&mut stream, &words).await
        }
    }
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let whole = end + length.unwrap_or(0_usize);
    while bytes.len() < whole {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let body = serde_json::from_slice(bytes.get(end..whole).unwrap_or_default()).unwrap_or(Value::Null);
    Ok(Some(Asked { head, body }))
}

async fn begin(stream: &mut TcpStream) -> std::io::Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await
}

async fn say(stream: &mut TcpStream, words: &[&str]) -> std::io::Result<()> {
    for word in words {
        let choice = json!({"index": 0, "delta": {"content": word}, "finish_reason": null});
        chunk(stream, &json!({"object": "chat.completion.chunk", "choices": [choice], "usage": null}).to_string())
            .await?;
    }
    Ok(())
}

async fn end(stream: &mut TcpStream, tokens: Option<(u64, u64)>) -> std::io::Result<()> {
    let choice = json!({"index": 0, "delta": {}, "finish_reason": "stop"});
    chunk(stream, &json!({"choices": [choice]}).to_string()).await?;
    if let Some(tokens) = tokens {
        chunk(stream, &json!({"choices": [], "usage": usage(tokens)}).to_string()).await?;
    }
    chunk(stream, "[DONE]").await?;
    stream.write_all(b"0\r\n\r\n").await
}

async fn whole(stream: &mut TcpStream, words: &[&str], tokens: Option<(u64, u64)>) -> std::io::Result<()> {
    let message = json!({"role": "assistant", "content": words.join(" ")});
    let mut answer =
        json!({"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    if let Some(tokens) = tokens {
        answer["usage"] = usage(tokens);
    }
    let (answer, kind) = (answer.to_string(), "content-type: application/json\r\nconnection: close");
    stream
        .write_all(format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).as_bytes())
        .await
}

fn usage((asked, answered): (u64, u64)) -> Value {
    json!({"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered})
}

async fn chunk(stream: &mut TcpStream, data: &str) -> std::io::Result<()> {
    let event = Bytes::from(format!("data: {data}\n\n"));
    stream.write_all(format!("{:x}\r\n", event.len()).as_bytes()).await?;
    stream.write_all(&event).await?;
    stream.write_all(b"\r\n").await
}
