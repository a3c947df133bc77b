//! What guards see of the main instance: a socket with their own few addresses.

use std::convert::Infallible;

use hyper::Request;
use hyper::body::Incoming;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::App;

/// Answers guards until told to stop.
pub async fn serve_guards(listener: UnixListener, app: App, stop: CancellationToken) {
    let router = crate::routes::for_guards(&app);
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("A guard's connection could not be accepted: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            async move {
                let answer = router.oneshot(request.map(axum::body::Body::new)).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}).map(proxy::Body::stream))
            }
        });
        tokio::spawn(proxy::serve_connection(stream, service, proxy::Limits::default(), stop.clone()));
    }
}
