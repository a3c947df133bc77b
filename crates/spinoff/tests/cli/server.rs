//! A small main instance: answers as it was told to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

pub const INSTANCE: &str = "ins_01kat1zgr00000000000000000";
pub const WORKFLOW: &str = "wfl_01kat1zgr00000000000000000";
const CUSTOMER: &str = "cus_01kat1zgr00000000000000000";

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Method and address.
    pub line: String,
    pub token: Option<String>,
    pub key: Option<String>,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    answers: Mutex<BTreeMap<String, Vec<(u16, Value)>>>,
    seen: Mutex<Vec<Seen>>,
}

/// A running server; gone with the test's process.
pub struct Server {
    pub url: String,
    inner: Arc<Inner>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let inner = Arc::new(Inner::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
            });
        });
        Self { url, inner }
    }

    /// Answers `GET /api/v1/…` and the like; told several times, gives the answers in turn and then
    /// repeats the last one.
    pub fn on(self, line: &str, status: u16, body: Value) -> Self {
        self.inner.answers.lock().unwrap().entry(line.to_owned()).or_default().push((status, body));
        self
    }

    /// What was asked, without the questions that only look.
    pub fn changes(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.line.starts_with("GET ")).collect()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let line = format!("{} {}", parts.method, parts.uri);
    inner.seen.lock().unwrap().push(Seen {
        line: line.clone(),
        token: header("authorization"),
        key: header("idempotency-key"),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let mut answers = inner.answers.lock().unwrap();
    let Some(answers) = answers.get_mut(&line) else {
        let problem = json!({"status": 404, "title": "not found", "detail": format!("nothing is at {line}")});
        return (StatusCode::NOT_FOUND, Json(problem)).into_response();
    };
    let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    let status = StatusCode::from_u16(status).unwrap();
    match body {
        Value::String(text) => (status, text).into_response(),
        Value::Null => status.into_response(),
        body => (status, Json(body)).into_response(),
    }
}

pub fn problem(status: u16, title: &str, next_step: &str) -> Value {
    json!({"type": "about:blank", "title": title, "status": status, "detail": "because", "next_step": next_step})
}

pub fn instance(subdomain: &str, state: &str) -> Value {
    json!({
        "id": INSTANCE,
        "project": format!("ai-diy-{subdomain}"),
        "subdomain": subdomain,
        "url": format!("http://{subdomain}.localhost:8080"),
        "customer_id": CUSTOMER,
        "customer_email": "ada@example.com",
        "state": state,
        "health": if state == "active" { json!("ok") } else { Value::Null },
        // Ahead of every clock, so that its age is the same whenever the test runs.
        "observed_at": if state == "active" { json!("2999-01-01T00:00:00Z") } else { Value::Null },
        "observed_by": if state == "active" { json!("local") } else { Value::Null },
        "release": null,
        "created_at": "2026-11-24T10:00:00Z",
        "workflow_id": WORKFLOW,
    })
}

pub fn step(name: &str, direction: &str, state: &str) -> Value {
    json!({
        "name": name,
        "direction": direction,
        "state": state,
        "attempts": 1,
        "error": if state == "failed" { json!("no room") } else { Value::Null },
        "started_at": "2026-11-24T10:00:00Z",
        "finished_at": if state == "started" { Value::Null } else { json!("2026-11-24T10:00:00.25Z") },
        "duration_ms": if state == "started" { Value::Null } else { json!(250) },
    })
}

pub fn workflow(state: &str, steps: &[Value]) -> Value {
    json!({
        "id": WORKFLOW,
        "kind": "provision",
        "subject": "ai-diy-acme",
        "state": state,
        "attempt": 1,
        "error": if state == "failed" { json!("no room") } else { Value::Null },
        "created_at": "2026-11-24T10:00:00Z",
        "finished_at": null,
        "due_at": null,
        "steps": steps,
    })
}

pub fn accepted() -> Value {
    json!({"id": INSTANCE, "workflow_id": WORKFLOW, "url": "http://acme.localhost:8080"})
}
