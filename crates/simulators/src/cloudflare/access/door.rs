//! What a network front asks about each request before it passes it on.

use http::header::HeaderValue;
use http::{HeaderMap, Method, StatusCode, header};
use jiff::SignedDuration;

use access::protocol::{ASSERTION_COOKIE, CERTS, EDGE_PATHS, LOGOUT};

use super::super::Cloudflare;
use super::super::state::State;
use super::apps::{App, SameSite};
use super::policies::{Decision, Policy};
use super::visitor::Visitor;
use super::{duration, page};
use crate::{Answer, Request};

/// Where a hostname takes over from the team domain after a sign-in.
pub(super) const AUTHORIZED: &str = "/cdn-cgi/access/authorized";
pub(super) const IDENTITY: &str = "/cdn-cgi/access/get-identity";

/// What is to happen with a request.
#[derive(Debug)]
pub enum Visit {
    /// No application covers it, or it is let through unasked: pass it on without an assertion.
    Open,
    /// Pass it on with an assertion.
    Pass(Pass),
    /// The way to sign in, to be answered instead.
    Login(Answer),
    /// Nobody or not this one may enter, to be answered instead.
    Denied(Answer),
    /// It was for Access itself: its answer.
    Own(Answer),
}

/// What somebody gets who was identified for a hostname.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The token, as the hostname's cookie holds it.
    pub assertion: String,
    /// The audience that it names.
    pub audience: String,
}

/// Somebody or some program that may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The value of the header [`access::protocol::ASSERTION`].
    pub assertion: String,
}

impl Cloudflare {
    /// Judges a request for the hostname in its `Host` header, as the edge does. The body only matters
    /// below [`access::protocol::EDGE_PATHS`].
    pub fn visit(&self, request: &Request) -> Visit {
        let (visit, outgoing) = {
            let mut state = self.state();
            (state.visit(request), state.take_outgoing())
        };
        self.deliver(outgoing);
        visit
    }

    /// What somebody gets at a hostname after an identity provider told Access who they are; `None`
    /// where the application before it asks another provider, or no policy of it lets them in. How they prove
    /// it to the provider is none of Access's business.
    pub fn identified(&self, hostname: &str, provider: &str, email: &str) -> Option<Identified> {
        self.state().identified(hostname, provider, email)
    }
}

impl State {
    fn identified(&mut self, hostname: &str, provider: &str, email: &str) -> Option<Identified> {
        let (id, app) = self.covering(hostname, "/")?;
        let allowed = &app.fields.allowed_idps;
        let is_asked = allowed.is_empty() || allowed.iter().any(|known| known == provider);
        let visitor = Visitor::Person { email, provider };
        let lasts = self.letting_in(&app, visitor).filter(|_| is_asked).map(|policy| self.lasting(&app, policy))?;
        if !self.take_seat(email) {
            return None;
        }
        let assertion = self.issue(email, &id, lasts).ok()?;
        Some(Identified { assertion, audience: app.aud().to_owned() })
    }

    fn visit(&mut self, request: &Request) -> Visit {
        let host = host(request);
        if host == self.settings.team_host() {
            return Visit::Own(self.team(request));
        }
        let hostname = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned();
        let path = request.uri().path();
        if path.starts_with(EDGE_PATHS) {
            return Visit::Own(self.own(request, &host));
        }
        let Some((id, app)) = self.covering(&hostname, path) else { return Visit::Open };
        let is_preflight = app.fields.options_preflight_bypass == Some(true) && request.method() == Method::OPTIONS;
        if is_preflight || self.is_bypassed(&app) {
            return Visit::Open;
        }
        if request.headers().contains_key("cf-access-client-id") {
            return self.program(request.headers(), &app);
        }
        let session = cookie(request.headers()).and_then(|token| Some((self.session_at(&token, &id)?, token)));
        match session {
            Some((_, assertion)) => Visit::Pass(Pass { assertion }),
            None if request.headers().get("x-requested-with").is_some_and(|with| with == "XMLHttpRequest") => {
                Visit::Login(page::empty(StatusCode::UNAUTHORIZED))
            }
            None => Visit::Login(self.send_to_sign_in(&host, &id, request.uri())),
        }
    }

