//! A request with leave to pass. [`Admitted`] is all that can be forwarded, and it takes a
//! [`Pass`] to make one.

use std::sync::Arc;

use access::protocol::is_barred_from_trailers;
use http::header::{SEC_WEBSOCKET_EXTENSIONS, UPGRADE};
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use proxy::{ClientWatch, NotForwardable, Outbound};

use crate::activity::{Activity, Asked, Usage};
use crate::gate::Pass;
use crate::headers::{self, Origin};
use crate::visitor::Visitor;

/// A request that may pass, as the application will see it.
pub(crate) struct Admitted {
    outbound: Outbound,
    visitor: Visitor,
    usage: Usage,
}

impl Admitted {
    /// Takes away what only the guard may say, and says it.
    ///
    /// # Errors
    /// [`NotForwardable`], whoever asks.
    pub(crate) fn prepare(
        pass: Pass,
        request: Request<Incoming>,
        origin: &Origin,
        host: HeaderValue,
        activity: &Activity,
    ) -> Result<Self, NotForwardable> {
        // Judged by what the client said, since `Connection` may take headers away.
        let asked = Asked { method: request.method(), target: request.uri(), headers: request.headers() };
        let by_itself = activity.request(pass.visitor(), &asked);
        let opening = asked.headers.contains_key(UPGRADE).then(|| activity.websocket(pass.visitor(), &asked));
        let mut outbound = Outbound::new(request)?;
        let usage = opening.filter(|_| outbound.is_websocket()).unwrap_or(by_itself);
        outbound.bar_from_trailers(is_barred_from_trailers);
        let headers = outbound.headers_mut();
        // What is compressed could not be told from use, and an idle tab's pings would cost money.
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        headers::strip(headers);
        pass.conceal_credentials(headers);
        headers::set_origin(headers, origin, host);
        if let Some(name) = pass.visitor().name() {
            headers::set_user(headers, name, pass.visitor().subject());
        }
        outbound.end_on(Arc::clone(pass.stay()));
        if let Some(until) = pass.endless_until() {
            outbound.end_endless_at(until);
        }
        Ok(Self { outbound, visitor: pass.visitor().clone(), usage })
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// What this request is as use.
    pub(crate) fn take_usage(&mut self) -> Usage {
        std::mem::replace(&mut self.usage, Usage::Known(None))
    }

    /// Watches what the client says through the tunnel, should one open.
    pub(crate) fn watch_tunnel(&mut self, watch: Box<dyn ClientWatch>) {
        self.outbound.watch_tunnel(watch);
    }

    /// Watches the body.
    pub(crate) fn watch_body(&mut self, watch: Box<dyn ClientWatch>) {
        self.outbound.watch_body(watch);
    }

    pub(crate) fn into_outbound(self) -> Outbound {
        self.outbound
    }
}
