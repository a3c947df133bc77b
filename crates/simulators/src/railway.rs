//! Railway, as its GraphQL API and its edge look from outside: one workspace that holds what was made.
//!
//! Each request is judged by a part of the public schema (`schema.graphql`); what isn't in there is
//! refused as Railway refuses it. Refusals of the business arrive with status 200 and `errors`, most
//! of them with the code `INTERNAL_SERVER_ERROR`, so that a client has to read the message. Time is the
//! given clock's: nothing waits, everything follows from when it was asked for.
//!
//! How it differs from the real one:
//! - Only one workspace; no subscriptions, webhooks, uploads, builds from source, crons or environments
//!   copied from others. A usage limit is told and stops nothing.
//! - How long things take and lag is made up within what was observed, as [`Settings`] says. The
//!   wording of refusals is its own but for the parts by which clients know them.
//! - What a deployment does is decided by [`Behaviour`], not by its image, unless somebody really runs
//!   [`Railway::containers`]. A service that is made with a source is deployed at once.
//! - Usage is made up from running time: each instance that runs uses the same.
//! - Log lines are few and always the same. Requests in `httpLogs` come from [`Railway::route`].
//! - The DNS is asked when somebody looks at a domain, not all the time; [`Railway::look`] asks it
//!   for all domains. Once verified, a domain stays so. Every CNAME is taken for one of Cloudflare's.
//! - How the host and the token of a verification are written, and whether the TXT record is listed, is
//!   drawn for each domain, since Railway was seen to do it either way.
//! - A project that waits for its deletion goes on running, and `deletedAt` is when it was asked for.
//!   Nobody knows whether the real one does the same.
//! - A volume's instances are deleted with it; nothing can be restored. Deleting a service ends its
//!   usage, the past included.
//! - References between variables aren't resolved. Shared variables reach no service, just as on
//!   Railway unless they are referred to.
//! - No two-factor questions, no OAuth, no roles. All tokens share the limits of the workspace.
//! - The reset time of the rate limit is written as a date; which form Railway uses isn't known.

mod containers;
mod deployments;
mod dispatch;
mod documents;
mod domains;
mod execute;
mod inspection;
mod limits;
mod logs;
mod page;
mod projects;
mod refusal;
mod services;
mod settings;
mod state;
mod timeline;
mod tokens;
mod usage;
mod variables;
mod volumes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apollo_compiler::executable::Operation;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use world::{Clock, Entropy};

pub use containers::{Container, Report};
pub use domains::Dns;
pub use inspection::{DomainSeen, Fate, Kind, ProjectSeen, Route, ServiceSeen, Target};
pub use settings::{Plan, Settings, Span};
pub use tokens::TokenKind;

use crate::{Answer, Request, Simulator};
use documents::{Documents, root_field};
use refusal::{INTERNAL, error_body};
use state::{State, label};

/// The part of Railway's schema that is known here, in GraphQL's own language.
pub const SCHEMA: &str = include_str!("railway/schema.graphql");

/// Name, country and place of each region.
const REGIONS: [(&str, &str, &str); 4] = [
    ("us-west2", "US", "California"),
    ("us-east4-eqdc4a", "US", "Virginia"),
    ("europe-west4-drams3a", "NL", "Amsterdam"),
    ("asia-southeast1-eqsg3a", "SG", "Singapore"),
];

/// How the deployments of a project fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// They run.
    Succeeds,
    /// Their health check never passes.
    Fails,
    /// They run, and end so long after that.
    CrashesAfter(SignedDuration),
    /// They are deploying for ever.
    NeverSettles,
    /// They sleep as soon as they run, until a request comes.
    Sleeps,
    /// Somebody really runs them and says how they fare: [`Railway::report`].
    AsReported,
}

/// The simulator. Clones share their state.
#[derive(Clone)]
pub struct Railway(Arc<Shared>);

struct Shared {
    clock: Clock,
    token: String,
    documents: Documents,
    state: Mutex<State>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Value,
    operation_name: Option<String>,
}

impl Railway {
    /// An empty workspace with one workspace token.
    pub fn new(clock: Clock, entropy: Entropy, settings: Settings) -> Self {
        let token = label::<32>(&entropy);
        let mut state = State::new(clock.now(), entropy, settings, Arc::new(domains::NoDns));
        state.tokens.grant(&token, TokenKind::Workspace, None);
        Self(Arc::new(Shared { clock, token, documents: Documents::default(), state: Mutex::new(state) }))
    }

    /// The token that was there from the start.
    pub fn workspace_token(&self) -> &str {
        &self.0.token
    }

    /// Makes a token.
    pub fn grant(&self, kind: TokenKind) -> String {
        self.grant_as(kind, None)
    }

    /// Makes a token that opens nothing from a moment on.
    pub fn grant_until(&self, kind: TokenKind, until: Timestamp) -> String {
        self.grant_as(kind, Some(until))
    }

    /// From now on the token opens nothing.
    pub fn revoke(&self, token: &str) {
        self.state().tokens.revoke(token);
    }

    /// The token that was there from the start opens everything again.
    pub fn restore_token(&self) {
        self.state().tokens.grant(&self.0.token, TokenKind::Workspace, None);
    }

