use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Stands where a guard would: remembers the head of every request, echoes WebSocket messages, and
/// streams at `/events` what the test gives it piece by piece.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    events: Arc<Mutex<Option<UnboundedSender<&'static str>>>>,
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Seen {
    /// The only value of a header, `None` when it is missing.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() < 2, "{name} came twice: {values:?}");
        values.first().map(|value| value.to_str().unwrap())
    }
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Self { address, seen: Arc::default(), events: Arc::default() };
        let router = Router::new()
            .route("/ws", get(echo))
            .route("/events", get(stream))
            .route("/cookies", get(cookies))
            .route("/fallback", get(fallback))
            .route("/for-members", any(for_members))
            .fallback(record)
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().expect("nothing reached the upstream").clone()
    }

    pub fn emit(&self, piece: &'static str) {
        self.events.lock().unwrap().as_ref().expect("nobody listens").send(piece).unwrap();
    }

    async fn remember(&self, request: Request) {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let seen =
            Seen { method: parts.method.to_string(), target: parts.uri.to_string(), headers: parts.headers, body };
        self.seen.lock().unwrap().push(seen);
    }
}

/// What a guard says to whoever does not belong.
async fn for_members(State(upstream): State<Upstream>, request: Request) -> Response {
    upstream.remember(request).await;
    (http::StatusCode::UNAUTHORIZED, [("x-spinoff-refused-by", "guard")], "sign in").into_response()
}

async fn record(State(upstream): State<Upstream>, request: Request) -> &'static str {
    upstream.remember(request).await;
    "from the instance"
}

/// Tries to sign the visitor in as somebody else, everywhere.
async fn cookies() -> impl axum::response::IntoResponse {
    axum::response::AppendHeaders([
        ("set-cookie", "CF_Authorization=tossed; Domain=localhost; Path=/"),
        ("set-cookie", "theme=dark"),
        ("set-cookie", "spinoff_sign_in=tossed; Domain=localhost; Path=/cdn-cgi/access/code"),
    ])
}

/// As Railway answers for a name behind which nothing runs.
async fn fallback() -> impl axum::response::IntoResponse {
    (http::StatusCode::NOT_FOUND, [("x-railway-fallback", "true")], "the train has not arrived")
}

async fn echo(State(upstream): State<Upstream>, upgrade: WebSocketUpgrade, request: Request) -> Response {
    upstream.remember(request).await;
    upgrade.on_upgrade(async |mut socket| {
        while let Some(Ok(Message::Text(text))) = socket.recv().await {
            let _ = socket.send(Message::Text(format!("echo {text}").into())).await;
        }
    })
}

async fn stream(State(upstream): State<Upstream>) -> Response {
    let (sender, receiver) = unbounded_channel();
    *upstream.events.lock().unwrap() = Some(sender);
    let pieces = futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let body = Body::from_stream(pieces.map(Ok::<_, std::convert::Infallible>));
    ([("content-type", "text/event-stream")], body).into_response()
}
