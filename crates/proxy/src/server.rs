//! Taking connections, with limits, and letting them go without losing a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Body;

/// What a client may take up before its request is decided.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the whole head of a request to arrive; also how long an idle connection is kept.
    pub head_time: Duration,
    /// For request line and headers together, in bytes.
    pub head_bytes: usize,
    /// For a graceful end: requests that take longer are cut.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_time: Duration::from_secs(30), head_bytes: 64 * 1024, drain: Duration::from_secs(10) }
    }
}

/// Serves connections until `stop` is cancelled, then lets requests under way finish within
/// [`Limits::drain`]. HTTP/1.1 with upgrades; no h2c.
pub async fn serve<F, S>(listener: TcpListener, limits: Limits, stop: CancellationToken, service_for: F)
where
    F: Fn(SocketAddr) -> S,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: those who leave will free some.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let serving = serve_connection(stream, service_for(peer), limits, stop.clone());
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
        tracing::warn!(connections = connections.len(), "Requests were cut: they outlasted the drain");
        cut.cancel();
        connections.wait().await;
    }
}

/// Serves one connection until it ends; after `stop` it ends with the request under way.
pub async fn serve_connection<I, S>(io: I, service: S, limits: Limits, stop: CancellationToken)
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
        tracing::debug!(%error, "a connection ended");
    }
}
