//! An application that records what reaches it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use proxy::{Body, Limits, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct App {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<String>>>,
    /// Lets `/gate` answer.
    pub gate: Arc<Notify>,
    stop: CancellationToken,
}

impl App {
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let app = Self { address, seen: Arc::default(), gate: Arc::default(), stop: CancellationToken::new() };
        let serving = app.clone();
        tokio::spawn(serve(listener, Limits::default(), app.stop.clone(), move |_| {
            let app = serving.clone();
            service_fn(move |request| {
                let app = app.clone();
                async move { Ok::<_, Infallible>(app.answer(request).await) }
            })
        }));
        app
    }

    /// Requests that reached it, health probes left out.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn last(&self) -> String {
        self.seen().pop().expect("nothing reached the application")
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let probe = request.headers().get("user-agent").is_some_and(|agent| agent == "spinoff-guard health probe");
        if !probe {
            let mut text = format!("{} {}\n", request.method(), request.uri());
            for (name, value) in request.headers() {
                text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
            self.seen.lock().unwrap().push(text);
        }
        match request.uri().path() {
            "/gate" => self.gate.notified().await,
            "/broken" => {
                let mut answer = Response::new(Body::from("boom"));
                *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                return answer;
            }
            _ => {}
        }
        if request.uri().path() == "/measure" {
            return Response::new(Body::from(measured(request.into_body()).await));
        }
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Response::new(Body::from(format!("app got {}", String::from_utf8_lossy(&body))))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Only the copy that the test holds matters: those in services go with their connections.
        if Arc::strong_count(&self.seen) <= 2 {
            self.stop.cancel();
        }
    }
}

/// Reads a body of any size and says how long it was, and how it ended.
async fn measured(mut body: Incoming) -> String {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => bytes += data.len(),
            Ok(Err(_trailers)) => {}
            Err(error) => return format!("{bytes} bytes, then {error}"),
        }
    }
    format!("{bytes} bytes")
}

/// Stands before an application and keeps every byte that was sent to it.
#[derive(Clone)]
pub struct Tap {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub async fn before(app: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tap = Self { address: listener.local_addr().unwrap(), heard: Arc::default() };
        let listening = tap.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(listening.clone().pass_on(stream, app));
            }
        });
        tap
    }

    /// All that was sent to the application so far, on whatever connection.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }

    async fn pass_on(self, stream: TcpStream, app: SocketAddr) {
        let Ok(upstream) = TcpStream::connect(app).await else { return };
        let ((mut asking, mut answering), (mut back, mut on)) = (stream.into_split(), upstream.into_split());
        let answers = tokio::spawn(async move { tokio::io::copy(&mut back, &mut answering).await });
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = asking.read(&mut piece).await {
            self.heard.lock().unwrap().extend_from_slice(&piece[..length]);
            if on.write_all(&piece[..length]).await.is_err() {
                break;
            }
        }
        // Whoever asks has left: so must the answer.
        drop(on);
        let _ = answers.await;
    }
}

/// An application that speaks WebSocket only.
pub async fn websocket_echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() && socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}
