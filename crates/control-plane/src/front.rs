//! The one address that browsers see: the site on its own hostname, the edge on all others.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header;
use hyper::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::App;

/// Serves until told to stop, then lets requests under way finish.
pub async fn serve_people(listener: TcpListener, app: App, stop: CancellationToken) {
    let front = Arc::new(Front { site: crate::routes::for_people(&app), edge: app.gate.clone() });
    proxy::serve(listener, proxy::Limits::default(), stop, move |peer| {
        let front = Arc::clone(&front);
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.answer(request, peer).await) }
        })
    })
    .await;
}

/// Whether the main instance is well, and whether it has its store.
const HEALTH: &str = "/-/health";
const READY: &str = "/-/ready";

struct Front {
    site: Router,
    edge: edge::Edge,
}

impl Front {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> hyper::Response<proxy::Body> {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = if self.is_for_site(&request) {
            self.site.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
        } else {
            self.edge.handle(request).await
        };
        answer.map(proxy::Body::stream)
    }

    /// The site answers on its own hostname, and to whoever names this machine by its address. Whether it is well it says to
    /// whoever asks by any other name: load balancers and platforms ask by names and numbers of their own.
    fn is_for_site<B>(&self, request: &Request<B>) -> bool {
        let Some(host) = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()) else { return true };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_end_matches('.');
        name.eq_ignore_ascii_case(self.edge.site().as_str())
            || matches!(name, "127.0.0.1" | "[::1]" | "[::1")
            || (matches!(request.uri().path(), HEALTH | READY) && !self.edge.is_before(name))
    }
}
