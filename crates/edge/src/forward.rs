//! The way to an instance: who may pass, and what the instance gets to see.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use access::protocol::{
    ASSERTION, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, HEALTH, is_barred_from_trailers, strip_claims,
};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use proxy::{Address, ForwardError, Outbound, Timeouts, Upstream};

use crate::answer::{self, Notice, Reader};
use crate::core::Core;
use crate::door::{self, Door, Found, NoDoor};
use crate::hostname::Hostname;
use crate::hostnames::{Published, Route};
use crate::session::{self, Stranger, Visitor};

/// Who sends a request on its way: a prober of the health path, or a visitor.
enum Pass {
    Probe,
    Visitor(Visitor),
}

/// Answers a request to an instance's hostname.
pub(crate) async fn answer(core: &Core, request: Request) -> Response {
    // Apart from its body, which can't be shared across threads while we wait for the store.
    let (head, body) = request.into_parts();
    let reader = Reader::of(&head.method, &head.headers);
    let (door, published) = match door::find(core, &head.uri, &head.headers).await {
        Ok(Found::Instance(door, published)) => (door, published),
        Ok(Found::Site(door)) => return answer::no_door(core, &NoDoor::NotOurs(door.hostname), reader),
        Err(none) => return answer::no_door(core, &none, reader),
    };
    if let Some(closed) = answer::closed(core, &door, &published, reader) {
        return closed;
    }
    match admit(core, &door, &head, reader).await {
        Ok(pass) => forward(core, &door, &published, Request::from_parts(head, body), pass).await,
        Err(refusal) => *refusal,
    }
}

async fn admit(core: &Core, door: &Door, head: &Parts, reader: Reader) -> Result<Pass, Box<Response>> {
    let is_probe = head.uri.path() == HEALTH && matches!(head.method, Method::GET | Method::HEAD);
    if is_probe {
        return Ok(Pass::Probe);
    }
    let wanted = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    match session::visitor(core, door, &head.headers).await {
        Ok(Ok(visitor)) => Ok(Pass::Visitor(visitor)),
        Ok(Err(Stranger::SignedOut)) => Err(Box::new(answer::sign_in_first(core, door, reader, wanted))),
        Ok(Err(Stranger::NotAdmitted(_))) => Err(Box::new(answer::not_admitted(core, door, reader))),
        Err(error) => Err(Box::new(answer::failed(core, &door.shown, reader, &error))),
    }
}

async fn forward(core: &Core, door: &Door, published: &Published, request: Request, pass: Pass) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let mut outbound = match Outbound::new(request.map(proxy::Body::stream)) {
        Ok(outbound) => outbound,
        Err(_) => return not_forwardable(core, door),
    };
    outbound.bar_from_trailers(is_barred_from_trailers);
    let headers = outbound.headers_mut();
    strip_claims(headers);
    session::strip_cookies(headers);
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
    set(headers, FORWARDED_PROTO, &core.site.scheme);
    if let Some(peer) = peer {
        set(headers, FORWARDED_FOR, &peer.ip().to_canonical().to_string());
    }
    if let Pass::Visitor(visitor) = &pass {
        set(headers, ASSERTION, visitor.token());
    }
    match core.upstreams.of(&published.route).forward(outbound).await {
        Ok(mut answer) => {
            session::strip_set_cookies(answer.headers_mut());
            answer.map(Body::new)
        }
        Err(error) => unreachable(core, door, reader, &error),
    }
}

pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn not_forwardable(core: &Core, door: &Door) -> Response {
    answer::notice(
        core,
        Reader::Program,
        &Notice {
            status: StatusCode::BAD_REQUEST,
            hostname: &door.shown,
            title: "Not a request for a page",
            text: "Requests must ask for a path of this host.",
            link: None,
            passing: false,
        },
    )
}

/// The instance's guard does not answer. It is started again by itself, so the page says so and
/// looks again.
fn unreachable(core: &Core, door: &Door, reader: Reader, error: &ForwardError) -> Response {
    let (title, text) = match error {
        ForwardError::ClientBrokeOff(_) => {
            tracing::debug!(hostname = %door.hostname, %error, "A client left {}", door.hostname);
            ("The request broke off", "The rest of the request did not arrive.")
        }
        ForwardError::Unreachable(_) | ForwardError::ConnectTimedOut => {
            tracing::info!(hostname = %door.hostname, %error, "{} is not reachable: {error}", door.hostname);
            ("Starting", "This workspace is starting. It opens by itself in a few seconds.")
        }
        ForwardError::Broken(_) | ForwardError::AnswerTimedOut | ForwardError::UnexpectedUpgrade => {
            tracing::warn!(hostname = %door.hostname, %error, "{} broke off: {error}", door.hostname);
            ("No answer", "This workspace broke off before it answered. What you sent may or may not have arrived.")
        }
    };
    answer::notice(
        core,
        reader,
        &Notice {
            status: StatusCode::SERVICE_UNAVAILABLE,
            hostname: &door.shown,
            title,
            text,
            link: None,
            passing: true,
        },
    )
}

/// The connections kept to each published hostname's guard.
#[derive(Debug, Default)]
pub(crate) struct Upstreams(Mutex<HashMap<Hostname, (SocketAddr, Arc<Upstream>)>>);

impl Upstreams {
    fn of(&self, route: &Route) -> Arc<Upstream> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((address, upstream)) = known.get(&route.hostname)
            && *address == route.upstream
        {
            return Arc::clone(upstream);
        }
        let upstream = Arc::new(Upstream::new(Address::Tcp(route.upstream.to_string()), Timeouts::default()));
        known.insert(route.hostname.clone(), (route.upstream, Arc::clone(&upstream)));
        upstream
    }

    /// Lets the connections to a hostname's guard go once they are idle.
    pub(crate) fn forget(&self, hostname: &Hostname) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(hostname);
    }
}
