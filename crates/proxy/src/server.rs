//! Taking connections, with limits, and letting them go without losing a request.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{Connection, Protocol};
use crate::room::{Place, Room};
use crate::{Body, http1, http2};

/// Connections that are still taken when the end has come; about as many wait in a backlog.
const MOST_LATE: usize = 1024;

/// What clients may take up, whoever they are.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the whole head of a request to arrive; also how long an idle connection is kept.
    pub head_time: Duration,
    /// How long a client may take to accept another byte of what is sent to it. Afterwards the
    /// connection is cut, a tunnel as well; of HTTP/2, the one answer that is not taken.
    pub stalled: Duration,
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
    /// Requests under way at once on one connection of HTTP/2. `None` speaks HTTP/1 only, which is
    /// the default: browsers don't speak HTTP/2 without TLS, so it is only of use behind a load
    /// balancer that does.
    pub http2_streams: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(30),
            stalled: Duration::from_secs(60),
            head_bytes: 64 * 1024,
            drain: Duration::from_secs(10),
            connections: 4096,
            connections_of_one: 512,
            http2_streams: None,
        }
    }
}

/// After a stop, for the first request of a connection that was taken before it: whoever connected is
/// owed one answer.
pub(crate) const FIRST_REQUEST: Duration = Duration::from_secs(1);

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
/// [`Limits::drain`]. HTTP/1.1 with upgrades, read strictly: a request whose framing can be
/// understood in two ways is refused and its connection closed. HTTP/2 as [`Limits`] has it, by prior
/// knowledge only: nothing is upgraded to it.
///
/// An HTTP/2 request has the `Host` that its target names, and its cookies in one header.
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
    let take = |room: &Room, place: Place, (stream, peer): (L::Io, L::Peer)| {
        let Some(seat) = room.seat(place, L::address(&peer)) else { return };
        let connection = Connection::new(stream, seat, limits.stalled);
        let serving = serve_connection(connection, service_for(peer), limits, stop.clone());
        let cut = cut.clone();
        connections.spawn(async move {
            tokio::select! {
                () = serving => {}
                () = cut.cancelled() => {}
            }
        });
    };
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = room.place() => place,
        };
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => take(&room, place, accepted),
                Err(error) => {
                    // Out of file descriptors, most likely: those who leave will free some.
                    tracing::warn!(%error, "A connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    // Those who connected before the end are owed an answer.
    for _ in 0..MOST_LATE {
        let Some(place) = at_once(std::pin::pin!(room.place())).await else { break };
        let Some(Ok(accepted)) = at_once(std::pin::pin!(listener.accept())).await else { break };
        take(&room, place, accepted);
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

/// What a future gives without waiting for anything that has not arrived yet. What has arrived counts
/// even if nobody has looked at it.
pub(crate) async fn at_once<F: Future + Unpin>(future: F) -> Option<F::Output> {
    // Sockets are looked at when tasks make way.
    tokio::task::yield_now().await;
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

async fn serve_connection<I, S>(mut connection: Connection<I>, service: S, limits: Limits, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let Some(streams) = limits.http2_streams else {
        return http1::serve(connection, service, limits, stop).await;
    };
    let protocol = tokio::select! {
        protocol = tokio::time::timeout(limits.head_time, connection.protocol()) => protocol.ok(),
        () = stop.cancelled() => tokio::time::timeout(FIRST_REQUEST, connection.protocol()).await.ok(),
    };
    match protocol {
        Some(Ok(Protocol::Http1)) => http1::serve(connection, service, limits, stop).await,
        Some(Ok(Protocol::Http2)) => http2::serve(connection, service, streams, limits, stop).await,
        Some(Err(error)) => tracing::debug!(%error, "A connection broke off: {error}"),
        None => tracing::debug!("A connection was closed: nothing that is HTTP came in time"),
    }
}
