//! Figures for Prometheus, on an address of their own that is not for visitors.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use proxy::{Body, Limits, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::answers::bare;
use crate::server::{Guard, Outcome};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// From a tenth of a millisecond, since that is what a decision takes, to half a minute.
const SECONDS: [f64; 12] = [0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// What is counted as it happens.
pub(crate) struct Metrics {
    requests: Family<Became, Counter>,
    answered: Histogram,
    own_time: Histogram,
    pub(crate) under_way: Gauge,
    /// Of the emergency door.
    pub(crate) password_hashes: Counter,
    standings: Standings,
    registry: Registry,
}

/// What is read off when somebody asks.
#[derive(Default)]
struct Standings {
    keys: Gauge,
    keys_age: Gauge<f64, AtomicU64>,
    list_serial: Gauge<u64, AtomicU64>,
    list_known: Gauge,
    remembered: Gauge,
    unreported: Gauge,
}

/// What became of a request. Both words come from this program, so there are a few dozen of them.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Became {
    decision: &'static str,
    reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("spinoff_guard");
        let (requests, under_way, standings) = (Family::default(), Gauge::default(), Standings::default());
        let (answered, own_time) = (Histogram::new(SECONDS), Histogram::new(SECONDS));
        registry.register("requests", "Requests by what became of them", requests.clone());
        registry.register("requests_under_way", "Requests whose answer has not begun", under_way.clone());
        let help = "From a request's head to the answer's head";
        registry.register_with_unit("answer", help, Unit::Seconds, answered.clone());
        let help = "The same without the application's share";
        registry.register_with_unit("own_time", help, Unit::Seconds, own_time.clone());
        registry.register("keys", "Keys of the issuer that are believed", standings.keys.clone());
        let help = "Since the issuer's keys were fetched; -1 before the first time";
        registry.register_with_unit("keys_age", help, Unit::Seconds, standings.keys_age.clone());
        registry.register("member_list_known", "1 when there is a list to judge by", standings.list_known.clone());
        registry.register("member_list_serial", "Number of the signed list in force", standings.list_serial.clone());
        registry.register("remembered_tokens", "Tokens that need not be verified again", standings.remembered.clone());
        let help = "Months with use that the main instance has not acknowledged";
        registry.register("unreported_months", help, standings.unreported.clone());
        let password_hashes = Counter::default();
        let help = "Passwords that were hashed to judge them, for emergency access";
        registry.register("password_hashes", help, password_hashes.clone());
        Self { requests, answered, own_time, under_way, password_hashes, standings, registry }
    }
}

impl Metrics {
    /// Counts a request that has come to its end, `whole` after it began.
    pub(crate) fn ended(&self, outcome: &Outcome, whole: Duration) {
        self.under_way.dec();
        let became = Became { decision: outcome.decision, reason: outcome.reason };
        self.requests.get_or_create(&became).inc();
        self.answered.observe(whole.as_secs_f64());
        self.own_time.observe(whole.saturating_sub(outcome.application.unwrap_or_default()).as_secs_f64());
    }

    fn text(&self, guard: &Guard) -> Result<String, std::fmt::Error> {
        let standings = &self.standings;
        let gate = &guard.gate;
        standings.keys.set(count(guard.keyring.len()));
        standings.keys_age.set(guard.keyring.age().map_or(-1.0, |age| age.as_secs_f64()));
        standings.list_known.set(i64::from(gate.roster.is_known()));
        standings.list_serial.set(gate.roster.serial());
        standings.remembered.set(count(gate.identities.remembered.len()));
        standings.unreported.set(count(guard.meter.ledger().unsent().len()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Answers `GET /metrics` until `stop`.
pub(crate) async fn publish(listener: TcpListener, guard: Arc<Guard>, stop: CancellationToken) {
    serve(listener, Limits::default(), stop, move |_: SocketAddr| {
        let guard = Arc::clone(&guard);
        service_fn(move |request: Request<Incoming>| {
            let answer = answer(&guard, &request);
            async move { Ok::<_, Infallible>(answer) }
        })
    })
    .await;
}

fn answer(guard: &Guard, request: &Request<Incoming>) -> Response<Body> {
    if request.uri().path() != "/metrics" {
        return bare(StatusCode::NOT_FOUND);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return bare(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(text) = guard.metrics.text(guard) else { return bare(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut answer = Response::new(Body::from(text));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
    answer
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