    /// The most specific application that covers an address.
    pub(super) fn covering(&self, hostname: &str, path: &str) -> Option<(String, App)> {
        let all = self.access.apps.iter().filter_map(|(id, app)| Some((app.covers(hostname, path)?, id, app)));
        all.max_by_key(|(how_well, ..)| *how_well).map(|(_, id, app)| (id.to_owned(), app.clone()))
    }

    /// The policy by which somebody may enter: the first that means them decides.
    pub(super) fn letting_in(&self, app: &App, visitor: Visitor<'_>) -> Option<&Policy> {
        let decisive = match visitor {
            Visitor::Service(_) => [Decision::NonIdentity, Decision::Deny],
            _ => [Decision::Allow, Decision::Deny],
        };
        let policies = app.policies().iter().filter_map(|id| self.access.policies.get(id));
        let mut meant = policies
            .filter(|policy| decisive.contains(&policy.fields.decision) && policy.means(visitor, &self.access.groups));
        meant.next().filter(|policy| policy.fields.decision != Decision::Deny)
    }

    /// How long a sign-in is good for: the policy's time beats the application's, and that the team's.
    pub(super) fn lasting(&self, app: &App, policy: &Policy) -> SignedDuration {
        let set = policy.fields.session_duration.as_deref().or(app.fields.session_duration.as_deref());
        set.and_then(duration::parse).unwrap_or_else(|| self.team_duration())
    }

    fn is_bypassed(&self, app: &App) -> bool {
        let policies = app.policies().iter().filter_map(|id| self.access.policies.get(id));
        let mut bypasses = policies.filter(|policy| policy.fields.decision == Decision::Bypass);
        bypasses.any(|policy| policy.means(Visitor::Nobody, &self.access.groups))
    }

    fn program(&mut self, headers: &HeaderMap, app: &App) -> Visit {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (client_id, secret) = (text("cf-access-client-id"), text("cf-access-client-secret"));
        let is_let_in = {
            let mut tokens = self.access.service_tokens.iter();
            let token = tokens.find(|(_, token)| token.opens(client_id, secret, self.now));
            token.is_some_and(|(id, _)| self.letting_in(app, Visitor::Service(id)).is_some())
        };
        match is_let_in.then(|| self.issue_for_service(client_id, app.aud())) {
            Some(Ok(assertion)) => Visit::Pass(Pass { assertion }),
            _ => Visit::Denied(page::denied("This service token may not enter here.")),
        }
    }

    /// Access's own paths at a hostname that it stands in front of.
    fn own(&mut self, request: &Request, host: &str) -> Answer {
        match request.uri().path() {
            CERTS => self.certs(),
            IDENTITY => self.identity(request.headers()),
            LOGOUT => self.sign_out(request.headers()),
            AUTHORIZED => self.authorize(request, host),
            _ => page::empty(StatusCode::NOT_FOUND),
        }
    }

    /// The cookie that holds a token at a hostname.
    pub(super) fn app_cookie(&self, app: &App, token: &str, lasts: SignedDuration) -> Option<HeaderValue> {
        let mut cookie = format!("{ASSERTION_COOKIE}={token}; Path=/; Max-Age={}", lasts.as_secs());
        if app.fields.http_only_cookie_attribute != Some(false) {
            cookie.push_str("; HttpOnly");
        }
        cookie.push_str(match app.fields.same_site_cookie_attribute {
            Some(SameSite::None) => "; SameSite=None",
            Some(SameSite::Strict) => "; SameSite=Strict",
            Some(SameSite::Lax) => "; SameSite=Lax",
            None => "",
        });
        if self.settings.is_https() {
            cookie.push_str("; Secure");
        }
        HeaderValue::from_str(&cookie).ok()
    }
}

/// Hostname and port that a request is for, in lower case.
fn host(request: &Request) -> String {
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    header.or(authority).unwrap_or_default().to_ascii_lowercase()
}

/// The token in the cookie of Access.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let mut named = access::cookies::pairs(headers).filter_map(|pair| {
        let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        (name == ASSERTION_COOKIE).then(|| value.to_owned())
    });
    named.next()
}
