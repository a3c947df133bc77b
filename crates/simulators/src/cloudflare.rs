//! Cloudflare, as its REST API and its edge look from outside: one account with one zone and Access.
//!
//! Bodies are taken strictly: a field, a value or a query parameter that isn't known here is refused,
//! so that a client finds out here and not in production. Time is the given clock's.
//!
//! How it differs from the real one:
//! - One account, one zone, one team. No custom hostnames, lists, tunnels, load balancers, rules or logs
//!   other than that of sign-ins. Of the zone's settings there are three.
//! - Records are of the types A, AAAA, CNAME, TXT and MX, without `data`, shadows and private routing. DNS
//!   changes are seen by every resolver at once. A PATCH needs only what changes, as at the real one, though
//!   the published types ask for more.
//! - The real API passes over many unknown fields and parameters that are refused here. Codes and words of
//!   errors are the known ones for records, tokens and limits; the rest are its own, and only their
//!   status should be relied on.
//! - A CNAME beside another is always 81053, even if it is the same; 81058 is for making what is there,
//!   81057 for changing a record into one that is there.
//! - The limit of requests counts in fixed windows from a token's first request, and there is none per address.
//! - Lists lag only as [`Settings::list_lag`] says, all by the same time; reading by id never does.
//! - Access knows self-hosted applications, reusable policies, and rules by address, domain, group, service
//!   token and login method. Policies inside an application, countries, devices and outside evaluation are
//!   refused. Settings about CORS, binding cookies, launchers and the look of pages are kept or refused, and do
//!   nothing. An application that is overwritten without policies has none.
//! - Where an account has no provider for mailed codes, nobody can sign in. Other providers are kept, but
//!   nobody can sign in by them. A page asks for the address even when only one of them is allowed.
//! - A mailed code has six digits, and one wrong try spoils it. A sign-in isn't tied to the browser that began it.
//! - Policies are judged at sign-in, and not again during a session. Revoking works at once, not after half a
//!   minute. A seat is only given free by hand, never because nobody came.
//! - The certificates in the document of keys are empty, `auth_domain` changes nothing about the team
//!   domain, and everybody comes from one address in one country.
//! - The log of sign-ins is complete and exact; the real one was seen to reach further or less far.

mod access;
mod dns;
mod envelope;
mod ids;
mod limits;
mod query;
mod routes;
mod settings;
mod shelf;
mod state;
mod tokens;
mod zone;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use world::{Clock, Entropy};

pub use access::{App, Code, Identified, Pass, Policy, Rule, Visit};
pub use dns::{Record, Target};
pub use settings::{Plan, Settings};
pub use tokens::Permission;

use crate::{Answer, Request, Simulator};
use envelope::{Refusal, Reply};
use routes::{Asked, Matched};
use state::State;
use tokens::Need;

/// Where the API's paths begin.
const BASE: &str = "/client/v4";

/// Who is told of a code.
type OnCode = Arc<dyn Fn(&Code) + Send + Sync>;

/// The simulator. Clones share their state.
#[derive(Clone)]
pub struct Cloudflare(Arc<Shared>);

struct Shared {
    clock: Clock,
    token: String,
    on_code: Mutex<Option<OnCode>>,
    state: Mutex<State>,
}

/// What can be counted by [`Cloudflare::creations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// DNS records.
    Records,
    /// Access applications.
    Applications,
    /// Reusable policies.
    Policies,
    /// Groups of Access.
    Groups,
    /// Identity providers.
    IdentityProviders,
    /// Service tokens.
    ServiceTokens,
}

impl Cloudflare {
    /// An account with an empty zone and one token that may do everything.
    pub fn new(clock: Clock, entropy: Entropy, settings: Settings) -> Self {
        let token = ids::hex_of::<20>(&entropy);
        let mut state = State::new(clock.now(), entropy, settings);
        // Old enough that no lag concerns it.
        let id = ids::short(&state.entropy);
        state.tokens.grant(&token, id, &Permission::ALL, Timestamp::UNIX_EPOCH, None);
        Self(Arc::new(Shared { clock, token, on_code: Mutex::new(None), state: Mutex::new(state) }))
    }

