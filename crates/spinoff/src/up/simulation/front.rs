//! The one address that browsers see: by its hostname, a request goes to the main instance, to a page
//! of a provider's, or the way that Cloudflare and Railway would lead it.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use access::protocol::{ASSERTION, EDGE_PATHS, is_barred_from_trailers, strip_claims};
use bytes::Bytes;
use http::header::HeaderName;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use proxy::{Address, Body, Limits, Outbound, Timeouts, Upstream};
use simulators::cloudflare::{Cloudflare, Visit};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::RehearsedEdge;
use super::answers::{notice, simulated};
use super::desk::Desk;
use super::names::{Names, Whose};
use super::railway_edge::{RailwayEdge, set};

/// No form of Access is longer.
const LONGEST_FORM: usize = 64 << 10;
/// Where the records of hostnames lead that Railway serves.
const AT_RAILWAY: &str = ".up.railway.app";
const CONNECTING_IP: HeaderName = HeaderName::from_static("cf-connecting-ip");

/// The simulated network.
pub struct Front {
    pub names: Names,
    /// Who stands before instances.
    pub before: RehearsedEdge,
    pub cloudflare: Cloudflare,
    pub railway: RailwayEdge,
    pub desk: Desk,
    pub site: Upstream,
    pub checkout: Upstream,
}

/// The way to something on this machine, whose endless answers end with a token.
pub fn local(address: SocketAddr, stop: &CancellationToken) -> Upstream {
    Upstream::new(Address::Tcp(address.to_string()), Timeouts::default()).ending_tunnels_on(stop.clone())
}

impl Front {
    /// Serves until told to stop, then lets requests under way finish.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let front = Arc::new(self);
        proxy::serve(listener, Limits::default(), stop, move |peer: SocketAddr| {
            let front = Arc::clone(&front);
            service_fn(move |request: Request<Incoming>| {
                let front = Arc::clone(&front);
                Box::pin(async move { Ok::<_, Infallible>(front.answer(request, peer.ip()).await) })
            })
        })
        .await;
    }

    async fn answer(&self, request: Request<Incoming>, from: IpAddr) -> Response<Body> {
        match self.names.whose(request.headers()) {
            Whose::Site if Desk::is_for(request.uri().path()) => {
                let (head, _) = request.into_parts();
                self.desk.answer(&head)
            }
            Whose::Site => pass(&self.site, request).await,
            Whose::Checkout => pass(&self.checkout, request).await,
            Whose::Team => {
                let (head, body) = request.into_parts();
                self.ask_access(&head, body).await
            }
            // Nobody but a wildcard record, which leads to the main instance.
            Whose::Instance(_) if self.before == RehearsedEdge::Builtin => pass(&self.site, request).await,
            Whose::Instance(hostname) => self.visit(&hostname, request, from).await,
        }
    }

    /// As Cloudflare does it: what has a proxied record goes through Access and then to where the record
    /// leads; what has another record never sees Cloudflare.
    async fn visit(&self, hostname: &str, request: Request<Incoming>, from: IpAddr) -> Response<Body> {
        let Some(record) = self.cloudflare.resolve(hostname) else {
            let text = format!("{hostname} has no DNS record, so that no browser would get anywhere.");
            return notice(StatusCode::NOT_FOUND, "This site can't be reached", &text);
        };
        let (head, body) = request.into_parts();
        let mut assertion = None;
        if record.proxied {
            if head.uri.path().starts_with(EDGE_PATHS) {
                return self.ask_access(&head, body).await;
            }
            match self.cloudflare.visit(&seen(&head, Bytes::new())) {
                Visit::Open => {}
                Visit::Pass(pass) => assertion = Some(pass.assertion),
                Visit::Login(answer) | Visit::Denied(answer) | Visit::Own(answer) => return simulated(answer),
            }
        }
        let leads_to_router = record.content == self.names.base_domain;
        if !leads_to_router && !record.content.ends_with(AT_RAILWAY) {
            let text = format!("The record of {hostname} leads to {}, which is nobody here.", record.content);
            return notice(StatusCode::BAD_GATEWAY, "Origin is unreachable", &text);
        }
        let mut outbound = match Outbound::new(Request::from_parts(head, body)) {
            Ok(outbound) => outbound,
            Err(error) => return notice(StatusCode::BAD_REQUEST, "Not a request for a page", &error.to_string()),
        };
        if record.proxied {
            outbound.bar_from_trailers(is_barred_from_trailers);
            strip_claims(outbound.headers_mut());
            set(outbound.headers_mut(), CONNECTING_IP, &from.to_canonical().to_string());
        }
        if let Some(assertion) = assertion {
            set(outbound.headers_mut(), ASSERTION, &assertion);
        }
        if leads_to_router {
            return send(&self.site, outbound).await;
        }
        self.railway.hand_on(hostname, outbound, from).await
    }

    /// A request for Access itself, at the team domain or below its paths at any hostname.
    async fn ask_access(&self, head: &Parts, body: Incoming) -> Response<Body> {
        let Ok(form) = Limited::new(body, LONGEST_FORM).collect().await else {
            return notice(StatusCode::PAYLOAD_TOO_LARGE, "Too long", "No form of Access is as long as this.");
        };
        match self.cloudflare.visit(&seen(head, form.to_bytes())) {
            Visit::Own(answer) | Visit::Login(answer) | Visit::Denied(answer) => simulated(answer),
            Visit::Open | Visit::Pass(_) => {
                notice(StatusCode::NOT_FOUND, "Not found", "There is no such page of Cloudflare Access.")
            }
        }
    }
}

/// Hands a request on as it is.
async fn pass(upstream: &Upstream, request: Request<Incoming>) -> Response<Body> {
    let outbound = match Outbound::new(request) {
        Ok(outbound) => outbound,
        Err(error) => return notice(StatusCode::BAD_REQUEST, "Not a request for a page", &error.to_string()),
    };
    send(upstream, outbound).await
}

async fn send(upstream: &Upstream, outbound: Outbound) -> Response<Body> {
    match upstream.forward(outbound).await {
        Ok(answer) => answer,
        Err(error) => notice(StatusCode::BAD_GATEWAY, "No answer", &error.to_string()),
    }
}

/// A request as Access looks at it.
fn seen(head: &Parts, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    request
}
