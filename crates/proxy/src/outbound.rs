use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, EXPECT, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use hyper::body::Body as _;
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::hop_by_hop::TrailerSieve;
use crate::{Body, ClientWatch, hop_by_hop, translation};

/// A client that sends nothing of its body for this long is taken to be gone.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// A request made ready to be sent on: the hop's headers are gone, the caller's may now be set.
pub struct Outbound {
    request: Request<Body>,
    upgrade: Option<OnUpgrade>,
    watch: Option<Box<dyn ClientWatch>>,
    end: Option<Arc<CancellationToken>>,
    endless_until: Option<Instant>,
    hold: Duration,
    trailers: TrailerSieve,
}

/// The request cannot be sent on at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForwardable {
    /// CONNECT asks for a connection to somewhere, not for something of the upstream.
    #[error("CONNECT is not forwarded")]
    Connect,
    /// The target has no path, cannot be written as one, or names a user beside the host.
    #[error("the request's target is no path")]
    Target,
}

pub(crate) struct Parts {
    pub(crate) request: Request<Body>,
    pub(crate) upgrade: Option<OnUpgrade>,
    pub(crate) watch: Option<Box<dyn ClientWatch>>,
    pub(crate) end: Option<Arc<CancellationToken>>,
    pub(crate) endless_until: Option<Instant>,
    pub(crate) hold: Duration,
}

impl Outbound {
    /// Takes a request from a client, of whichever version. The bytes of its path and query stay as
    /// they are.
    ///
    /// # Errors
    /// [`NotForwardable`].
    pub fn new<B: Into<Body>>(request: Request<B>) -> Result<Self, NotForwardable> {
        let mut request = request.map(|body| body.into().watched(BODY_PATIENCE));
        if request.method() == Method::CONNECT {
            return Err(NotForwardable::Connect);
        }
        translation::to_http1(&mut request);
        // HTTP/2 carries trailers whether or not anybody asked for them.
        let trailers = request.version() == Version::HTTP_2 || hop_by_hop::accepts_trailers(request.headers());
        to_origin_form(request.uri_mut())?;
        // Of the server as a whole, only its options can be asked for (RFC 9112, 3.2.4).
        if request.uri().path() == "*" && request.method() != Method::OPTIONS {
            return Err(NotForwardable::Target);
        }
        *request.version_mut() = Version::HTTP_11;

        let upgrade = wants_websocket(&request).then(|| hyper::upgrade::on(&mut request));
        let has_unknown_length = !request.body().is_end_stream() && request.body().size_hint().exact().is_none();
        let headers = request.headers_mut();
        hop_by_hop::strip(headers);
        // Answered by this hop's server the moment the body is asked for.
        headers.remove(EXPECT);
        if has_unknown_length {
            // Said here, since of some methods the sender would guess that they have no body.
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if trailers {
            hop_by_hop::ask_for_trailers(headers);
        }
        if upgrade.is_some() {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        let trailers = TrailerSieve { barred: |_| false };
        Ok(Self { request, upgrade, watch: None, end: None, endless_until: None, hold: Duration::ZERO, trailers })
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
    pub fn watch_tunnel(&mut self, watch: Box<dyn ClientWatch>) {
        self.watch = Some(watch);
    }

    /// Lets `watch` see the request's body as it is read.
    pub fn watch_body(&mut self, watch: Box<dyn ClientWatch>) {
        let body = std::mem::replace(self.request.body_mut(), Body::empty());
        *self.request.body_mut() = body.seen_by(watch);
    }

    /// Ends whatever comes back when `end` is cancelled: a tunnel and an event stream as if they had
    /// come to their end, any other answer as one that broke off. It is held until then, or until
    /// the answer is over.
    pub fn end_on(&mut self, end: Arc<CancellationToken>) {
        self.end = Some(end);
    }

    /// Ends what has no end of its own, a tunnel or an event stream, at a moment, as if it had come to
    /// its end. Any other answer may take longer.
    pub fn end_endless_at(&mut self, moment: Instant) {
        self.endless_until = Some(moment);
    }

    /// Lets the request wait for so long for an upstream whose port refuses connections, since it is being started. Only
    /// one that asks for something and sends no body waits: whoever sent more learns at once that it did not arrive.
    pub fn hold_for(&mut self, patience: Duration) {
        let only_asks =
            matches!(*self.request.method(), Method::GET | Method::HEAD) && self.request.body().is_end_stream();
        self.hold = if only_asks { patience } else { Duration::ZERO };
    }

    /// Takes fields of these names out of the request's trailers and out of its announcement of them.
    /// Trailers arrive when the headers have been judged, and many programs make no difference
    /// between the two. What says how the message is framed, where it goes, or concerns one hop has
    /// no place there in any case.
    pub fn bar_from_trailers(&mut self, barred: fn(&HeaderName) -> bool) {
        self.trailers = TrailerSieve { barred };
    }

    pub(crate) fn into_parts(self) -> Parts {
        let Self { request, upgrade, watch, end, endless_until, hold, trailers } = self;
        let mut request = request.map(|body| body.sifted(trailers));
        trailers.sift_announced(request.headers_mut());
        Parts { request, upgrade, watch, end, endless_until, hold }
    }
}

/// Most targets are in it already, and are left as they are.
fn to_origin_form(target: &mut Uri) -> Result<(), NotForwardable> {
    if translation::has_user(target) {
        return Err(NotForwardable::Target);
    }
    if target.authority().is_some() {
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = target.path_and_query().cloned();
        *target = Uri::from_parts(parts).map_err(|_| NotForwardable::Target)?;
    }
    target.path_and_query().map(|_| ()).ok_or(NotForwardable::Target)
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
