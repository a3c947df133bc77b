//! The guard's decision as a tower layer, for applications written in Rust: the same rules about
//! assertions as in front of every instance, with the application's own word on who belongs.

use std::fmt::Display;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use access::{Identity, KeySet, Verifier};
use domain::Email;
use http::request::Parts;
use http::{Request, Response, Uri};
use tower::{Layer, Service};
use world::Clock;

use crate::gate::Denied;
use crate::headers;
use crate::identities::{Identities, Keys};
use crate::keyring::Keyring;
use crate::link::{self, Link};
use crate::remembered::Remembered;
use crate::settings::{self, SettingsError};
use crate::visitor::Visitor;

/// Lets members through to a service, and nobody else.
///
/// The service finds the [`Visitor`] in the request's extensions, and none of the headers and
/// cookies by which a client could pose as somebody. Service tokens don't enter, and there is no
/// emergency door.
///
/// Behind Cloudflare Access, in front of routes of axum:
///
/// ```text
/// let issuer = "https://team.cloudflareaccess.com";
/// let verifier = Verifier::new(issuer, vec![AUDIENCE.into()]).context("issuer and audience")?;
/// let keys = KeySource::new(&format!("{issuer}/cdn-cgi/access/certs"), None, state.join("certs.json"))?;
/// let admits = |email: Email| async move { Ok::<_, sqlx::Error>(members.includes(&email).await?) };
/// let refuse = |denied: &Denied, _: &Parts| (StatusCode::FORBIDDEN, denied.rule()).into_response();
/// let layer = GuardLayer::fetching_keys(verifier, keys, Clock::System, admits, refuse);
/// let app = Router::new().route("/", get(hello)).route_layer(layer);
///
/// async fn hello(Extension(visitor): Extension<Visitor>) -> String {
///     format!("Hello {}", visitor.name().unwrap_or("nobody"))
/// }
/// ```
pub struct GuardLayer<M, R> {
    door: Arc<Door<M, R>>,
}

/// Where an issuer's keys are fetched from, and where they are kept.
#[derive(Clone, Debug)]
pub struct KeySource {
    url: Uri,
    ca_file: Option<PathBuf>,
    cache: PathBuf,
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

impl KeySource {
    /// Keys at `certs_url`, such as `https://<team>.cloudflareaccess.com/cdn-cgi/access/certs`. The
    /// certificates in `ca_file` (PEM) are trusted beside those of the system. The last good keys are
    /// kept in the file `cache`, so that a restart does not need the issuer.
    ///
    /// # Errors
    /// When the address is not an https one (plain http is for loopback only), or `ca_file` has no
    /// certificates that can be read.
    pub fn new(certs_url: &str, ca_file: Option<PathBuf>, cache: PathBuf) -> Result<Self, SettingsError> {
        let url = settings::reachable("the address of the keys", certs_url, false)?;
        if let Some(file) = &ca_file {
            link::check_ca(file).map_err(|error| settings::problem(format!("the certificate authority {error}")))?;
        }
        Ok(Self { url, ca_file, cache })
    }
}

impl<M, R> GuardLayer<M, R> {
    /// A layer that believes assertions which `verifier` verifies with `keys`.
    ///
    /// `admits` says whether a person belongs, and is asked with each request; an error means that
    /// nobody can say, and lets nobody in. `refuse` makes the answer to everybody else.
    pub fn new(verifier: Verifier, keys: KeySet, clock: Clock, admits: M, refuse: R) -> Self {
        Self::believing(verifier, Keys::Known(Arc::new(keys)), clock, admits, refuse)
    }

    /// The same with keys that are fetched, and fetched again as they change, like those of a guard in
    /// front of an instance: with the first visit, beside visits that come when they are five minutes
    /// old, and at once for a key that nobody has heard of; at most once in 30 s, and never while nobody
    /// visits. A visit waits for them only when there are none yet, or after a start or an hour without
    /// any visit. Visits must come on a runtime of tokio.
    pub fn fetching_keys(verifier: Verifier, keys: KeySource, clock: Clock, admits: M, refuse: R) -> Self {
        let link = Link::to(&keys.url, None, keys.ca_file.as_deref());
        let keyring = Keyring::open(keys.url, link, keys.cache);
        Self::believing(verifier, Keys::Fetched(keyring), clock, admits, refuse)
    }

    fn believing(verifier: Verifier, keys: Keys, clock: Clock, admits: M, refuse: R) -> Self {
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
