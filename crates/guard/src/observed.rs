//! What is noted of every request, however it ends.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use jiff::Timestamp;
use proxy::Body;
use tokio::time::Instant;

use crate::access_log::{Entry, TraceId};
use crate::server::{Guard, Outcome};

/// What the log calls the end of a request whose client did not wait for it.
const CLIENT_LEFT: u16 = 499;

/// A request under way.
pub(crate) struct Observed {
    guard: Arc<Guard>,
    source: IpAddr,
    at: Timestamp,
    started: Instant,
    method: Method,
    target: Uri,
    trace: Option<TraceId>,
    ended: bool,
}

impl Observed {
    pub(crate) fn begin(guard: Arc<Guard>, source: IpAddr, request: &Request<Incoming>) -> Self {
        guard.metrics.under_way.inc();
        Self {
            source,
            at: guard.clock.now(),
            started: Instant::now(),
            method: request.method().clone(),
            target: request.uri().clone(),
            trace: TraceId::of(request.headers()),
            ended: false,
            guard,
        }
    }

    /// Notes what became of it.
    pub(crate) fn end(mut self, outcome: Outcome) -> Response<Body> {
        self.note(&outcome);
        outcome.answer
    }

    fn note(&mut self, outcome: &Outcome) {
        self.ended = true;
        let whole = self.started.elapsed();
        self.guard.metrics.ended(outcome, whole);
        self.guard.access_log.note(&Entry {
            at: self.at,
            source: self.source,
            who: outcome.who.as_deref(),
            decision: outcome.decision,
            reason: outcome.reason,
            status: outcome.answer.status(),
            whole,
            application: outcome.application,
            method: &self.method,
            target: &self.target,
            trace: self.trace,
        });
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if !self.ended {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::from_u16(CLIENT_LEFT).unwrap_or(StatusCode::REQUEST_TIMEOUT);
            self.note(&Outcome { decision: "abandoned", ..Outcome::refused(answer, "client-left") });
        }
    }
}
