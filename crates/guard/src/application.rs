//! How the application is doing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri};
use proxy::{Address, Body, ForwardError, Outbound, Timeouts, Upstream};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// An application that takes longer to answer is busy.
const PATIENCE: Duration = Duration::from_secs(2);
/// Probes share an observation this long: health has no identity, so it must cost nothing.
const OBSERVED_FOR: Duration = Duration::from_millis(250);
/// While it starts, the next look costs a refused connection, and somebody waits for the answer.
const OBSERVED_STARTING_FOR: Duration = Duration::from_millis(10);

/// Asks the application how it is, at most a few times a second.
pub(crate) struct Application {
    upstream: Upstream,
    host: String,
    path: String,
    was_ready: AtomicBool,
    last: Mutex<Option<(Instant, Health)>>,
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

impl Application {
    pub(crate) fn new(address: &str, path: &str) -> Self {
        let timeouts = Timeouts { connect: PATIENCE, answer: Some(PATIENCE), idle: Duration::from_millis(1) };
        Self {
            upstream: Upstream::new(Address::Tcp(address.to_owned()), timeouts),
            host: address.to_owned(),
            path: path.to_owned(),
            was_ready: AtomicBool::new(false),
            last: Mutex::default(),
        }
    }

    /// How it is now. Concurrent askers share one look.
    pub(crate) async fn health(&self) -> Health {
        let mut last = self.last.lock().await;
        if let Some((at, health)) = *last {
            let holds = if health == Health::Starting { OBSERVED_STARTING_FOR } else { OBSERVED_FOR };
            if at.elapsed() < holds {
                return health;
            }
        }
        let health = self.look().await;
        *last = Some((Instant::now(), health));
        health
    }

    /// Notes that it answered, however that was found out.
    pub(crate) fn is_ready(&self) {
        self.was_ready.store(true, Ordering::Relaxed);
    }

    /// Whether it has ever answered.
    pub(crate) fn was_ready(&self) -> bool {
        self.was_ready.load(Ordering::Relaxed)
    }

    async fn look(&self) -> Health {
        let unwell = if self.was_ready() { Health::Down } else { Health::Starting };
        let Some(outbound) = self.question() else { return unwell };
        match self.upstream.forward(outbound).await {
            Ok(answer) if answer.status() < StatusCode::INTERNAL_SERVER_ERROR => {
                self.is_ready();
                Health::Ok
            }
            Err(ForwardError::AnswerTimedOut) => {
                self.is_ready();
                Health::Busy
            }
            Ok(_) | Err(_) => unwell,
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
