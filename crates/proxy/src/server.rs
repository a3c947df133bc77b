//! Taking connections, with limits, and letting them go without losing a request.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Body;
use crate::room::Room;

/// What clients may take up, whoever they are.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the whole head of a request to arrive; also how long an idle connection is kept.
    pub head_time: Duration,
    /// For request line and headers together, in bytes.
    pub head_bytes: usize,
    /// For a graceful end: requests that take longer are cut.
    pub drain: Duration,
    /// Connections open at once, tunnels among them. Further ones wait in the listener's backlog
    /// until one closes.
    pub connections: usize,
    /// Of these, how many one address may have, or one IPv6 network of 64 bits; further ones are
    /// closed at once. Does not hold for this machine's own addresses, behind which anybody may be.
    pub connections_of_one: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            drain: Duration::from_secs(10),
            connections: 4096,
            connections_of_one: 512,
        }
    }
}

/// Where connections come in.
pub trait Listener: Send + Sync {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// What is known of the one who connects.
    type Peer: Send;

    /// Waits for the next connection.
    ///
    /// # Errors
    /// When one could not be taken; the next one may.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Io, Self::Peer)>> + Send;

    /// The address that a peer's connections are counted under, if it has one.
    fn address(peer: &Self::Peer) -> Option<IpAddr>;
}

impl Listener for TcpListener {
    type Io = TcpStream;
    type Peer = SocketAddr;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = Self::accept(self).await?;
        // Without it answers are slower, and nothing else is wrong.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer))
    }

    fn address(peer: &SocketAddr) -> Option<IpAddr> {
        Some(peer.ip())
    }
}

/// Who connects to a socket file has no address.
impl Listener for UnixListener {
    type Io = UnixStream;
    type Peer = ();

    async fn accept(&self) -> io::Result<(UnixStream, ())> {
        Self::accept(self).await.map(|(stream, _)| (stream, ()))
    }

    fn address(&(): &()) -> Option<IpAddr> {
        None
    }
}

/// Serves connections until `stop` is cancelled, then lets requests under way finish within
/// [`Limits::drain`]. HTTP/1.1 with upgrades; no h2c.
pub async fn serve<L, F, S>(listener: L, limits: Limits, stop: CancellationToken, service_for: F)
where
    L: Listener,
    F: Fn(L::Peer) -> S,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let mut room = Room::for_connections(limits.connections, limits.connections_of_one);
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = room.place() => place,
        };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: those who leave will free some.
                    tracing::warn!(%error, "A connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let Some(seated) = room.seat(place, L::address(&peer), stream) else { continue };
        let serving = serve_connection(seated, service_for(peer), limits, stop.clone());
        let cut = cut.clone();
        connections.spawn(async move {
            tokio::select! {
                () = serving => {}
                () = cut.cancelled() => {}
            }
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        let cut_off = connections.len();
        tracing::warn!(
            connections = cut_off,
            "{cut_off} connections were cut: their requests took longer than {}s to end",
            limits.drain.as_secs()
        );
        cut.cancel();
        connections.wait().await;
    }
}

/// Serves one connection until it ends; after `stop` it ends with the request under way.
async fn serve_connection<I, S>(io: I, service: S, limits: Limits, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes + 8 * 1024)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "A connection broke off: {error}");
    }
}