    /// Whom to ask about DNS records. Before that, no name has any.
    pub fn set_dns(&self, dns: Arc<dyn Dns>) {
        self.state().dns = dns;
    }

    /// Asks the DNS about all domains that aren't verified yet. Verification counts from when the
    /// records were first seen, so a simulation calls it after each step of its clock.
    pub fn look(&self) {
        let mut state = self.state();
        for place in 0..state.projects.len() {
            state.look_at(place);
        }
    }

    /// Changes how long things take, and the plan.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// How deployments in projects of this name fare from now on.
    pub fn behave(&self, project: &str, behaviour: Behaviour) {
        self.state().behaviours.insert(project.to_owned(), behaviour);
    }

    /// How deployments of an image fare from now on, whatever was said of their projects.
    pub fn behave_with(&self, image: &str, behaviour: Behaviour) {
        self.state().behaviours_of_images.insert(image.to_owned(), behaviour);
    }

    /// How deployments fare in projects of which nothing else was said.
    pub fn behave_usually(&self, behaviour: Behaviour) {
        self.state().usual_behaviour = behaviour;
    }

    /// What runs in projects of this name crashes now.
    pub fn crash(&self, project: &str) {
        let mut state = self.state();
        let now = state.now;
        for held in state.projects.iter_mut().filter(|held| held.name == project) {
            for index in 0..held.deployments.len() {
                if matches!(held.status(index, now).0, timeline::Status::Success | timeline::Status::Sleeping) {
                    held.deployments[index].timeline.turn(now, timeline::Status::Crashed);
                }
            }
        }
    }

    /// Projects of this name are deleted behind everybody's back, as by a click in the dashboard.
    pub fn vanish(&self, project: &str) {
        let mut state = self.state();
        let now = state.now;
        for held in state.projects.iter_mut().filter(|held| held.name == project && held.end.gone(now).is_none()) {
            held.end = state::End::Done(now);
        }
    }

    /// All projects that were ever made, oldest first, without any lag.
    pub fn projects(&self) -> Vec<ProjectSeen> {
        self.state().seen()
    }

    /// How often something was made, whatever became of it. [`Kind`] says whose name counts.
    pub fn creations(&self, kind: Kind, name: &str) -> usize {
        self.state().made(kind, name)
    }

    /// What Railway's edge would do with a request for a hostname. A sleeping instance wakes.
    pub fn route(&self, hostname: &str) -> Route {
        self.state().route(hostname)
    }

    fn grant_as(&self, kind: TokenKind, until: Option<Timestamp>) -> String {
        let mut state = self.state();
        let token = label::<32>(&state.entropy);
        state.tokens.grant(&token, kind, until);
        token
    }

    /// The state as it is at this moment.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.0.clock.now();
        state
    }

    fn run(&self, asked: &Asked, state: &mut State, caller: &tokens::Caller) -> Result<Value, Value> {
        let document = self.0.documents.get(&asked.query).map_err(|errors| json!({ "errors": errors }))?;
        let operation = document
            .operations
            .get(asked.operation_name.as_deref())
            .map_err(|error| error_body("BAD_USER_INPUT", &error.message().to_string()))?;
        execute::execute(&document, operation, &asked.variables, state, caller)
    }
}

#[async_trait]
impl Simulator for Railway {
    fn operation(&self, request: &Request) -> String {
        let name = || {
            let asked: Asked = serde_json::from_slice(request.body()).ok()?;
            let document = self.0.documents.get(&asked.query).ok()?;
            let operation: &Operation = document.operations.get(asked.operation_name.as_deref()).ok()?;
            root_field(operation).map(str::to_owned)
        };
        name().unwrap_or_else(|| "graphql".into())
    }

    async fn answer(&self, request: Request) -> Answer {
        if request.method() != Method::POST || request.uri().path() != "/graphql/v2" {
            return answer(StatusCode::NOT_FOUND, &error_body("NOT_FOUND", "Not Found"));
        }
        let mut state = self.state();
        let (plan, now) = (state.settings.plan, state.now);
        let standing = state.windows.count(plan, now);
        let mut answer = if standing.is_some_and(|standing| standing.refused.is_some()) {
            answer(StatusCode::TOO_MANY_REQUESTS, &error_body("RATE_LIMITED", "Rate limit exceeded"))
        } else {
            let caller = state.tokens.caller(request.headers(), now);
            let body = serde_json::from_slice(request.body())
                .map_err(|error| error_body("BAD_REQUEST", &format!("The body is not a GraphQL request: {error}")));
            match body.and_then(|asked| self.run(&asked, &mut state, &caller)) {
                Ok(body) => answer(StatusCode::OK, &body),
                Err(body) => answer(StatusCode::BAD_REQUEST, &body),
            }
        };
        if let Some(standing) = standing {
            standing.write(answer.headers_mut());
        }
        answer
    }

    fn failure(&self, status: u16) -> Bytes {
        let body = match status {
            429 => error_body("RATE_LIMITED", "Rate limit exceeded"),
            _ => error_body(INTERNAL, "Internal server error"),
        };
        body.to_string().into()
    }
}

impl std::fmt::Debug for Railway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Railway").field("projects", &self.state().projects.len()).finish_non_exhaustive()
    }
}

fn answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(body.to_string().into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}
