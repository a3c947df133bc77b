use std::future::pending;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use crate::outbound::Parts;
use crate::pool::{Lease, Pool};
use crate::spare::Spare;
use crate::wire::Wire;
use crate::{Body, Outbound, hop_by_hop, tunnel};

/// Between two tries to reach somebody who does not listen yet.
const KNOCK_AGAIN: Duration = Duration::from_millis(100);

/// Where an upstream listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `host:port`.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// To begin its answer, for a request without a body. `None` waits as long as the client does.
    pub answer: Option<Duration>,
    /// How long an idle connection is kept. Shorter than the 5 seconds after which common servers
    /// close theirs, so that we rarely write into a closing connection.
    pub idle: Duration,
}

/// A server that requests are forwarded to, with its kept connections.
pub struct Upstream {
    address: Address,
    tls: Option<Tls>,
    timeouts: Timeouts,
    pool: Arc<Pool>,
    tunnels_end: CancellationToken,
}

/// Who has to be at the other end, and by what that is judged.
struct Tls {
    name: ServerName<'static>,
    connector: TlsConnector,
}

/// Why there is no answer to forward. Callers choose the page by it.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// Nothing accepts connections there, or it could not prove that it is who was meant.
    #[error("the upstream is unreachable: {0}")]
    Unreachable(#[source] std::io::Error),
    /// The connection was not accepted in time.
    #[error("the upstream did not accept a connection in time")]
    ConnectTimedOut,
    /// The answer did not begin in time.
    #[error("the upstream did not answer in time")]
    AnswerTimedOut,
    /// The client's body broke off, so that there is nobody to answer.
    #[error("the client broke off its request: {0}")]
    ClientBrokeOff(#[source] hyper::Error),
    /// The connection broke before the answer, or what came is no HTTP.
    #[error("the upstream broke off: {0}")]
    Broken(#[source] hyper::Error),
    /// The upstream switched protocols without having been asked to.
    #[error("the upstream switched protocols without having been asked to")]
    UnexpectedUpgrade,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: None, idle: Duration::from_secs(4) }
    }
}

impl Upstream {
    /// An upstream at an address. Connects when the first request comes.
    #[must_use]
    pub fn new(address: Address, timeouts: Timeouts) -> Self {
        let (pool, tunnels_end) = (Pool::new(timeouts.idle), CancellationToken::new());
        Self { address, tls: None, timeouts, pool, tunnels_end }
    }

    /// Speaks TLS to it: over TCP it has to prove that it is `name`, by what `config` believes. HTTP/1.1
    /// is all that is spoken, whatever `config` offers.
    #[must_use]
    pub fn over_tls(mut self, name: ServerName<'static>, mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        self.tls = Some(Tls { name, connector: TlsConnector::from(Arc::new(config)) });
        self
    }

    /// Ends this upstream's tunnels and event streams when `token` is cancelled: they have no end
    /// of their own, and their clients connect again.
    #[must_use]
    pub fn ending_tunnels_on(mut self, token: CancellationToken) -> Self {
        self.tunnels_end = token;
        self
    }

