//! Railway's edge: finds by its hostname which deployment a request is for, wakes it, and hands it on.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use access::protocol::{FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO};
use http::header::{HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use proxy::{Body, Limits, Outbound};
use simulators::railway::{Railway, Route};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::answers::{fallback, notice};
use super::names::hostname;
use super::runtime::Doors;

/// Railway's edge, before all containers.
#[derive(Clone)]
pub struct RailwayEdge {
    railway: Railway,
    doors: Doors,
}

impl RailwayEdge {
    /// The edge before what runs behind these doors.
    pub fn new(railway: Railway, doors: Doors) -> Self {
        Self { railway, doors }
    }

    /// Hands a request for a hostname to its container.
    pub async fn hand_on(&self, hostname: &str, mut outbound: Outbound, from: IpAddr) -> Response<Body> {
        say_where_from(outbound.headers_mut(), from);
        let deployment = match self.railway.route(hostname) {
            Route::Up(target) => target.deployment,
            Route::NotFound => {
                let text = format!("Railway serves nothing at {hostname}: unknown, not verified yet, or not deployed.");
                return fallback(StatusCode::NOT_FOUND, "The train has not arrived at the station", &text);
            }
            Route::BadGateway => return does_not_answer(hostname),
        };
        let Some(upstream) = self.doors.of(&deployment).await else { return does_not_answer(hostname) };
        match upstream.forward(outbound).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!("{hostname} broke off: {error}");
                does_not_answer(hostname)
            }
        }
    }

    /// Takes requests that go past Cloudflare, straight to Railway, until told to stop.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        proxy::serve(listener, Limits::default(), stop, move |peer: SocketAddr| {
            let edge = self.clone();
            service_fn(move |request: Request<Incoming>| {
                let edge = edge.clone();
                Box::pin(async move { Ok::<_, Infallible>(edge.straight(request, peer.ip()).await) })
            })
        })
        .await;
    }

    async fn straight(&self, request: Request<Incoming>, from: IpAddr) -> Response<Body> {
        let hostname = hostname(request.headers()).unwrap_or_default();
        match Outbound::new(request) {
            Ok(outbound) => self.hand_on(&hostname, outbound, from).await,
            Err(error) => notice(StatusCode::BAD_REQUEST, "Not a request for a page", &error.to_string()),
        }
    }
}

/// What Railway says of a request, whatever came with it.
fn say_where_from(headers: &mut HeaderMap, from: IpAddr) {
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
    set(headers, FORWARDED_PROTO, "http");
    set(headers, FORWARDED_FOR, &from.to_canonical().to_string());
}

/// Sets a header, in place of what a client sent by that name.
pub fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn does_not_answer(hostname: &str) -> Response<Body> {
    fallback(StatusCode::BAD_GATEWAY, "Application failed to respond", &format!("{hostname} does not answer."))
}
