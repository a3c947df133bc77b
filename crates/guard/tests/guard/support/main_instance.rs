//! The main instance as guards see it: keys, reports, member lists. Counts what it is asked.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use proxy::{Body, Limits, serve};
use serde_json::Value;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct MainInstance {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

/// How the key endpoint behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certs {
    /// Shows the keys it was given.
    Shown,
    /// Fails.
    Failing,
    /// Takes the question and never answers.
    Hanging,
    /// Begins an answer and never ends it.
    Trickling,
    /// Answers without an end, as fast as anybody reads.
    Endless,
    /// Sends whoever asks elsewhere.
    Redirecting(String),
}

struct Inner {
    certs: Mutex<String>,
    conduct: Mutex<Certs>,
    /// Questions for keys that are held at this moment.
    held: AtomicUsize,
    members: Mutex<String>,
    requests: Mutex<Vec<String>>,
    reports: Mutex<Vec<Value>>,
    emergencies: Mutex<Vec<Value>>,
    down: AtomicBool,
    /// Questions for the model, and what holds up the second half of an answer.
    questions: Mutex<Vec<Value>>,
    answers_on: Notify,
}

impl MainInstance {
    pub async fn start(certs: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            certs: Mutex::new(certs),
            conduct: Mutex::new(Certs::Shown),
            held: AtomicUsize::new(0),
            members: Mutex::default(),
            requests: Mutex::default(),
            reports: Mutex::default(),
            emergencies: Mutex::default(),
            down: AtomicBool::new(false),
            questions: Mutex::default(),
            answers_on: Notify::new(),
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

    /// Changes how the key endpoint behaves towards those who ask from now on.
    pub fn certs_are(&self, conduct: Certs) {
        *self.inner.conduct.lock().unwrap() = conduct;
    }

    /// How many who asked for keys are being kept waiting at this moment.
    pub fn held(&self) -> usize {
        self.inner.held.load(Ordering::SeqCst)
    }

    pub fn set_members(&self, signed: &str) {
        *self.inner.members.lock().unwrap() = signed.to_owned();
    }

    /// Reports that were accepted.
    pub fn reports(&self) -> Vec<Value> {
        self.inner.reports.lock().unwrap().clone()
    }

    /// What reports about the emergency door said, entry by entry.
    pub fn emergencies(&self) -> Vec<Value> {
        self.inner.emergencies.lock().unwrap().clone()
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
            return Ok(self.certs().await);
        }
        if !known {
            return Ok(status(StatusCode::UNAUTHORIZED));
        }
        let members = self.inner.members.lock().unwrap().clone();
        match path.as_str() {
            "/api/v1/activity/members" => Ok(Response::new(Body::from(members))),
            "/api/v1/activity/emergency" => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let report: Value = serde_json::from_slice(&body).unwrap();
                self.inner.emergencies.lock().unwrap().extend(report["entries"].as_array().unwrap().iter().cloned());
                Ok(Response::new(Body::from(format!("{{\"members\":{members}}}"))))
            }
            "/api/v1/activity" => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                self.inner.reports.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                Ok(Response::new(Body::from(format!("{{\"members\":{members}}}"))))
            }
            "/api/v1/model/chat/completions" => Ok(self.model(request).await),
            _ => Ok(status(StatusCode::NOT_FOUND)),
        }
    }

    /// Questions for the model that arrived.
    pub fn questions(&self) -> Vec<Value> {
        self.inner.questions.lock().unwrap().clone()
    }

    /// Lets an answer of the model go on.
    pub fn answer_on(&self) {
        self.inner.answers_on.notify_one();
    }

    /// The first half of an answer at once, the second when it is let; or a refusal, for a model of that name.
    async fn model(&self, request: Request<Incoming>) -> Response<Body> {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let question: Value = serde_json::from_slice(&body).unwrap();
        let is_refused = question["model"] == "refused";
        self.inner.questions.lock().unwrap().push(question);
        if is_refused {
            let mut answer = Response::new(Body::from("{\"error\":{\"code\":\"allowance_used_up\"}}"));
            *answer.status_mut() = StatusCode::PAYMENT_REQUIRED;
            answer.headers_mut().insert("retry-after", "7".parse().unwrap());
            answer.headers_mut().insert("x-of-main", "1".parse().unwrap());
            return answer;
        }
        let inner = Arc::clone(&self.inner);
        let frame = |text: &'static str| Ok::<_, Infallible>(Frame::data(Bytes::from_static(text.as_bytes())));
        let first = stream::once(async move { frame("data: one\n\n") });
        let second = stream::once(async move {
            inner.answers_on.notified().await;
            frame("data: two\n\n")
        });
        let mut answer = Response::new(Body::stream(StreamBody::new(first.chain(second))));
        answer.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
        answer
    }

    async fn certs(&self) -> Response<Body> {
        let conduct = self.inner.conduct.lock().unwrap().clone();
        let held = Held::one_more(&self.inner);
        match conduct {
            Certs::Shown => Response::new(Body::from(self.inner.certs.lock().unwrap().clone())),
            Certs::Failing => status(StatusCode::INTERNAL_SERVER_ERROR),
            Certs::Hanging => pending().await,
            Certs::Trickling => {
                let beginning =
                    stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"{\"keys\":["))) });
                let never = stream::once(async move {
                    let _held = held;
                    pending().await
                });
                Response::new(Body::stream(StreamBody::new(beginning.chain(never))))
            }
            Certs::Endless => {
                let spaces = move || {
                    let _held = &held;
                    Some(Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b' '; 64 * 1024]))))
                };
                Response::new(Body::stream(StreamBody::new(stream::iter(std::iter::from_fn(spaces)))))
            }
            Certs::Redirecting(elsewhere) => {
                let mut answer = status(StatusCode::FOUND);
                answer.headers_mut().insert("location", elsewhere.parse().unwrap());
                answer
            }
        }
    }
}

/// Counts somebody who is kept waiting, for as long as he is.
struct Held(Arc<Inner>);

impl Held {
    fn one_more(inner: &Arc<Inner>) -> Self {
        inner.held.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(inner))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::SeqCst);
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
