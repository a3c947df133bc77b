//! A proxy in front of an upstream that the test plays itself, over real sockets.

pub mod frames;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy::{Address, Body, ClientWatch, ForwardError, Limits, Outbound, Timeouts, Upstream, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Fails the test instead of hanging it.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}

#[derive(Clone, Default)]
pub struct Seen {
    pub bytes: Arc<Mutex<Vec<u8>>>,
    pub done: Arc<AtomicUsize>,
}

impl ClientWatch for Seen {
    fn client_sent(&mut self, bytes: &[u8]) {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
    }

    fn client_done(&mut self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Both versions of HTTP, so that what holds for the first is tested where the second is spoken too.
pub static BOTH: LazyLock<Limits> = LazyLock::new(|| Limits { http2_streams: Some(16), ..Limits::default() });

pub struct Front {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub seen: Seen,
    pub ended: tokio::task::JoinHandle<()>,
}

impl Front {
    pub async fn before(upstream: SocketAddr) -> Self {
        Self::with(Upstream::new(Address::Tcp(upstream.to_string()), Timeouts::default())).await
    }

    pub async fn with(upstream: Upstream) -> Self {
        Self::limited(upstream, *BOTH).await
    }

    pub async fn limited_before(upstream: SocketAddr, limits: Limits) -> Self {
        Self::limited(Upstream::new(Address::Tcp(upstream.to_string()), Timeouts::default()), limits).await
    }

    pub async fn limited(upstream: Upstream, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let upstream = Arc::new(upstream.ending_tunnels_on(stop.clone()));
        let seen = Seen::default();
        let watch = seen.clone();
        let service_for = move |_| {
            let (upstream, watch) = (Arc::clone(&upstream), watch.clone());
            service_fn(move |request| forward(Arc::clone(&upstream), watch.clone(), request))
        };
        let limits = Limits { drain: Duration::from_secs(5), ..limits };
        let ended = tokio::spawn(serve(listener, limits, stop.clone(), service_for));
        Self { address, stop, seen, ended }
    }

    pub async fn connect(&self) -> Raw {
        Raw(TcpStream::connect(self.address).await.unwrap())
    }

    /// A client that speaks HTTP/2; and what becomes of its connection.
    pub async fn http2(&self) -> (Http2, tokio::task::JoinHandle<hyper::Result<()>>) {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        (sender, tokio::spawn(connection))
    }
}

pub type Http2 = hyper::client::conn::http2::SendRequest<Body>;

/// A request as HTTP/2 puts it.
pub fn http2_get(path: &str) -> Request<Body> {
    Request::get(format!("http://a.example{path}")).body(Body::empty()).unwrap()
}

async fn forward(
    upstream: Arc<Upstream>,
    watch: Seen,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let say = |status: StatusCode, text: String| {
        let mut answer = Response::new(Body::from(text));
        *answer.status_mut() = status;
        Ok(answer)
    };
    let mut outbound = match Outbound::new(request) {
        Ok(outbound) => outbound,
        Err(problem) => return say(StatusCode::METHOD_NOT_ALLOWED, problem.to_string()),
    };
    outbound.headers_mut().insert("x-set-by-proxy", "yes".parse().unwrap());
    outbound.bar_from_trailers(|name| name == "x-barred");
    outbound.watch_tunnel(Box::new(watch.clone()));
    if outbound.headers().contains_key("x-watch") {
        outbound.watch_body(Box::new(watch));
    }
    match upstream.forward(outbound).await {
        Ok(answer) => Ok(answer),
        Err(ForwardError::Unreachable(_)) => say(StatusCode::BAD_GATEWAY, "unreachable".into()),
        Err(ForwardError::AnswerTimedOut) => say(StatusCode::GATEWAY_TIMEOUT, "too late".into()),
        Err(error) => say(StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

/// A socket spoken to in bytes.
pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    /// Sends to a proxy that may have closed already.
    pub async fn send_if_open(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.0.write_all(text.as_ref()).await;
    }

    /// Reads until `end` was received; gives all of it as text.
    pub async fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        soon(end, async {
            while !text.ends_with(end.as_bytes()) {
                match self.0.read_u8().await {
                    Ok(byte) => text.push(byte),
                    Err(error) => panic!("{error} before {end:?}; got {:?}", String::from_utf8_lossy(&text)),
                }
            }
        })
        .await;
        String::from_utf8(text).unwrap()
    }

    pub async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset is one way to end; what counts is what came before.
        let _ = soon("the end", self.0.read_to_end(&mut bytes)).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

pub struct Upstreamed(TcpListener);

impl Upstreamed {
    pub async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub async fn accept(&self) -> Raw {
        Raw(soon("a connection", self.0.accept()).await.unwrap().0)
    }
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n")
}

pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// An event stream that has begun: who reads it, and who sends it.
pub async fn event_stream(front: &Front, upstream: &Upstreamed) -> (Raw, Raw) {
    let mut client = front.connect().await;
    client.send(get("/events")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.head().await;
    (client, server)
}
