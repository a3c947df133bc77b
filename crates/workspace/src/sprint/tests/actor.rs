//! A model on a real socket that answers as a function says: what was asked decides, not how often.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::model::{BaseUrl, Setup, Step, StepKind};

/// An answer.
pub enum Says {
    Words(&'static str),
    Calls(Vec<(&'static str, Value)>),
    Status(u16),
    Nonsense,
}

/// What decides: the step, and how many answers there were in the conversation.
type Asked = Arc<Mutex<Vec<String>>>;
type Part = dyn Fn(&Step, usize) -> Says + Send + Sync;

pub struct Actor {
    base: BaseUrl,
    asked: Asked,
    server: JoinHandle<()>,
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Actor {
    pub async fn playing(part: impl Fn(&Step, usize) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = BaseUrl::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let state = (Arc::new(part) as Arc<Part>, Arc::clone(&asked));
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(state);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, asked, server }
    }

    pub fn setup(&self) -> Setup {
        Setup::new(self.base.clone(), "actor")
    }

    /// All that was told to the model, a text for each question.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State((part, asked)): State<(Arc<Part>, Asked)>, body: String) -> Response {
    let question: Value = serde_json::from_str(&body).unwrap();
    let messages = question["messages"].as_array().unwrap();
    let told = messages.iter().filter_map(|message| message["content"].as_str());
    asked.lock().unwrap().push(told.collect::<Vec<_>>().join("\n---\n"));
    let step = Step::find(messages[0]["content"].as_str().unwrap()).unwrap();
    let answers = messages.iter().filter(|message| message["role"] == "assistant").count();
    let chunk = |delta: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}).to_string();
    let mut events = Vec::new();
    match part(&step, answers) {
        Says::Status(status) => return Response::builder().status(status).body(Body::from("{}")).unwrap(),
        Says::Nonsense => events.push("{{{".to_owned()),
        Says::Words(words) => events.push(chunk(json!({"content": words}))),
        Says::Calls(calls) => {
            for (index, (name, arguments)) in calls.into_iter().enumerate() {
                let function = json!({"name": name, "arguments": arguments.to_string()});
                let call = json!({"index": index, "id": format!("c{index}"), "type": "function", "function": function});
                events.push(chunk(json!({"tool_calls": [call]})));
            }
        }
    }
    events.push("[DONE]".to_owned());
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Response::builder().header(CONTENT_TYPE, "text/event-stream").body(Body::from(text)).unwrap()
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

pub const TEST: &str = "const test = require('node:test'); const assert = require('node:assert');
test('answers', () => assert.equal(require('../app.js').answer(), 42));\n";

pub const APP: &str = "exports.answer = () => 42;\n";

/// A team that does what it should; `code` is the developer's part.
pub fn team(code: impl Fn(u32, usize) -> Says + Send + Sync + 'static) -> impl Fn(&Step, usize) -> Says + Send + Sync {
    move |step, answers| match step.kind {
        StepKind::Design => Says::Words("One file."),
        StepKind::WriteTests => Says::Calls(vec![write("acceptance/app.test.js", TEST), done()]),
        _ => code(step.attempt, answers),
    }
}
