//! A model on a real socket whose answers follow from what is asked, and that counts what it is paid for.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::post;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The name of the model.
pub const MODEL: &str = "actor";

/// The tokens of every question and of every answer, as it counts them.
pub const ASKED: u64 = 1_000;
pub const ANSWERED: u64 = 500;

/// A question.
pub struct Question {
    /// The step that it belongs to, such as `write-code`; empty outside of sprints.
    pub step: String,
    /// How often the code of the story was written before, and once more.
    pub attempt: u32,
    /// How many answers there were before in the conversation.
    pub answers: usize,
}

/// An answer.
pub enum Says {
    Words(&'static str),
    Calls(Vec<(&'static str, Value)>),
    Status(u16),
    /// These words, and then nothing more for ever.
    Hangs(&'static str),
}

type Part = dyn Fn(&Question) -> Says + Send + Sync;

/// The provider; gone when this is dropped.
pub struct Provider {
    /// Its address, as a person would type it.
    pub address: String,
    asked: watch::Receiver<u64>,
    paid: Arc<Mutex<u64>>,
    server: JoinHandle<()>,
}

struct Stage {
    part: Box<Part>,
    asked: watch::Sender<u64>,
    paid: Arc<Mutex<u64>>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Provider {
    pub async fn playing(part: impl Fn(&Question) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let (sender, asked) = watch::channel(0);
        let paid = Arc::new(Mutex::new(0));
        let stage = Stage { part: Box::new(part), asked: sender, paid: Arc::clone(&paid) };
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(Arc::new(stage));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, asked, paid, server }
    }

    /// How the program is told of it.
    pub fn options(&self) -> [&str; 4] {
        ["--model-url", &self.address, "--model-name", MODEL]
    }

    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    /// Waits until it was asked so often.
    pub async fn asked_times(&self, times: u64) {
        self.asked.clone().wait_for(|asked| *asked >= times).await.unwrap();
    }

    /// How many answers it has given, which have to be paid.
    pub fn paid(&self) -> u64 {
        *self.paid.lock().unwrap()
    }
}

async fn answer(State(stage): State<Arc<Stage>>, body: String) -> Response {
    stage.asked.send_modify(|asked| *asked += 1);
    let question = read(&serde_json::from_str(&body).unwrap());
    let chunk = |delta: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
    let mut events = Vec::new();
    let mut hangs = false;
    match (stage.part)(&question) {
        Says::Status(status) => return Response::builder().status(status).body(Body::from("{}")).unwrap(),
        Says::Words(words) => events.push(chunk(json!({"content": words}))),
        Says::Hangs(words) => {
            events.push(chunk(json!({"content": words})));
            hangs = true;
        }
        Says::Calls(calls) => {
            for (index, (name, arguments)) in calls.into_iter().enumerate() {
                let function = json!({"name": name, "arguments": arguments.to_string()});
                let call = json!({"index": index, "id": format!("c{index}"), "type": "function", "function": function});
                events.push(chunk(json!({"tool_calls": [call]})));
            }
        }
    }
    if !hangs {
        let usage = json!({"prompt_tokens": ASKED, "completion_tokens": ANSWERED});
        events.push(json!({"choices": [], "usage": usage}));
        *stage.paid.lock().unwrap() += 1;
    }
    let mut text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    if !hangs {
        text.push_str("data: [DONE]\n\n");
    }
    let rest = if hangs { stream::pending().left_stream() } else { stream::empty().right_stream() };
    let pieces = stream::iter([Ok::<_, std::convert::Infallible>(text)]).chain(rest);
    Response::builder().header(CONTENT_TYPE, "text/event-stream").body(Body::from_stream(pieces)).unwrap()
}

fn read(asked: &Value) -> Question {
    let messages = asked["messages"].as_array().unwrap();
    let system = messages[0]["content"].as_str().unwrap_or_default();
    let line = system.lines().find_map(|line| line.strip_prefix("Step: ")).unwrap_or_default();
    let attempt = line.split("; ").find_map(|part| part.strip_prefix("attempt: ")?.parse().ok());
    Question {
        step: line.split(';').next().unwrap_or_default().to_owned(),
        attempt: attempt.unwrap_or(1),
        answers: messages.iter().filter(|message| message["role"] == "assistant").count(),
    }
}

pub fn write(path: &str, content: &str) -> (&'static str, Value) {
    ("write_file", json!({"path": path, "content": content}))
}

pub fn run(command: &str) -> (&'static str, Value) {
    ("run", json!({"command": command}))
}

pub fn done() -> (&'static str, Value) {
    ("done", json!({"summary": "It is done."}))
}

/// A team that designs, writes a test, and leaves the code to `code`.
pub fn team(code: impl Fn(&Question) -> Says + Send + Sync + 'static) -> impl Fn(&Question) -> Says + Send + Sync {
    move |question| match question.step.as_str() {
        "design" => Says::Words("One file."),
        "write-tests" => Says::Calls(vec![write("acceptance/app.test.js", TEST), done()]),
        "write-code" => code(question),
        _ => Says::Words("Good."),
    }
}

pub const TEST: &str = "const test = require('node:test'); const assert = require('node:assert');
test('answers', () => assert.equal(require('../app.js').answer(), 42));\n";

pub const APP: &str = "exports.answer = () => 42;\n";