    /// The token that was there from the start.
    pub fn token(&self) -> &str {
        &self.0.token
    }

    /// Makes a token that opens this much.
    pub fn grant(&self, permissions: &[Permission]) -> String {
        self.grant_as(permissions, None)
    }

    /// Makes a token that opens nothing from a moment on.
    pub fn grant_until(&self, permissions: &[Permission], until: Timestamp) -> String {
        self.grant_as(permissions, Some(until))
    }

    /// From now on the token opens nothing.
    pub fn revoke(&self, token: &str) {
        self.state().tokens.revoke(token);
    }

    /// The token that was there from the start opens everything again.
    pub fn restore_token(&self) {
        let mut state = self.state();
        let id = ids::short(&state.entropy);
        state.tokens.grant(&self.0.token, id, &Permission::ALL, Timestamp::UNIX_EPOCH, None);
    }

    /// The account's id.
    pub fn account_id(&self) -> String {
        self.state().account_id.clone()
    }

    /// The zone's id.
    pub fn zone_id(&self) -> String {
        self.state().zone_id.clone()
    }

    /// Changes limits and lags.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Tells of every code that is mailed.
    pub fn on_code(&self, tell: impl Fn(&Code) + Send + Sync + 'static) {
        *self.0.on_code.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(tell));
    }

    /// The codes that were mailed, oldest first.
    pub fn codes(&self) -> Vec<Code> {
        self.state().codes()
    }

    /// All records that are there now, without any lag.
    pub fn records(&self) -> Vec<Record> {
        self.state().records.shelf().iter().map(|(_, record)| record.clone()).collect()
    }

    /// All Access applications that are there now.
    pub fn apps(&self) -> Vec<App> {
        self.state().access.apps.iter().map(|(_, app)| app.clone()).collect()
    }

    /// All reusable policies that are there now.
    pub fn policies(&self) -> Vec<Policy> {
        self.state().access.policies.iter().map(|(_, policy)| policy.clone()).collect()
    }

    /// The addresses that take a seat.
    pub fn seats(&self) -> Vec<String> {
        self.state().seated()
    }

    /// How often something was made, whatever became of it.
    pub fn creations(&self, of: Made) -> usize {
        let state = self.state();
        match of {
            Made::Records => state.records.shelf().made(),
            Made::Applications => state.access.apps.made(),
            Made::Policies => state.access.policies.made(),
            Made::Groups => state.access.groups.made(),
            Made::IdentityProviders => state.access.identity_providers.made(),
            Made::ServiceTokens => state.access.service_tokens.made(),
        }
    }

    /// A record appears behind everybody's back, as by a click in the dashboard. False when it can't.
    pub fn plant(&self, kind: &str, name: &str, content: &str) -> bool {
        self.state().plant_record(kind, name, content).is_ok()
    }

    /// Somebody signs in at the first application there is, or is turned away; only the log tells.
    pub fn plant_sign_in(&self, email: &str, allowed: bool) {
        let mut state = self.state();
        let app = state.access.apps.iter().next().map(|(id, _)| id.to_owned());
        state.log(access::log::Action::Login, allowed, app.as_deref(), email);
    }

    /// All records of a name vanish behind everybody's back.
    pub fn vanish(&self, name: &str) {
        let mut state = self.state();
        let now = state.now;
        let ids = state.records.shelf().iter().filter(|(_, record)| record.name == name).map(|(id, _)| id.to_owned());
        for id in ids.collect::<Vec<_>>() {
            state.records.remove(&id, now);
        }
    }

    /// An application vanishes behind everybody's back.
    pub fn vanish_app(&self, name: &str) {
        let mut state = self.state();
        let now = state.now;
        let ids = state.access.apps.iter().filter(|(_, app)| app.name() == name).map(|(id, _)| id.to_owned());
        for id in ids.collect::<Vec<_>>() {
            state.access.apps.remove(&id, now);
        }
    }

    /// Every operation that is answered: method and path template.
    pub fn operations() -> Vec<String> {
        routes::ROUTES.iter().map(|route| format!("{} {}", route.method, route.template)).collect()
    }

    fn grant_as(&self, permissions: &[Permission], until: Option<Timestamp>) -> String {
        let mut state = self.state();
        let (secret, id, now) = (ids::hex_of::<20>(&state.entropy), ids::short(&state.entropy), state.now);
        state.tokens.grant(&secret, id, permissions, now, until);
        secret
    }

    /// The state, as of now.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.0.clock.now();
        state
    }

    /// Tells of codes when nothing is locked any more: whoever is told may ask back.
    fn deliver(&self, codes: Vec<Code>) {
        let tell = self.0.on_code.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for code in codes {
            if let Some(tell) = &tell {
                tell(&code);
            }
        }
    }
}

