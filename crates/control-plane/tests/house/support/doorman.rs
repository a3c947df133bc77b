//! How the stand-ins for guards treat whoever comes: as a guard does, or as a broken one would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use access::protocol::{ASSERTION, REFUSED_BY};
use access::{TestIdentity, Verifier};
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::InstanceId;
use serde_json::json;
use world::Clock;

/// What is the matter with a guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manners {
    /// Nothing.
    #[default]
    Sound,
    /// It forgets to ask whether somebody belongs.
    TakesAnySignIn,
    /// It forgets to ask at all.
    TakesAnybody,
    /// The same, and the application behind it only fails.
    TakesAnybodyToABrokenApplication,
    /// It does not sign its refusals.
    SignsNothing,
    /// It knows none of its members.
    KnowsNobody,
    /// Something before it answers in its place.
    IsAway,
}

/// Stands in the doors of all projects of a host.
#[derive(Clone, Default)]
pub struct Doorman(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    edge: Option<(edge::Edge, Clock)>,
    manners: BTreeMap<InstanceId, Manners>,
}

impl Doorman {
    /// From now on it believes the sign-ins of this edge; before, it turns everybody away.
    pub fn believe(&self, edge: edge::Edge, clock: Clock) {
        self.0.lock().unwrap().edge = Some((edge, clock));
    }

    pub fn behave(&self, instance: InstanceId, manners: Manners) {
        self.0.lock().unwrap().manners.insert(instance, manners);
    }

    /// Answers for the guard of an instance.
    pub fn answer(&self, instance: InstanceId, uri: &Uri, headers: &HeaderMap) -> Response {
        let book = self.0.lock().unwrap();
        let Some((edge, clock)) = &book.edge else { return said(StatusCode::UNAUTHORIZED, "", false) };
        let manners = book.manners.get(&instance).copied().unwrap_or_default();
        if manners == Manners::IsAway {
            return said(StatusCode::BAD_GATEWAY, "nobody is there", false);
        }
        let verifier = Verifier::new(edge.issuer(), vec![edge.audience_of(instance)]).unwrap();
        let token = headers.get(ASSERTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let email = verifier.verify(token, edge.keys(), clock.now()).ok().and_then(|seen| seen.email().cloned());
        let own = TestIdentity::of(instance).unwrap();
        let belongs = email.as_ref().is_some_and(|email| email == own.email()) && manners != Manners::KnowsNobody;
        let signs = manners != Manners::SignsNothing;
        if let (Some(email), "/-/access/whoami") = (&email, uri.path()) {
            let document = json!({ "email": email, "member": belongs }).to_string();
            return said(StatusCode::OK, &document, false);
        }
        match (manners, email.is_some()) {
            (Manners::TakesAnybodyToABrokenApplication, _) => {
                said(StatusCode::INTERNAL_SERVER_ERROR, "it fell over", false)
            }
            (Manners::TakesAnybody, _) | (Manners::TakesAnySignIn, true) => said(StatusCode::OK, "inside", false),
            (_, true) if belongs => said(StatusCode::OK, "inside", false),
            (_, true) => said(StatusCode::FORBIDDEN, "", signs),
            (_, false) => said(StatusCode::UNAUTHORIZED, "", signs),
        }
    }
}

fn said(status: StatusCode, text: &str, is_signed: bool) -> Response {
    let mut answer = Response::new(Body::from(text.to_owned()));
    *answer.status_mut() = status;
    if is_signed {
        answer.headers_mut().insert(REFUSED_BY, "guard".parse().unwrap());
    }
    answer
}
