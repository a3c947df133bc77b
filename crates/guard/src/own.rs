//! The guard's own paths: health, sign-out, who-am-I, the push of member lists, and orders. Matched
//! exactly; everything else below `/-/` belongs to the application.

use std::sync::Arc;

use access::Identity;
use access::orders::Order;
use access::protocol::{ASSERTION_COOKIE, HEALTH, LOGOUT, MEMBERS};
use http::header::{ALLOW, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use proxy::Body;
use serde_json::json;

use crate::answers::{Form, bare, json_answer};
use crate::cross_site;
use crate::emergency::{CHALLENGE, DOOR};
use crate::gate::Denied;
use crate::headers::{self, Assertion, Origin};
use crate::notices;
use crate::server::{FROM_ANOTHER_SITE, Guard, Outcome};

const GET_OR_HEAD: &[Method] = &[Method::GET, Method::HEAD];

/// One of the guard's own paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    Health,
    WhoAmI,
    Logout,
    Emergency,
    Members,
    /// What the main instance orders to be done with what the application keeps.
    Order(Order),
}

impl Own {
    /// The own path that a request names, by its raw target and nothing like it.
    pub(crate) fn named_by(method: &Method, target: &Uri) -> Option<Self> {
        let target = target.path_and_query()?.as_str();
        match target {
            HEALTH => Some(Self::Health),
            "/-/access/whoami" => Some(Self::WhoAmI),
            "/-/access/logout" => Some(Self::Logout),
            DOOR => Some(Self::Emergency),
            MEMBERS if method == Method::PUT => Some(Self::Members),
            _ => Order::named_by(method, target).map(Self::Order),
        }
    }

    fn methods(self) -> &'static [Method] {
        match self {
            Self::Health | Self::WhoAmI | Self::Emergency => GET_OR_HEAD,
            Self::Logout => &[Method::GET, Method::HEAD, Method::POST],
            Self::Members => &[Method::PUT],
            Self::Order(_) => &[Method::POST],
        }
    }
}

/// Answers for the guard itself.
pub(crate) async fn answer(
    guard: &Guard,
    own: Own,
    request: Request<Incoming>,
    origin: &Origin,
    form: Form,
) -> Outcome {
    if !own.methods().contains(request.method()) {
        return Outcome::refused(wrong_method(own), "method");
    }
    match own {
        Own::Health => Outcome::own(health(guard).await),
        Own::WhoAmI => who_am_i(guard, &request, origin, form).await,
        Own::Logout if cross_site::is_from_elsewhere(&request) => {
            Outcome::refused(notices::sign_out_yourself().answer(form), FROM_ANOTHER_SITE)
        }
        Own::Logout => Outcome::own(logout(guard, request.headers())),
        Own::Emergency => emergency(guard, request.headers(), origin, form).await,
        Own::Members => guard.member_push.take(&guard.gate.roster, request).await,
        Own::Order(order) => match &guard.custody {
            Some(custody) => custody.answer(order, request).await,
            None => Outcome::denied(Denied::Unidentified, form),
        },
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
    let seen = guard.application.seen().await;
    let (is_well, how) = match guard.rests() {
        true => (false, "resting"),
        false => (seen.health.is_well(), seen.health.as_str()),
    };
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut document = json!({ "guard": "ok", "application": how });
    // Which deployment answers, and what the application calls itself: whoever deploys sees both arrive.
    for (name, value) in [("release", guard.release.as_deref()), ("version", seen.version.as_deref())] {
        if let Some(value) = value {
            document[name] = value.into();
        }
    }
    // Whoever tries the walls has to know that this door is open on purpose.
    if guard.gate.sharing.is_shared() {
        document["app"] = "shared".into();
    }
    json_answer(status, &document)
}

async fn who_am_i(guard: &Guard, request: &Request<Incoming>, origin: &Origin, form: Form) -> Outcome {
    let verified = match guard.gate.identities.identify(request.headers()).await {
        Ok(verified) => verified,
        Err(Denied::Unidentified) => {
            return match guard.gate.emergency_visitor(request.headers(), origin.client).await {
                Ok(visitor) => {
                    let document = json!({ "emergency": visitor.name(), "member": false });
                    Outcome {
                        who: visitor.name().map(str::to_owned),
                        ..Outcome::own(json_answer(StatusCode::OK, &document))
                    }
                }
                Err(denied) => Outcome::denied(denied, form),
            };
        }
        Err(denied) => return Outcome::denied(denied, form),
    };
    let member = guard.gate.standing(Arc::clone(&verified)).await.is_ok();
    let name = match verified.identity() {
        Identity::Person(email) => email.as_str(),
        Identity::Service(name) => name,
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

/// Lets a browser in that has no assertion. Here, and nowhere else, it asks its user for a password:
/// members who are merely signed out should sign in.
async fn emergency(guard: &Guard, headers: &HeaderMap, origin: &Origin, form: Form) -> Outcome {
    if headers::assertion(headers) != Assertion::None {
        return Outcome::refused(notices::sign_out_first().answer(form), "emergency-beside-assertion");
    }
    let Some(door) = &guard.gate.emergency else { return Outcome::denied(Denied::Unidentified, form) };
    let user = match door.identify(headers, origin.client).await {
        Ok(user) => user,
        Err(denied) => {
            // A dialog would only invite to go on.
            let asks = !matches!(denied, Denied::EmergencyThrottled(_));
            let mut outcome = Outcome::denied(denied, form);
            if asks {
                outcome.answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
            }
            return outcome;
        }
    };
    let mut answer = bare(StatusCode::SEE_OTHER);
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
    if let Some(cookie) = door.begin_session(headers, origin.proto == "https") {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    Outcome { who: Some(user.to_string()), reason: "emergency", ..Outcome::own(answer) }
}

/// The edge owns the session: it is ended there, on this same hostname. One of the emergency door
/// is the guard's own, and ends here.
fn logout(guard: &Guard, asked: &HeaderMap) -> Response<Body> {
    let mut answer = bare(StatusCode::SEE_OTHER);
    let headers = answer.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(LOGOUT));
    let ended = format!("{ASSERTION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    if let Ok(ended) = HeaderValue::try_from(ended) {
        headers.insert(SET_COOKIE, ended);
    }
    for ended in guard.gate.emergency.iter().flat_map(|door| door.end_sessions(asked)) {
        headers.append(SET_COOKIE, ended);
    }
    answer
}