impl std::fmt::Debug for Cloudflare {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Cloudflare")
    }
}

#[async_trait]
impl Simulator for Cloudflare {
    fn operation(&self, request: &Request) -> String {
        let path = request.uri().path();
        let found = path.strip_prefix(BASE).and_then(|path| routes::find(request.method(), path));
        let template = found.map_or(path, |matched| matched.route.template);
        format!("{} {template}", request.method())
    }

    async fn answer(&self, request: Request) -> Answer {
        let (answer, outgoing) = {
            let mut state = self.state();
            let answer = match request.uri().path().strip_prefix(BASE) {
                Some(_) => state.api(request),
                None => state.team(&request),
            };
            (answer, state.take_outgoing())
        };
        self.deliver(outgoing);
        answer
    }

    fn failure(&self, status: u16) -> Bytes {
        let refusal = match status {
            429 => Refusal::new(429, 10100, "Please wait and consider throttling your request speed"),
            status => Refusal::new(status, 10001, "Internal error"),
        };
        Bytes::from(refusal.body().to_string())
    }
}

impl State {
    fn api(&mut self, request: Request) -> Answer {
        let mut standing = None;
        let done = self.asked(request, &mut standing);
        let mut answer = done.map_or_else(Refusal::into_answer, Reply::into_answer);
        if let Some(standing) = standing {
            limits::Standing::tell(standing, answer.headers_mut());
        }
        answer
    }

    fn asked(&mut self, request: Request, standing: &mut Option<limits::Standing>) -> Result<Reply, Refusal> {
        let path = request.uri().path().strip_prefix(BASE).unwrap_or_default();
        let matched = routes::find(request.method(), path);
        let need = matched.as_ref().map_or(Need::Valid, |matched| matched.route.need);
        let (now, limit, lag) = (self.now, self.settings.request_limit, self.settings.token_lag);
        let is_verify = matched.as_ref().is_some_and(|matched| matched.route.need == Need::Valid);
        let token = self.tokens.borne(request.headers()).map_err(|refusal| match refusal.code {
            9109 if is_verify => Refusal::new(401, 1000, "Invalid API Token"),
            _ => refusal,
        })?;
        if let Some(limit) = limit {
            let counted = token.window.count(limit, now);
            *standing = Some(counted);
            counted.refusal().map_or(Ok(()), Err)?;
        }
        token.check(need, now, lag)?;
        let (about, sees_the_zone) = (token.about(now), token.sees_the_zone());
        let Some(Matched { route, account, zone, id }) = matched else {
            return Err(Refusal::new(400, 7000, "No route for that URI"));
        };
        if zone.is_some_and(|zone| zone != self.zone_id) || account.is_some_and(|account| account != self.account_id) {
            return Err(Refusal::new(403, 10000, "Authentication error"));
        }
        let makes_the_team = route.method == Method::POST && route.template.ends_with("/organizations");
        if route.template.contains("/access/") && !makes_the_team {
            access::organization::check(self)?;
        }
        let query = query::Query::parse(request.uri().query());
        (route.handler)(self, &Asked { id, query, body: request.into_body(), token: about, sees_the_zone })
    }
}
