//! The way to an instance: who may pass, and what the instance gets to see.

use std::net::SocketAddr;

use access::protocol::{
    ASSERTION, EDGE_PATHS, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, HEALTH, REFUSED_BY, ROUTED_HOST,
    is_barred_from_trailers, strip_claims,
};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use proxy::{ForwardError, Outbound};

use crate::answer::{self, Notice, Reader};
use crate::core::Core;
use crate::door::{self, Door, Found, NoDoor};
use crate::hostnames::Published;
use crate::origin::Origin;
use crate::session::{self, Stranger, Visitor};
use crate::{EdgeError, Identification};

/// Railway's edge says so of its own answers, in place of an instance's.
const FALLBACK: HeaderName = HeaderName::from_static("x-railway-fallback");

/// What a guard answers itself begins like this.
const GUARD_PATHS: &str = "/-/";

/// Who sends a request on its way: a prober of the health path, a visitor, or somebody whom the guard is
/// to judge by what they were given before they came here.
enum Pass {
    Probe,
    Visitor(Visitor),
    Unasked,
    /// A stranger to an app that may be shared with everybody. Where its guard does not say that it is, they
    /// get this, as at any other door.
    IfShared(Box<Response>),
}

/// Why an instance gave no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error(transparent)]
    Forward(#[from] ForwardError),
    #[error("nothing runs there")]
    NothingThere,
    #[error(transparent)]
    Edge(#[from] EdgeError),
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
    if core.settings.identification == Identification::Before {
        let is_for_others = head.uri.path().starts_with(EDGE_PATHS);
        return if is_for_others { Err(Box::new(answered_before(core, door, reader))) } else { Ok(Pass::Unasked) };
    }
    let is_probe = head.uri.path() == HEALTH && matches!(head.method, Method::GET | Method::HEAD);
    if is_probe {
        return Ok(Pass::Probe);
    }
    let wanted = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let refusal = match session::visitor(core, door, &head.headers).await {
        Ok(Ok(visitor)) => return Ok(Pass::Visitor(visitor)),
        Ok(Err(Stranger::SignedOut)) => Box::new(answer::sign_in_first(core, door, reader, wanted)),
        Ok(Err(Stranger::NotAdmitted(_))) => Box::new(answer::not_admitted(core, door, reader)),
        Err(error) => return Err(Box::new(answer::failed(core, &door.shown, reader, &error))),
    };
    if may_be_shared(core, door, head.uri.path()) { Ok(Pass::IfShared(refusal)) } else { Err(refusal) }
}

/// Whether somebody who is no visitor may get in all the same: to the app, where apps may be shared, and to
/// nothing that the guard answers itself.
fn may_be_shared(core: &Core, door: &Door, path: &str) -> bool {
    core.settings.shared_apps && door.is_apps() && !path.starts_with(GUARD_PATHS) && !path.starts_with(EDGE_PATHS)
}

async fn forward(core: &Core, door: &Door, published: &Published, request: Request, pass: Pass) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let mut outbound = match Outbound::new(request.map(proxy::Body::stream)) {
        Ok(outbound) => outbound,
        Err(_) => return not_forwardable(core, door),
    };
    outbound.bar_from_trailers(is_barred_from_trailers);
    say_who_and_where(core, outbound.headers_mut(), published, peer, &pass);
    // A prober wants to know how things are, not how they will be.
    if !matches!(pass, Pass::Probe) {
        outbound.hold_for(core.settings.hold);
    }
    match (send(core, published, outbound).await, pass) {
        (Ok(answer), Pass::IfShared(refusal)) if is_refused(&answer) => *refusal,
        // Without an answer nobody has said that it is shared.
        (Err(_), Pass::IfShared(refusal)) => *refusal,
        (Ok(mut answer), _) => {
            session::strip_set_cookies(answer.headers_mut());
            answer.map(Body::new)
        }
        (Err(NoAnswer::Edge(error)), _) => answer::failed(core, &door.shown, reader, &error),
        (Err(error), _) => no_answer(core, door, &published.route.upstream, reader, &error),
    }
}

