//! A request with leave to pass. [`Admitted`] is all that can be forwarded, and it takes a
//! [`Pass`] to make one.

use domain::Signal;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use proxy::{NotForwardable, Outbound, TunnelWatch};

use crate::activity;
use crate::gate::Pass;
use crate::headers::{self, Origin};
use crate::visitor::Visitor;

/// A request that may pass, as the application will see it.
pub(crate) struct Admitted {
    outbound: Outbound,
    visitor: Visitor,
    signal: Option<Signal>,
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
    ) -> Result<Self, NotForwardable> {
        // Judged by what the client said, since `Connection` may take headers away.
        let signal = activity::signal(pass.visitor(), request.method(), request.headers());
        let mut outbound = Outbound::new(request)?;
        let signal = signal.filter(|_| !outbound.is_websocket());
        let headers = outbound.headers_mut();
        headers::strip(headers);
        headers::set_origin(headers, origin, host);
        if let Some(name) = pass.visitor().name() {
            headers::set_user(headers, name, pass.visitor().subject());
        }
        outbound.end_on(pass.stay().clone());
        Ok(Self { outbound, visitor: pass.visitor().clone(), signal })
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// What this request is as use.
    pub(crate) fn signal(&self) -> Option<Signal> {
        self.signal
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.outbound.is_websocket()
    }

    /// Watches what the client says through the tunnel, should one open.
    pub(crate) fn watch_tunnel(&mut self, watch: Box<dyn TunnelWatch>) {
        self.outbound.watch_tunnel(watch);
    }

    pub(crate) fn into_outbound(self) -> Outbound {
        self.outbound
    }
}
