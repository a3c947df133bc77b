use std::time::Duration;

use http::header::{CONNECTION, EXPECT, HOST, UPGRADE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};
use hyper::upgrade::OnUpgrade;
use tokio_util::sync::CancellationToken;

use crate::Body;
use crate::hop_by_hop;
use crate::tunnel::TunnelWatch;

/// A client that sends nothing of its body for this long is taken to be gone.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// A request made ready to be sent on: the hop's headers are gone, the caller's may now be set.
pub struct Outbound {
    request: Request<Body>,
    upgrade: Option<OnUpgrade>,
    watch: Option<Box<dyn TunnelWatch>>,
    end: Option<CancellationToken>,
}

/// The request cannot be sent on at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForwardable {
    /// CONNECT asks for a connection to somewhere, not for something of the upstream.
    #[error("CONNECT is not forwarded")]
    Connect,
    /// The target has no path, or cannot be written as one.
    #[error("the request's target is no path")]
    Target,
}

pub(crate) struct Parts {
    pub(crate) request: Request<Body>,
    pub(crate) upgrade: Option<OnUpgrade>,
    pub(crate) watch: Option<Box<dyn TunnelWatch>>,
    pub(crate) end: Option<CancellationToken>,
}

impl Outbound {
    /// Takes a request from a client. The bytes of its path and query stay as they are.
    ///
    /// # Errors
    /// [`NotForwardable`].
    pub fn new<B: Into<Body>>(request: Request<B>) -> Result<Self, NotForwardable> {
        let mut request = request.map(|body| body.into().watched(BODY_PATIENCE));
        if request.method() == Method::CONNECT {
            return Err(NotForwardable::Connect);
        }
        let target = request.uri().path_and_query().cloned().ok_or(NotForwardable::Target)?;
        keep_host(&mut request);
        *request.uri_mut() = origin_form(target)?;
        *request.version_mut() = Version::HTTP_11;

        let upgrade = wants_websocket(&request).then(|| hyper::upgrade::on(&mut request));
        let trailers = hop_by_hop::accepts_trailers(request.headers());
        let headers = request.headers_mut();
        hop_by_hop::strip(headers);
        // Answered by this hop's server the moment the body is asked for.
        headers.remove(EXPECT);
        if trailers {
            hop_by_hop::ask_for_trailers(headers);
        }
        if upgrade.is_some() {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        Ok(Self { request, upgrade, watch: None, end: None })
    }

    /// The headers that the upstream will see.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.request.headers_mut()
    }

    /// The headers that the upstream will see.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Whether this asks for a WebSocket.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.upgrade.is_some()
    }

    /// Lets `watch` see what the client sends through the tunnel, should one open.
    pub fn watch_tunnel(&mut self, watch: Box<dyn TunnelWatch>) {
        self.watch = Some(watch);
    }

    /// Ends whatever comes back when `end` is cancelled: a tunnel and an event stream as if they had
    /// come to their end, any other answer as one that broke off.
    pub fn end_on(&mut self, end: CancellationToken) {
        self.end = Some(end);
    }

    pub(crate) fn into_parts(self) -> Parts {
        let Self { request, upgrade, watch, end } = self;
        Parts { request, upgrade, watch, end }
    }
}

/// HTTP/2 and absolute targets carry the host in the target; upstreams look for it in `Host`.
fn keep_host(request: &mut Request<Body>) {
    if request.headers().contains_key(HOST) {
        return;
    }
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
}

fn origin_form(target: PathAndQuery) -> Result<Uri, NotForwardable> {
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map_err(|_| NotForwardable::Target)
}

fn wants_websocket(request: &Request<Body>) -> bool {
    request.method() == Method::GET
        && hop_by_hop::has_token(request.headers(), &CONNECTION, "upgrade")
        && hop_by_hop::has_token(request.headers(), &UPGRADE, "websocket")
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Outbound").field("method", self.request.method()).finish_non_exhaustive()
    }
}
