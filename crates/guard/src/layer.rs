//! The guard's decision as a tower layer, for applications written in Rust: the same rules about
//! assertions as in front of every instance, with the application's own word on who belongs.

use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use access::{Identity, KeySet, Verifier};
use domain::Email;
use http::request::Parts;
use http::{Request, Response};
use tower::{Layer, Service};
use world::Clock;

use crate::gate::Denied;
use crate::headers;
use crate::identities::{Identities, Keys};
use crate::remembered::Remembered;
use crate::visitor::Visitor;

/// Lets members through to a service, and nobody else.
///
/// The service finds the [`Visitor`] in the request's extensions, and none of the headers and
/// cookies by which a client could pose as somebody.
pub struct GuardLayer<M, R> {
    door: Arc<Door<M, R>>,
}

/// A service behind a [`GuardLayer`].
pub struct Guarded<S, M, R> {
    inner: S,
    door: Arc<Door<M, R>>,
}

struct Door<M, R> {
    identities: Identities,
    admits: M,
    refuse: R,
}

impl<M, R> GuardLayer<M, R> {
    /// A layer that believes assertions which `verifier` verifies with `keys`.
    ///
    /// `admits` says whether a person belongs, and is asked with each request; an error means that
    /// nobody can say, and lets nobody in. `refuse` makes the answer to everybody else.
    pub fn new(verifier: Verifier, keys: KeySet, clock: Clock, admits: M, refuse: R) -> Self {
        let keys = Keys::Known(Arc::new(keys));
        let identities = Identities { verifier, keys, remembered: Remembered::default(), clock };
        Self { door: Arc::new(Door { identities, admits, refuse }) }
    }
}

impl<M, R> Door<M, R> {
    async fn decide<F, E>(&self, head: &Parts) -> Result<Visitor, Denied>
    where
        M: Fn(Email) -> F,
        F: Future<Output = Result<bool, E>>,
        E: Display,
    {
        let verified = self.identities.identify(&head.headers).await?;
        let Identity::Person(email) = verified.identity() else { return Err(Denied::UnlistedService) };
        match (self.admits)(email.clone()).await {
            Ok(true) => Ok(Visitor::Member(verified)),
            Ok(false) => Err(Denied::Stranger(email.clone())),
            Err(error) => {
                tracing::error!("Nobody can say who belongs, so nobody enters: {error}");
                Err(Denied::NoMembers)
            }
        }
    }
}

impl<S, M, R> Layer<S> for GuardLayer<M, R> {
    type Service = Guarded<S, M, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { inner, door: Arc::clone(&self.door) }
    }
}

impl<S, M, R, F, E, B, A> Service<Request<B>> for Guarded<S, M, R>
where
    S: Service<Request<B>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    M: Fn(Email) -> F + Send + Sync + 'static,
    F: Future<Output = Result<bool, E>> + Send,
    E: Display,
    R: Fn(&Denied, &Parts) -> Response<A> + Send + Sync + 'static,
    B: Send + 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<A>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (fresh, door) = (self.inner.clone(), Arc::clone(&self.door));
        // The one that was found ready is the one to call.
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match door.decide(&head).await {
                Ok(visitor) => {
                    headers::strip(&mut head.headers);
                    head.extensions.insert(visitor);
                    inner.call(Request::from_parts(head, body)).await
                }
                Err(denied) => Ok((door.refuse)(&denied, &head)),
            }
        })
    }
}

impl<M, R> Clone for GuardLayer<M, R> {
    fn clone(&self) -> Self {
        Self { door: Arc::clone(&self.door) }
    }
}

impl<S: Clone, M, R> Clone for Guarded<S, M, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), door: Arc::clone(&self.door) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::sync::Mutex;

    use access::{Assertion, Issuer, SigningKey};
    use http::StatusCode;
    use jiff::{SignedDuration, Timestamp};
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn token(issuer: &Issuer, email: &str) -> String {
        let email = Email::parse(email).unwrap();
        let ttl = SignedDuration::from_secs(60);
        let assertion = Assertion { email: &email, subject: "s", audience: "console", now: NOW, ttl, nonce: "n" };
        issuer.issue(&assertion).unwrap()
    }

    async fn admits(email: Email) -> Result<bool, &'static str> {
        match email.as_str() {
            "broken@example.com" => Err("the store is away"),
            email => Ok(email == "ada@example.com"),
        }
    }

    #[tokio::test]
    async fn members_pass_with_their_name_and_without_their_claims_and_others_are_refused() {
        let issuer = Issuer::new("https://site", SigningKey::generate().unwrap());
        let keys = KeySet::parse(issuer.key_set_json().as_bytes()).unwrap();
        let verifier = Verifier::new("https://site", vec!["console".into()]).unwrap();
        let refuse = |denied: &Denied, _: &Parts| {
            let mut answer = Response::new(denied.rule().to_owned());
            *answer.status_mut() = StatusCode::FORBIDDEN;
            answer
        };
        let layer = GuardLayer::new(verifier, keys, Clock::at(NOW), admits, refuse);
        let reached = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&reached);
        let service = layer.layer(service_fn(move |request: Request<()>| {
            let visitor = request.extensions().get::<Visitor>().unwrap().name().unwrap_or_default().to_owned();
            let headers: Vec<String> = request.headers().keys().map(ToString::to_string).collect();
            seen.lock().unwrap().push((visitor, headers));
            async { Ok::<_, Infallible>(Response::new(String::new())) }
        }));
        let ask = async |lines: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/admin");
            for (name, value) in lines {
                request = request.header(*name, *value);
            }
            service.clone().oneshot(request.body(()).unwrap()).await.unwrap().into_body()
        };

        let ada = token(&issuer, "ada@example.com");
        let claims = [("cf-access-jwt-assertion", ada.as_str()), ("x-spinoff-user", "root"), ("accept", "*/*")];
        assert_eq!(ask(&claims).await, "");
        assert_eq!(ask(&[("cookie", &format!("CF_Authorization={ada}"))]).await, "");
        let expected = [("ada@example.com", vec!["accept".to_owned()]), ("ada@example.com", vec![])];
        assert_eq!(*reached.lock().unwrap(), expected.map(|(name, headers)| (name.to_owned(), headers)));

        let stranger = Issuer::new("https://site", SigningKey::generate().unwrap());
        for (lines, rule) in [
            (vec![], "no-assertion"),
            (vec![("x-spinoff-user", "ada@example.com".to_owned())], "no-assertion"),
            (
                vec![("cf-access-jwt-assertion", ada.clone()), ("cf-access-jwt-assertion", ada.clone())],
                "ambiguous-assertion",
            ),
            (vec![("cf-access-jwt-assertion", token(&stranger, "ada@example.com"))], "token-unknown-key"),
            (vec![("cf-access-jwt-assertion", token(&issuer, "eve@example.com"))], "not-a-member"),
            (vec![("cf-access-jwt-assertion", token(&issuer, "broken@example.com"))], "no-member-list"),
        ] {
            let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(ask(&lines).await, rule, "{lines:?}");
        }
        assert_eq!(reached.lock().unwrap().len(), 2);
    }
}
