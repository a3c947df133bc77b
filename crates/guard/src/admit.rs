//! The decision. [`Admitted`] is the proof of it: nothing else can be forwarded, and only
//! [`Gate::admit`] makes one.

use std::sync::Arc;

use access::{Identity, KeySet, ListState, Refusal, Verified, Verifier};
use domain::{Email, Signal};
use http::{HeaderMap, HeaderValue, Request};
use hyper::body::Incoming;
use proxy::{Outbound, TunnelWatch};
use tokio_util::sync::CancellationToken;
use world::Clock;

use crate::activity;
use crate::headers::{self, Assertion, Origin};
use crate::keyring::Keyring;
use crate::roster::{Belonging, Roster};

/// Everything a decision rests on.
pub(crate) struct Gate {
    pub(crate) verifier: Verifier,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) public_paths: Vec<String>,
    pub(crate) clock: Clock,
}

/// A well-formed request for the application, from nobody knows whom yet.
pub(crate) struct Visit {
    pub(crate) request: Request<Incoming>,
    pub(crate) host: HeaderValue,
    pub(crate) origin: Origin,
}

/// A request that may pass, as the application will see it.
pub(crate) struct Admitted {
    outbound: Outbound,
    visitor: Visitor,
    signal: Option<Signal>,
}

/// Who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// A person who belongs.
    Member { email: Email, subject: String },
    /// A listed service token.
    Service(String),
    /// Anybody, on a path configured as public.
    Public,
}

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No assertion at all.
    Unidentified,
    /// Two assertions, or none that is text.
    Ambiguous,
    /// An assertion that does not verify.
    Assertion(Refusal),
    /// The issuer's keys have not been seen yet.
    NoKeys,
    /// A person who is not on the list.
    Stranger(Email),
    /// A service token that is not listed.
    UnlistedService,
    /// There is no member list to judge by.
    NoMembers,
    /// A member, but the instance is closed.
    Closed(ListState),
    /// Not forwardable, whoever asks.
    Method,
}

impl Gate {
    /// Decides one request. Identity first, then membership, then the instance's state.
    ///
    /// # Errors
    /// [`Denied`]: the first thing that stands against it.
    pub(crate) async fn admit(&self, visit: Visit) -> Result<Admitted, Denied> {
        let visitor = self.visitor(&visit).await?;
        match self.roster.state() {
            ListState::Active => {}
            closed => return Err(Denied::Closed(closed)),
        }
        Admitted::prepare(visit, visitor)
    }

    /// Who the assertion in these headers speaks of, member or not.
    ///
    /// # Errors
    /// [`Denied`], when there is no assertion that verifies.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Verified, Denied> {
        let token = match headers::assertion(headers) {
            Assertion::None => return Err(Denied::Unidentified),
            Assertion::Ambiguous => return Err(Denied::Ambiguous),
            Assertion::One(token) => token,
        };
        let keys = self.keyring.keys().await;
        match self.judge(token, &keys) {
            // The key may be newer than our set. Any other fault stays one with any keys.
            Err(Refusal::UnknownKey) => {}
            verdict => return verdict.map_err(Denied::Assertion),
        }
        let keys = self.keyring.keys_after_unknown().await;
        match self.judge(token, &keys) {
            Err(Refusal::UnknownKey) if self.keyring.is_empty() => Err(Denied::NoKeys),
            verdict => verdict.map_err(Denied::Assertion),
        }
    }

    fn judge(&self, token: &str, keys: &KeySet) -> Result<Verified, Refusal> {
        self.verifier.verify(token, keys, self.clock.now())
    }

    async fn visitor(&self, visit: &Visit) -> Result<Visitor, Denied> {
        let target = visit.request.uri().path_and_query().map(http::uri::PathAndQuery::path);
        if target.is_some_and(|path| self.public_paths.iter().any(|public| public == path)) {
            return Ok(Visitor::Public);
        }
        let verified = self.identify(visit.request.headers()).await?;
        match verified.identity() {
            Identity::Service(name) if self.service_tokens.contains(name) => Ok(Visitor::Service(name.clone())),
            Identity::Service(_) => Err(Denied::UnlistedService),
            Identity::Person(email) => match self.roster.belongs(email).await {
                Belonging::Member => {
                    Ok(Visitor::Member { email: email.clone(), subject: verified.subject().to_owned() })
                }
                Belonging::Stranger => Err(Denied::Stranger(email.clone())),
                Belonging::Unknown => Err(Denied::NoMembers),
            },
        }
    }
}

impl Admitted {
    fn prepare(visit: Visit, visitor: Visitor) -> Result<Self, Denied> {
        let Visit { request, host, origin } = visit;
        let (method, said) = (request.method().clone(), request.headers().clone());
        let mut outbound = Outbound::new(request).map_err(|_| Denied::Method)?;
        // Judged by what the client said, since `Connection` may have taken headers away.
        let signal = activity::signal(&visitor, &method, &said, outbound.is_websocket());
        let headers = outbound.headers_mut();
        headers::strip(headers);
        headers::set_origin(headers, &origin, &host);
        match &visitor {
            Visitor::Member { email, subject } => headers::set_user(headers, email.as_str(), subject),
            Visitor::Service(name) => headers::set_user(headers, name, ""),
            Visitor::Public => {}
        }
        Ok(Self { outbound, visitor, signal })
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

    /// Cuts the answer, whatever it is, when `stay` is cancelled.
    pub(crate) fn answer_until(&mut self, stay: CancellationToken) {
        self.outbound.end_on(stay);
    }

    pub(crate) fn into_outbound(self) -> Outbound {
        self.outbound
    }
}

impl Visitor {
    /// The person whose membership this rests on.
    pub(crate) fn member(&self) -> Option<&Email> {
        match self {
            Self::Member { email, .. } => Some(email),
            Self::Service(_) | Self::Public => None,
        }
    }

    /// The name for the access log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Member { email, .. } => email.as_str(),
            Self::Service(name) => name,
            Self::Public => "-",
        }
    }
}

impl Denied {
    /// The rule that refused, for the access log.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Unidentified => "no-assertion",
            Self::Ambiguous => "ambiguous-assertion",
            Self::Assertion(refusal) => refusal.rule(),
            Self::NoKeys => "no-keys-yet",
            Self::Stranger(_) => "not-a-member",
            Self::UnlistedService => "service-not-listed",
            Self::NoMembers => "no-member-list",
            Self::Closed(ListState::Deleting) => "deleting",
            Self::Closed(_) => "suspended",
            Self::Method => "method",
        }
    }
}
