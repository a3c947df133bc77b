//! What guards see of the main instance: a socket with their own few addresses.

use std::convert::Infallible;

use hyper::Request;
use hyper::body::Incoming;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::App;

/// Answers guards until told to stop, then lets requests under way finish.
pub async fn serve_guards(listener: UnixListener, app: App, stop: CancellationToken) {
    let router = crate::routes::for_guards(&app);
    proxy::serve(listener, proxy::Limits::default(), stop, move |()| {
        let router = router.clone();
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            async move {
                let answer = router.oneshot(request.map(axum::body::Body::new)).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}).map(proxy::Body::stream))
            }
        })
    })
    .await;
}
