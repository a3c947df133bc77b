//! HTTP/1: one request at a time, and tunnels.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::Body;
use crate::connection::Connection;
use crate::server::{FIRST_REQUEST, Limits, at_once};

/// Beyond a head, so that the rest of what was sent along with it finds room.
const BUFFER_BESIDE_HEAD: usize = 8 * 1024;

/// Serves a connection until it ends; after `stop` it ends with the request under way.
pub(crate) async fn serve<I, S>(mut connection: Connection<I>, service: S, limits: Limits, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let (is_tunnel, begun) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
    connection.check_framing(Arc::clone(&is_tunnel));
    let first = begun.clone();
    let service = service_fn(move |request| {
        first.cancel();
        let (answer, is_tunnel) = (service.call(request), Arc::clone(&is_tunnel));
        async move {
            let answer = answer.await;
            let switches = |answer: &Response<Body>| answer.status() == StatusCode::SWITCHING_PROTOCOLS;
            if answer.as_ref().is_ok_and(switches) {
                is_tunnel.store(true, Ordering::Relaxed);
            }
            answer
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes + BUFFER_BESIDE_HEAD)
        .serve_connection(TokioIo::new(connection), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            let patience = FIRST_REQUEST.min(limits.drain);
            let first = tokio::time::timeout(patience, begun.cancelled());
            let ended = tokio::select! {
                ended = serving.as_mut() => Some(ended),
                _ = first => at_once(serving.as_mut()).await,
            };
            match ended {
                Some(ended) => ended,
                None => {
                    serving.as_mut().graceful_shutdown();
                    serving.await
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "A connection broke off: {error}");
    }
}
