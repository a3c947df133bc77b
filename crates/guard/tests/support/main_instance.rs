//! The main instance as guards see it: keys, reports, member lists. Counts what it is asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use proxy::{Body, Limits, serve};
use serde_json::Value;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct MainInstance {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    certs: Mutex<String>,
    members: Mutex<String>,
    requests: Mutex<Vec<String>>,
    reports: Mutex<Vec<Value>>,
    down: AtomicBool,
}

impl MainInstance {
    pub async fn start(certs: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            certs: Mutex::new(certs),
            members: Mutex::default(),
            requests: Mutex::default(),
            reports: Mutex::default(),
            down: AtomicBool::new(false),
        };
        let main = Self { address: listener.local_addr().unwrap(), inner: Arc::new(inner) };
        let serving = main.clone();
        tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |_| {
            let main = serving.clone();
            service_fn(move |request| main.clone().answer(request))
        }));
        main
    }

    /// Serves the same on a Unix socket.
    pub fn also_on(&self, path: &Path) {
        let listener = UnixListener::bind(path).unwrap();
        let main = self.clone();
        tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |()| {
            let main = main.clone();
            service_fn(move |request| main.clone().answer(request))
        }));
    }

    pub fn set_down(&self, down: bool) {
        self.inner.down.store(down, Ordering::SeqCst);
    }

    pub fn set_certs(&self, certs: String) {
        *self.inner.certs.lock().unwrap() = certs;
    }

    pub fn set_members(&self, signed: &str) {
        *self.inner.members.lock().unwrap() = signed.to_owned();
    }

    /// Reports that were accepted.
    pub fn reports(&self) -> Vec<Value> {
        self.inner.reports.lock().unwrap().clone()
    }

    /// How often a path was asked for, also while down.
    pub fn count(&self, path: &str) -> usize {
        self.inner.requests.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    pub fn total(&self) -> usize {
        self.inner.requests.lock().unwrap().len()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path().to_owned();
        self.inner.requests.lock().unwrap().push(path.clone());
        let known = request.headers().get("authorization").is_some_and(|value| value == "Bearer instance-token-1");
        if self.inner.down.load(Ordering::SeqCst) {
            return Ok(status(StatusCode::SERVICE_UNAVAILABLE));
        }
        if path == "/cdn-cgi/access/certs" {
            return Ok(Response::new(Body::from(self.inner.certs.lock().unwrap().clone())));
        }
        if !known {
            return Ok(status(StatusCode::UNAUTHORIZED));
        }
        let members = self.inner.members.lock().unwrap().clone();
        match path.as_str() {
            "/api/v1/activity/members" => Ok(Response::new(Body::from(members))),
            "/api/v1/activity" => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                self.inner.reports.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                Ok(Response::new(Body::from(format!("{{\"members\":{members}}}"))))
            }
            _ => Ok(status(StatusCode::NOT_FOUND)),
        }
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
