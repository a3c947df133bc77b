//! What stands in front of the program where people sign in: it says who is here, and stays when the
//! program is started anew.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::program::Program;

/// How a program is told that a guard stands in front of it.
pub const GUARDED: [&str; 2] = ["--public-hostname", "workspace.example"];

/// What a stream says so that nothing on the way takes it for dead.
const SIGN_OF_LIFE: &[u8] = b": still here";

/// The guard of one visitor; gone when this is dropped.
pub struct Guard {
    /// Where the visitor finds it.
    pub address: String,
    inner: Arc<Inner>,
    beats: watch::Receiver<usize>,
    refusals: watch::Receiver<usize>,
    server: JoinHandle<()>,
}

struct Inner {
    user: Option<&'static str>,
    program: Mutex<String>,
    requests: Mutex<Vec<String>>,
    beats: watch::Sender<usize>,
    refusals: watch::Sender<usize>,
    client: reqwest::Client,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Guard {
    /// Stands in front of a program, for somebody who signed in, or for nobody in particular.
    pub async fn before(program: &Program, user: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).no_proxy();
        let (beaten, beats) = watch::channel(0);
        let (refused, refusals) = watch::channel(0);
        let inner = Arc::new(Inner {
            user,
            program: Mutex::new(program.address.clone()),
            requests: Mutex::default(),
            beats: beaten,
            refusals: refused,
            client: client.build().unwrap(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inner, beats, refusals, server }
    }

    /// Leads to another life of the program from now on.
    pub fn lead_to(&self, program: &Program) {
        self.inner.program.lock().unwrap().clone_from(&program.address);
    }

    /// Everything that was asked for since the last look.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.requests.lock().unwrap())
    }

    /// Waits until streams have shown so many more signs of life.
    pub async fn beats(&self, more: usize) {
        let until = *self.beats.borrow() + more;
        self.beats.clone().wait_for(|beats| *beats >= until).await.unwrap();
    }

    /// Hears how often the visitor asked for something while the program was away.
    pub fn refusals(&self) -> watch::Receiver<usize> {
        let mut refusals = self.refusals.clone();
        refusals.mark_unchanged();
        refusals
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    inner.requests.lock().unwrap().push(format!("{} {path}", parts.method));
    let address = format!("{}{path}", inner.program.lock().unwrap());
    let mut headers = parts.headers;
    headers.remove(CONNECTION);
    if let Some(user) = inner.user {
        headers.insert("x-spinoff-user", HeaderValue::from_static(user));
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(answer) = inner.client.request(parts.method, address).headers(headers).body(body).send().await else {
        inner.refusals.send_modify(|refusals| *refusals += 1);
        return (StatusCode::BAD_GATEWAY, "The workspace does not answer.").into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(TRANSFER_ENCODING);
    headers.remove(CONNECTION);
    let pieces = answer.bytes_stream().inspect(move |piece| {
        let is_alive = |piece: &[u8]| piece.windows(SIGN_OF_LIFE.len()).any(|part| part == SIGN_OF_LIFE);
        if piece.as_ref().is_ok_and(|piece| is_alive(piece)) {
            inner.beats.send_modify(|beats| *beats += 1);
        }
    });
    (status, headers, Body::from_stream(pieces)).into_response()
}
