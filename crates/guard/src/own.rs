//! The guard's own paths: health, sign-out, who-am-I, and the push of member lists. Matched
//! exactly; everything else below `/-/` belongs to the application.

use access::protocol::{ASSERTION_COOKIE, HEALTH, LOGOUT, MEMBERS};
use access::{Identity, SignedMembers};
use http::header::{ALLOW, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use proxy::Body;
use serde_json::json;

use crate::answers::{Form, Notice, bare, json_answer};
use crate::notices;
use crate::roster::{Belonging, NotTaken};
use crate::server::{Guard, Outcome};

/// Signed lists are small; this holds tens of thousands of members.
const MAX_LIST: usize = 1024 * 1024;
/// For a pushed list to arrive.
const PUSH_TIME: std::time::Duration = std::time::Duration::from_secs(10);
const GET_OR_HEAD: &[Method] = &[Method::GET, Method::HEAD];

/// One of the guard's own paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    Health,
    WhoAmI,
    Logout,
    Members,
}

impl Own {
    /// The own path that a request names, by its raw target and nothing like it.
    pub(crate) fn named_by(request: &Request<Incoming>) -> Option<Self> {
        match request.uri().path_and_query()?.as_str() {
            HEALTH => Some(Self::Health),
            "/-/access/whoami" => Some(Self::WhoAmI),
            "/-/access/logout" => Some(Self::Logout),
            MEMBERS if request.method() == Method::PUT => Some(Self::Members),
            _ => None,
        }
    }

    fn methods(self) -> &'static [Method] {
        match self {
            Self::Health | Self::WhoAmI => GET_OR_HEAD,
            Self::Logout => &[Method::GET, Method::HEAD, Method::POST],
            Self::Members => &[Method::PUT],
        }
    }
}

/// Answers for the guard itself.
pub(crate) async fn answer(guard: &Guard, own: Own, request: Request<Incoming>, form: Form) -> Outcome {
    if !own.methods().contains(request.method()) {
        return Outcome::refused(wrong_method(own), "method");
    }
    match own {
        Own::Health => Outcome::own(health(guard).await),
        Own::WhoAmI => who_am_i(guard, &request, form).await,
        Own::Logout => Outcome::own(logout()),
        Own::Members => members(guard, request).await,
    }
}

fn wrong_method(own: Own) -> Response<Body> {
    let mut answer = bare(StatusCode::METHOD_NOT_ALLOWED);
    let allowed: Vec<&str> = own.methods().iter().map(Method::as_str).collect();
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

async fn health(guard: &Guard) -> Response<Body> {
    let health = guard.application.health().await;
    let status = if health.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_answer(status, &json!({ "guard": "ok", "application": health.as_str() }))
}

async fn who_am_i(guard: &Guard, request: &Request<Incoming>, form: Form) -> Outcome {
    let verified = match guard.gate.identify(request.headers()).await {
        Ok(verified) => verified,
        Err(denied) => return Outcome::refused(notices::denied(&denied).answer(form), denied.rule()),
    };
    let (name, member) = match verified.identity() {
        Identity::Person(email) => (email.as_str(), guard.gate.roster.belongs(email).await == Belonging::Member),
        Identity::Service(name) => (name.as_str(), guard.gate.service_tokens.contains(name)),
    };
    let document = match verified.identity() {
        Identity::Person(_) => json!({
            "email": name, "subject": verified.subject(), "member": member, "expires": verified.expires(),
        }),
        Identity::Service(_) => json!({ "service": name, "member": member, "expires": verified.expires() }),
    };
    let mut outcome = Outcome::own(json_answer(StatusCode::OK, &document));
    outcome.who = Some(name.to_owned());
    outcome
}

/// The edge owns the session: it is ended there, on this same hostname.
fn logout() -> Response<Body> {
    let mut answer = bare(StatusCode::SEE_OTHER);
    let headers = answer.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(LOGOUT));
    let ended = format!("{ASSERTION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    if let Ok(ended) = HeaderValue::try_from(ended) {
        headers.insert(SET_COOKIE, ended);
    }
    answer
}

/// Takes a member list. Needs no identity: the list proves itself.
async fn members(guard: &Guard, request: Request<Incoming>) -> Outcome {
    if !guard.gate.roster.takes_signed_lists() {
        return Outcome::refused(problem(StatusCode::NOT_FOUND, &NotTaken::NotConfigured), "no-signed-lists");
    }
    let reading = Limited::new(request.into_body(), MAX_LIST).collect();
    let Ok(Ok(body)) = tokio::time::timeout(PUSH_TIME, reading).await else {
        return Outcome::refused(bare(StatusCode::BAD_REQUEST), "list-unreadable");
    };
    let Ok(signed) = serde_json::from_slice::<SignedMembers>(&body.to_bytes()) else {
        return Outcome::refused(bare(StatusCode::BAD_REQUEST), "list-malformed");
    };
    let (status, rule) = match guard.gate.roster.apply(&signed) {
        Ok(()) => return Outcome::own(bare(StatusCode::NO_CONTENT)),
        Err(error @ NotTaken::Older) => (problem(StatusCode::CONFLICT, &error), "list-older"),
        Err(error @ NotTaken::Disk) => (problem(StatusCode::SERVICE_UNAVAILABLE, &error), "list-not-kept"),
        Err(error) => (problem(StatusCode::FORBIDDEN, &error), "list-not-believed"),
    };
    Outcome::refused(status, rule)
}

fn problem(status: StatusCode, error: &NotTaken) -> Response<Body> {
    Notice::new(status, "The member list was not taken", error.to_string()).answer(Form::Json)
}
