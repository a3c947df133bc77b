//! How the application is doing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use proxy::{Address, Body, ForwardError, Outbound, Timeouts, Upstream};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

/// An application that takes longer to answer is busy.
const PATIENCE: Duration = Duration::from_secs(2);
/// Probes share an observation this long: health has no identity, so it must cost nothing.
const OBSERVED_FOR: Duration = Duration::from_millis(250);
/// While nothing listens yet, the next look costs a refused connection, and somebody waits for the
/// answer.
const OBSERVED_STARTING_FOR: Duration = Duration::from_millis(10);
/// More than that of a health answer is not read.
const LONGEST_REPORT: usize = 16 << 10;
/// The longest word that can be a version.
const LONGEST_VERSION: usize = 64;

/// Asks the application how it is, at most a few times a second.
pub(crate) struct Application {
    upstream: Upstream,
    host: String,
    path: String,
    was_ready: AtomicBool,
    looking: Mutex<bool>,
    /// What was seen last; told whenever a look is over.
    seen: watch::Sender<Option<Seen>>,
}

/// One look.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) health: Health,
    /// What the application says its version is, if it says so where it says how it is.
    pub(crate) version: Option<Arc<str>>,
    until: Instant,
}

/// What was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Answers.
    Ok,
    /// Accepts connections and takes its time: real applications freeze for minutes while they
    /// build, and restarting them would only make it worse.
    Busy,
    /// Does not accept connections yet.
    Starting,
    /// Accepted connections before and no longer does, or answers with a failure.
    Down,
}

/// What an application says of itself where it says how it is.
#[derive(Deserialize)]
struct SelfReport {
    version: String,
}

/// The version in a health answer, where that is a JSON object that has one. Whatever else it is, is nothing to us.
async fn version(answer: Response<Body>) -> Option<Arc<str>> {
    let kind = answer.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("application/json") {
        return None;
    }
    let body = Limited::new(answer.into_body(), LONGEST_REPORT).collect();
    let bytes = tokio::time::timeout(PATIENCE, body).await.ok()?.ok()?.to_bytes();
    let SelfReport { version } = serde_json::from_slice(&bytes).ok()?;
    let is_one =
        !version.is_empty() && version.len() <= LONGEST_VERSION && version.chars().all(|c| c.is_ascii_graphic());
    is_one.then(|| version.into())
}

impl Application {
    pub(crate) fn new(address: &str, path: &str) -> Self {
        let timeouts = Timeouts { connect: PATIENCE, answer: Some(PATIENCE), idle: Duration::from_millis(1) };
        Self {
            upstream: Upstream::new(Address::Tcp(address.to_owned()), timeouts),
            host: address.to_owned(),
            path: path.to_owned(),
            was_ready: AtomicBool::new(false),
            looking: Mutex::default(),
            seen: watch::Sender::new(None),
        }
    }

    /// How it is now. Concurrent askers share one look.
    pub(crate) async fn seen(self: &Arc<Self>) -> Seen {
        let mut seen = self.seen.subscribe();
        let still = self.seen.borrow().clone().filter(|seen| Instant::now() < seen.until);
        if let Some(seen) = still {
            return seen;
        }
        self.look_out();
        // The sender is this one, and so there as long as we are.
        let _ = seen.changed().await;
        let seen = seen.borrow().clone();
        seen.unwrap_or_else(|| Seen { health: Health::Starting, version: None, until: Instant::now() })
    }

    /// Looks, unless somebody does. The look outlives whoever caused it: one who asks and leaves, and
    /// does so again and again, would else have the application asked each time.
    fn look_out(self: &Arc<Self>) {
        let mut looking = self.looking();
        if *looking {
            return;
        }
        *looking = true;
        let application = Arc::clone(self);
        tokio::spawn(async move {
            let (health, version, holds) = application.look().await;
            let mut looking = application.looking();
            *looking = false;
            application.seen.send_replace(Some(Seen { health, version, until: Instant::now() + holds }));
        });
    }

    fn looking(&self) -> MutexGuard<'_, bool> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it answered, however that was found out.
    pub(crate) fn is_ready(&self) {
        self.was_ready.store(true, Ordering::Relaxed);
    }

    /// Whether it has ever answered.
    pub(crate) fn was_ready(&self) -> bool {
        self.was_ready.load(Ordering::Relaxed)
    }

    /// How it is, what it calls itself, and for how long that holds.
    async fn look(&self) -> (Health, Option<Arc<str>>, Duration) {
        let unwell = if self.was_ready() { Health::Down } else { Health::Starting };
        let Some(outbound) = self.question() else { return (unwell, None, OBSERVED_FOR) };
        match self.upstream.forward(outbound).await {
            Ok(answer) if answer.status() < StatusCode::INTERNAL_SERVER_ERROR => {
                self.is_ready();
                (Health::Ok, version(answer).await, OBSERVED_FOR)
            }
            Err(ForwardError::AnswerTimedOut) => {
                self.is_ready();
                (Health::Busy, None, OBSERVED_FOR)
            }
            Err(ForwardError::Unreachable(_)) if unwell == Health::Starting => (unwell, None, OBSERVED_STARTING_FOR),
            Ok(_) | Err(_) => (unwell, None, OBSERVED_FOR),
        }
    }

    fn question(&self) -> Option<Outbound> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.path.parse::<Uri>().ok()?;
        request.headers_mut().insert(HOST, HeaderValue::from_str(&self.host).ok()?);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("spinoff-guard health probe"));
        Outbound::new(request).ok()
    }
}

impl Health {
    /// The word in the health answer.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Starting => "starting",
            Self::Down => "down",
        }
    }

    /// Whether whoever probes should leave it alone.
    pub(crate) const fn is_well(self) -> bool {
        matches!(self, Self::Ok | Self::Busy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn asked(listener: &TcpListener) -> TcpStream {
        let mut stream = listener.accept().await.unwrap().0;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut head).await.unwrap() > 0);
        }
        stream
    }

    /// Time passes only while nothing happens.
    #[tokio::test(start_paused = true)]
    async fn askers_who_leave_have_the_application_asked_once_in_all() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let application = Arc::new(Application::new(&listener.local_addr().unwrap().to_string(), "/"));
        assert!(application.seen().now_or_never().is_none());
        let mut first = asked(&listener).await;
        for _ in 0..100 {
            assert!(application.seen().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        first.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert_eq!(application.seen().await.health, Health::Ok);
        assert_eq!(application.seen().await.health, Health::Ok, "shared for a while");
        assert!(listener.accept().now_or_never().is_none(), "somebody else asked");

        tokio::time::sleep(OBSERVED_FOR).await;
        assert!(application.seen().now_or_never().is_none());
        let mut second = asked(&listener).await;
        second.write_all(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert_eq!(application.seen().await.health, Health::Down);
    }
}
