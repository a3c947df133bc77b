//! `/-/model/v1/…`: the application asks the model that the main instance offers. The guard adds the proof whose
//! question it is, so that the application needs no credential, and none can be taken from it.
//!
//! Whoever can report use can ask: see `activity/application_report.rs` for who that is. What can be lost is this
//! instance's own allowance.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use proxy::Body;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::answers::json_answer;
use crate::link::{Ask, Link};
use crate::settings::Main;

/// The main instance takes no longer ones.
const LARGEST_QUESTION: usize = 2 << 20;
/// For a question to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How many of them may be under way: each is held whole for a moment.
const AT_ONCE: usize = 16;

/// Each address here, its method, and where it leads at the main instance.
static PATHS: [(&str, Method, &str); 2] = [
    ("/-/model/v1/chat/completions", Method::POST, "/model/chat/completions"),
    ("/-/model/v1/models", Method::GET, "/model/models"),
];

/// The way to the main instance's model.
pub(crate) struct Model {
    url: Uri,
    token: SecretString,
    link: Link,
    room: Arc<Semaphore>,
}

/// Whether this is a question, by its target alone.
pub(crate) fn is_question(target: &Uri) -> bool {
    PATHS.iter().any(|(path, ..)| target == *path)
}

impl Model {
    pub(crate) fn new(main: &Main, link: Link) -> Self {
        let (url, token) = (main.url.clone(), main.token.clone());
        Self { url, token, link, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Passes a question on, and the answer back as it arrives.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let Some((_, method, path)) = PATHS.iter().find(|(path, ..)| request.uri() == *path) else {
            return told(StatusCode::NOT_FOUND, "not_found", "There is nothing here.");
        };
        if request.method() != method {
            let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, "method", "This address takes another method.");
            if let Ok(allowed) = HeaderValue::from_str(method.as_str()) {
                answer.headers_mut().insert(ALLOW, allowed);
            }
            return answer;
        }
        let Ok(_room) = self.room.try_acquire() else {
            let words = "Too many questions are on their way already. Wait for one of them.";
            let mut answer = told(StatusCode::TOO_MANY_REQUESTS, "too_many_at_once", words);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
            return answer;
        };
        let json = match question(method, request.into_body()).await {
            Ok(json) => json,
            Err(refused) => return refused,
        };
        let Ok(url) = format!("{}{}{path}", self.url.to_string().trim_end_matches('/'), api::PREFIX).parse() else {
            return away();
        };
        let ask = Ask { method: method.clone(), url, token: Some(&self.token), json };
        match self.link.relay(ask).await {
            Ok(answer) => passed_on(answer),
            Err(error) => {
                tracing::warn!(%error, "The main instance gave no answer to a question for the model: {error}");
                away()
            }
        }
    }
}

async fn question(method: &Method, body: Incoming) -> Result<Option<Vec<u8>>, Response<Body>> {
    if method == Method::GET {
        return Ok(None);
    }
    match tokio::time::timeout(ARRIVAL, Limited::new(body, LARGEST_QUESTION).collect()).await {
        Ok(Ok(body)) => Ok(Some(body.to_bytes().into())),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let words = format!("The question is larger than {} KiB. Ask with less beside it.", LARGEST_QUESTION >> 10);
            Err(told(StatusCode::PAYLOAD_TOO_LARGE, "question_too_large", &words))
        }
        Ok(Err(_)) => Err(told(StatusCode::BAD_REQUEST, "broken_off", "The question broke off.")),
        Err(_) => Err(told(StatusCode::REQUEST_TIMEOUT, "broken_off", "The question did not arrive in time.")),
    }
}

/// Only what an answer needs: its kind, and when to come back.
fn passed_on(answer: Response<Body>) -> Response<Body> {
    let (head, body) = answer.into_parts();
    let mut passed_on = Response::new(body);
    *passed_on.status_mut() = head.status;
    for name in [CONTENT_TYPE, RETRY_AFTER] {
        if let Some(value) = head.headers.get(&name) {
            passed_on.headers_mut().insert(name, value.clone());
        }
    }
    passed_on
}

fn away() -> Response<Body> {
    let words = "The way to the included AI is interrupted. Ask again in a moment.";
    told(StatusCode::BAD_GATEWAY, "gateway_unreachable", words)
}

/// In the form that clients of models read.
fn told(status: StatusCode, code: &str, words: &str) -> Response<Body> {
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    json_answer(status, &json!({"error": {"message": words, "type": kind, "param": null, "code": code}}))
}