    /// Where the upstream listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a request and gives the answer as soon as its head is there.
    ///
    /// Dropping the future, or the answer's body, closes the connection to the upstream.
    ///
    /// # Errors
    /// [`ForwardError`].
    pub async fn forward(&self, outbound: Outbound) -> Result<Response<Body>, ForwardError> {
        let Parts { request, upgrade, watch, end, endless_until, hold } = outbound.into_parts();
        let (mut answer, lease) = self.send(request, hold).await?;
        hop_by_hop_of_answer(&mut answer);
        if is_event_stream(&answer) {
            return Ok(answer.map(|incoming| Body::endless(incoming, lease, self.end_of_endless(end, endless_until))));
        }
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer.map(|incoming| Body::leased(incoming, lease, end)));
        }
        let client = upgrade.ok_or(ForwardError::UnexpectedUpgrade)?;
        let upstream = hyper::upgrade::on(&mut answer);
        tokio::spawn(tunnel::carry(client, upstream, watch, self.end_of_endless(end, endless_until)));
        Ok(answer.map(|_| Body::empty()))
    }

    /// What has no end of its own ends with this proxy's, or when its reader may no longer.
    fn end_of_endless(
        &self,
        of_request: Option<Arc<CancellationToken>>,
        until: Option<Instant>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (of_all, of_request) = (self.tunnels_end.clone(), of_request.unwrap_or_default());
        async move {
            let over = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = of_all.cancelled() => {}
                () = of_request.cancelled() => {}
                () = over => {}
            }
        }
    }

    async fn send(&self, request: Request<Body>, hold: Duration) -> Result<(Response<Incoming>, Lease), ForwardError> {
        let Some(kept) = self.pool.take() else {
            return self.send_on_new(request, hold).await;
        };
        let spare = Spare::of(&request);
        match self.send_on(kept, request).await {
            Err(Failure { unsent: Some(request), .. }) => self.send_on_new(*request, hold).await,
            Err(Failure { error: ForwardError::Broken(error), .. }) => match spare {
                Some(spare) => self.send_on_new(spare.into_request(), hold).await,
                None => Err(ForwardError::Broken(error)),
            },
            Err(failure) => Err(failure.error),
            Ok(answer) => Ok(answer),
        }
    }

    async fn send_on_new(
        &self,
        request: Request<Body>,
        hold: Duration,
    ) -> Result<(Response<Incoming>, Lease), ForwardError> {
        let wire = self.connect_within(hold).await?;
        self.send_on(wire, request).await.map_err(|failure| failure.error)
    }

    /// Connects, and tries again for a while where nobody listens yet. Nothing was sent by then.
    async fn connect_within(&self, hold: Duration) -> Result<Wire, ForwardError> {
        let until = Instant::now() + hold;
        loop {
            match self.connect().await {
                Err(ForwardError::Unreachable(error))
                    if error.kind() == ErrorKind::ConnectionRefused && Instant::now() < until =>
                {
                    tokio::time::sleep(KNOCK_AGAIN).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn send_on(&self, mut wire: Wire, request: Request<Body>) -> Result<(Response<Incoming>, Lease), Failure> {
        let patience = self.timeouts.answer.filter(|_| request.body().is_end_stream());
        let sending = wire.send(request);
        let sent = match patience {
            None => sending.await,
            Some(patience) => match tokio::time::timeout(patience, sending).await {
                Ok(sent) => sent,
                Err(_) => return Err(Failure { error: ForwardError::AnswerTimedOut, unsent: None }),
            },
        };
        match sent {
            Ok(answer) => Ok((answer, Lease::new(Arc::clone(&self.pool), wire))),
            Err(mut failed) => {
                let unsent = failed.take_message().map(Box::new);
                let error = failed.into_error();
                let error =
                    if error.is_user() { ForwardError::ClientBrokeOff(error) } else { ForwardError::Broken(error) };
                Err(Failure { error, unsent })
            }
        }
    }

    async fn connect(&self) -> Result<Wire, ForwardError> {
        let connecting = async {
            match &self.address {
                Address::Tcp(address) => {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    match &self.tls {
                        None => Ok(Wire::new(stream).await),
                        Some(Tls { name, connector }) => {
                            Ok(Wire::new(connector.connect(name.clone(), stream).await?).await)
                        }
                    }
                }
                Address::Unix(path) => Ok(Wire::new(UnixStream::connect(path).await?).await),
            }
        };
        match tokio::time::timeout(self.timeouts.connect, connecting).await {
            Ok(Ok(wire)) => wire.map_err(ForwardError::Broken),
            Ok(Err(error)) => Err(ForwardError::Unreachable(error)),
            Err(_) => Err(ForwardError::ConnectTimedOut),
        }
    }
}

struct Failure {
    error: ForwardError,
    /// The request, if not a byte of it was sent.
    unsent: Option<Box<Request<Body>>>,
}

fn is_event_stream(answer: &Response<Incoming>) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    // One with a length has an end after all.
    kind.is_some_and(|kind| kind.starts_with("text/event-stream")) && answer.body().size_hint().exact().is_none()
}

fn hop_by_hop_of_answer(answer: &mut Response<Incoming>) {
    let switching = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let protocol = answer.headers().get(UPGRADE).cloned().filter(|_| switching);
    hop_by_hop::strip(answer.headers_mut());
    if let Some(protocol) = protocol {
        answer.headers_mut().insert(UPGRADE, protocol);
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Upstream").field("address", &self.address).finish_non_exhaustive()
    }
}