/// Whether the guard lets nobody in without a sign-in. No application can say so in its place.
fn is_refused(answer: &http::Response<proxy::Body>) -> bool {
    let by_guard = answer.headers().get(REFUSED_BY).is_some_and(|by| by == "guard");
    by_guard && matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// What the guard gets to see, in place of what the client said.
fn say_who_and_where(
    core: &Core,
    headers: &mut HeaderMap,
    published: &Published,
    peer: Option<SocketAddr>,
    pass: &Pass,
) {
    let asserted: Vec<HeaderValue> = match pass {
        // All of them, however many: that two are one too many is for the guard to say.
        Pass::Unasked => headers.get_all(ASSERTION).iter().cloned().collect(),
        Pass::Visitor(visitor) => HeaderValue::from_str(visitor.token()).into_iter().collect(),
        Pass::Probe | Pass::IfShared(_) => Vec::new(),
    };
    strip_claims(headers);
    session::strip_cookies(headers);
    if let Some(host) = headers.get(HOST).cloned() {
        if let Origin::Name(name) = &published.route.upstream {
            set(headers, HOST, name.as_str());
            headers.insert(ROUTED_HOST, host.clone());
        }
        headers.insert(FORWARDED_HOST, host);
    }
    set(headers, FORWARDED_PROTO, &core.site.scheme);
    if let Some(peer) = peer {
        set(headers, FORWARDED_FOR, &peer.ip().to_canonical().to_string());
    }
    for assertion in asserted {
        headers.append(ASSERTION, assertion);
    }
}

async fn send(core: &Core, published: &Published, outbound: Outbound) -> Result<http::Response<proxy::Body>, NoAnswer> {
    let answer = core.upstreams.of(&published.route)?.forward(outbound).await?;
    let is_fallback = published.route.upstream.name().is_some() && answer.headers().contains_key(FALLBACK);
    if is_fallback { Err(NoAnswer::NothingThere) } else { Ok(answer) }
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

/// What whoever stands before this edge answers itself, and did not.
fn answered_before(core: &Core, door: &Door, reader: Reader) -> Response {
    answer::notice(
        core,
        reader,
        &Notice {
            status: StatusCode::NOT_FOUND,
            hostname: &door.shown,
            title: "Not here",
            text: "Signing in and out is seen to before requests come here. Open the workspace's own address.",
            link: None,
            passing: false,
        },
    )
}

/// The instance's guard does not answer. It is started again by itself, so the page says so and
/// looks again.
fn no_answer(core: &Core, door: &Door, origin: &Origin, reader: Reader, error: &NoAnswer) -> Response {
    let is_elsewhere = origin.name().is_some();
    let (title, text) = match error {
        NoAnswer::Forward(ForwardError::ClientBrokeOff(_)) => {
            tracing::debug!(hostname = %door.hostname, %error, "A client left {}", door.hostname);
            ("The request broke off", "The rest of the request did not arrive.")
        }
        NoAnswer::NothingThere | NoAnswer::Forward(ForwardError::Unreachable(_) | ForwardError::ConnectTimedOut)
            if is_elsewhere =>
        {
            tracing::warn!(hostname = %door.hostname, %origin, %error, "{} is not reachable: {error}", door.hostname);
            ("Not reachable", "This workspace does not answer at the moment. What you sent did not arrive.")
        }
        NoAnswer::Forward(ForwardError::Unreachable(_) | ForwardError::ConnectTimedOut) => {
            tracing::info!(hostname = %door.hostname, %error, "{} is not reachable: {error}", door.hostname);
            ("Starting", "This workspace is starting. It opens by itself in a few seconds.")
        }
        _ => {
            tracing::warn!(hostname = %door.hostname, %error, "{} broke off: {error}", door.hostname);
            ("No answer", "This workspace broke off before it answered. What you sent may or may not have arrived.")
        }
    };
    let status = if is_elsewhere { StatusCode::BAD_GATEWAY } else { StatusCode::SERVICE_UNAVAILABLE };
    let hostname = &door.shown;
    answer::notice(core, reader, &Notice { status, hostname, title, text, link: None, passing: true })
}
