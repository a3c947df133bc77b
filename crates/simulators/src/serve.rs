//! A simulator on a socket, with faults: a broken connection is a really broken one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use world::Clock;

use crate::{Call, Fault, Faults, Journal};

/// Most providers take no longer requests than this.
const LONGEST_BODY: usize = 4 << 20;

/// A request that was read to its end.
pub type Request = http::Request<Bytes>;
/// The answer to it.
pub type Answer = http::Response<Bytes>;

/// One company, as its API shows it.
#[async_trait]
pub trait Simulator: Send + Sync + 'static {
    /// What is asked for, as faults and the journal name it: the root field of a GraphQL operation
    /// (`projectCreate`), or method and path template (`POST /zones/{zone_id}/dns_records`).
    fn operation(&self, request: &Request) -> String;

    /// Does what is asked, and says what came of it.
    async fn answer(&self, request: Request) -> Answer;

    /// The body of an error answer that a fault gives, in the company's own form.
    fn failure(&self, status: u16) -> Bytes;

    /// The longest request that it takes, in bytes.
    fn longest_body(&self) -> usize {
        LONGEST_BODY
    }
}

/// What a pause means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// It takes the time it takes.
    #[default]
    Real,
    /// The clock is a test's: a slow answer comes at once, and one that never comes breaks off.
    Virtual,
}

/// A simulator that is being served; ends when dropped.
#[derive(Debug)]
pub struct Served {
    /// `http://127.0.0.1:…`, without a slash at its end.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// What goes wrong.
    pub faults: Faults,
    /// What was asked.
    pub journal: Journal,
    _stop: DropGuard,
}

struct Shared {
    simulator: Arc<dyn Simulator>,
    faults: Faults,
    journal: Journal,
    clock: Clock,
    pace: Pace,
}

/// Serves a simulator on a loopback port of the system's choice.
///
/// # Errors
/// When no port can be had.
pub async fn serve(simulator: Arc<dyn Simulator>, clock: Clock, pace: Pace) -> std::io::Result<Served> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (faults, journal) = (Faults::none(), Journal::default());
    let shared = Arc::new(Shared { simulator, faults: faults.clone(), journal: journal.clone(), clock, pace });
    let stop = CancellationToken::new();
    tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, shared, stop.clone())));
    Ok(Served { url: format!("http://{address}"), address, faults, journal, _stop: stop.drop_guard() })
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        // Answers are small, and whoever waits for one waits for all of it.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let connection = async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { shared.call(request).await }
            });
            // An error here is a connection that was broken on purpose, or a client that went away.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(connection));
    }
}

/// The connection is to break now.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct Broken;

impl Shared {
    async fn call(&self, request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Broken> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, self.simulator.longest_body()).collect().await.map_err(|_| Broken)?.to_bytes();
        let request = http::Request::from_parts(parts, body);
        let operation = self.simulator.operation(&request);
        let fault = self.faults.decide(&operation);
        let mut call = Call {
            at: self.clock.now(),
            operation,
            method: request.method().clone(),
            uri: request.uri().clone(),
            body: request.body().clone(),
            status: None,
            fault,
        };
        let answer = self.suffer(fault, request).await;
        call.status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        self.journal.note(call);
        answer.map(|answer| answer.map(Full::new))
    }

    async fn suffer(&self, fault: Option<Fault>, request: Request) -> Result<Answer, Broken> {
        match fault {
            None => Ok(self.simulator.answer(request).await),
            Some(Fault::Status(status)) => Ok(self.failure(status, None)),
            Some(Fault::TooMany { retry_after }) => Ok(self.failure(429, Some(retry_after))),
            Some(Fault::Slow(time)) => {
                if self.pace == Pace::Real {
                    tokio::time::sleep(time).await;
                }
                Ok(self.simulator.answer(request).await)
            }
            Some(Fault::Hang) => {
                if self.pace == Pace::Real {
                    std::future::pending::<Infallible>().await;
                }
                Err(Broken)
            }
            Some(Fault::ResetBefore) => Err(Broken),
            Some(Fault::ResetAfter) => {
                self.simulator.answer(request).await;
                Err(Broken)
            }
        }
    }

    fn failure(&self, status: u16, retry_after: Option<Duration>) -> Answer {
        let mut answer = http::Response::new(self.simulator.failure(status));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(pause) = retry_after {
            answer.headers_mut().insert(http::header::RETRY_AFTER, pause.as_secs().into());
        }
        answer
    }
}
