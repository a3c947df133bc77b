//! HTTP/2 without TLS, as load balancers speak it to what is behind them.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::Body;
use crate::connection::Connection;
use crate::http2::streams::Streams;
use crate::server::{Limits, at_once};
use crate::{framing, translation};

pub(crate) mod pace;
mod streams;

/// What a client may send ahead of its reader: of one body, and in all. A few bodies that nobody
/// reads don't hold up the others.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What is held of one answer while the client doesn't take it.
const SEND_BUFFER: usize = 64 * 1024;
/// Requests taken back before anybody saw them, and requests with mistakes in them, after which the
/// connection is closed: floods of either cost a client nothing (CVE-2023-44487, RUSTSEC-2024-0003).
const MOST_TAKEN_BACK: usize = 20;
const MOST_MISTAKEN: usize = 100;

/// Serves a connection until it ends; after `stop` it ends with the requests under way. `at_once_most`
/// requests are served side by side.
pub(crate) async fn serve<I, S>(
    connection: Connection<I>,
    service: S,
    at_once_most: u32,
    limits: Limits,
    stop: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let streams = Streams::new(limits.stalled);
    let began = streams.clone();
    let service = service_fn(move |mut request| {
        let pace = began.next_pace();
        let answer = framing::is_clear(request.headers()).then(|| {
            // Whoever decides about the request finds in it what HTTP/1 would have shown.
            translation::to_http1(&mut request);
            service.call(request)
        });
        async move {
            match answer {
                Some(answer) => answer.await.map(|answer| answer.map(|body| body.paced(pace))),
                None => Ok(malformed()),
            }
        }
    });
    let serving = http2::Builder::new(streams.clone())
        .timer(TokioTimer::new())
        .max_concurrent_streams(at_once_most)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MOST_TAKEN_BACK)
        .max_local_error_reset_streams(MOST_MISTAKEN)
        .serve_connection(TokioIo::new(connection), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => match at_once(serving.as_mut()).await {
            Some(ended) => ended,
            None => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        },
        // No pings ask whether the client is still there: they would keep both sides awake.
        () = streams.idle_for(limits.head_time) => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                ended = serving.as_mut() => ended,
                () = never_took_its_leave(&streams, limits) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "A connection broke off: {error}");
    }
}

fn malformed() -> Response<Body> {
    tracing::debug!("A request was refused: its framing can be read in more than one way");
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

/// The client neither acknowledges that the connection ends nor takes what is left of its answers.
async fn never_took_its_leave(streams: &Streams, limits: Limits) {
    let patience: Duration = limits.head_time.saturating_add(limits.stalled);
    streams.idle_for(patience).await;
    tracing::debug!("A connection was cut: its client did not let it end");
}
