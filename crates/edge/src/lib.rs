//! The built-in edge: what Cloudflare does before the instances, small and on one machine.
//!
//! It knows which hostname leads to which instance, signs people in by a mailed one-time code, and
//! passes requests on with an assertion of who is there, in the form that guards verify. The main
//! site is one more hostname that people sign in to.
//!
//! What holds here:
//! - Nothing but the exact health path reaches an instance without a session for that hostname and
//!   an admission to it; both are looked at with every request. Where somebody before this edge asks who
//!   is there ([`Identification::Before`]), it only leads the way, and all of that is the guard's. Where apps may be
//!   shared ([`Settings::shared_apps`]), the guard of an app is asked before a stranger to it is turned away.
//! - Nobody learns from an answer, or from how long it took, whether an address may enter.
//! - Whatever a client claims about who or where it is goes no further.
//! - Changes made through this process hold at the next request, changes of another replica within
//!   a second.
//!
//! The caller accepts connections and puts `ConnectInfo<SocketAddr>` into each request's
//! extensions: how many codes one source may ask for depends on it.

mod answer;
mod codes;
mod core;
mod door;
mod error;
mod forward;
mod hostname;
mod hostnames;
mod keys;
mod origin;
mod publishing;
mod return_path;
mod session;
mod sign_in;
mod store;
mod upstreams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::access::{KeySet, Seal, TestIdentity, Verifier};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use domain::{Email, InstanceId};
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use pages::Brand;
use secrecy::SecretString;
use tower::ServiceExt as _;
use world::{Clock, Entropy, Sealer};

pub use error::EdgeError;
pub use hostname::{Hostname, HostnameError};
pub use hostnames::{HostState, Published, Route};
pub use keys::is_opened_by;
pub use origin::Origin;
pub use store::MIGRATIONS;

use crate::core::Core;
use crate::door::Door;
use crate::return_path::ReturnPath;

/// Longer than most instances take to start, and shorter than browsers take to give up.
const HOLD: Duration = Duration::from_secs(15);

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the main site is, such as `http://localhost:8080`; also the name of the issuer.
    pub public_url: String,
    /// What instances' hostnames end with, such as `localhost`.
    pub base_domain: String,
    /// What is sold here.
    pub product: String,
    /// How that looks.
    pub brand: Arc<Brand>,
    /// Where mail lands when it goes to the built-in mailbox; shown beside the form for the code.
    pub mailbox_url: Option<String>,
    /// Hours after which a session ends, however much it is used.
    pub session_hours: u32,
    /// Minutes for which a code is good.
    pub code_minutes: u32,
    /// Whether `<name>-app` leads to the instance at `<name>` as well, whose guard tells the two apart.
    pub app_sites: bool,
    /// Whether guards may show such an app to everybody. Who is no visitor is then led on to the guard of an app,
    /// which says whether it does.
    pub shared_apps: bool,
    /// Who asks visitors of instances who they are.
    pub identification: Identification,
    /// For rehearsals: where origins that have a name are reached, without TLS.
    pub origin_address: Option<SocketAddr>,
    /// How long a visitor's request waits for an instance that is being started, before a page says so and looks again.
    pub hold: Duration,
}

/// Who asks visitors of instances who they are. At the main site this edge always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identification {
    /// This edge, by a mailed code.
    Here,
    /// Somebody who stands before it and puts an assertion into each request. It is passed on as it came,
    /// whatever it is worth: guards verify it, as they would without this edge.
    Before,
}

impl Settings {
    /// The usual settings: sessions of 24 hours, codes of 10 minutes, no mailbox, no
    /// hostnames for apps, sign-in here.
    pub fn new(public_url: impl Into<String>, base_domain: impl Into<String>, product: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            base_domain: base_domain.into(),
            product: product.into(),
            brand: Arc::default(),
            mailbox_url: None,
            session_hours: 24,
            code_minutes: 10,
            app_sites: false,
            shared_apps: false,
            identification: Identification::Here,
            origin_address: None,
            hold: HOLD,
        }
    }
}

/// What a token for a trial is to say.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// Whose hostname it is to be good for.
    pub audience: &'a str,
    /// In whose name it is issued; ours, if nothing else is said.
    pub issuer: Option<&'a str>,
    /// How its signature comes about.
    pub seal: Seal,
    /// Whether it was good yesterday.
    pub is_expired: bool,
}

/// How long a token for a trial is good.
const TRIAL_LASTS: SignedDuration = SignedDuration::from_mins(1);
/// When an expired one was issued.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24);

/// A code on its way to somebody who wants to sign in.
#[derive(Debug, Clone)]
pub struct SignInMail {
    /// Who gets it.
    pub to: Email,
    /// Where it lets in, as the browser shows it, such as `acme.localhost:8080`.
    pub hostname: String,
    /// Six digits.
    pub code: String,
    /// For how many minutes it is good.
    pub valid_minutes: u32,
}

/// Sends codes. The edge does not know how mail leaves this machine.
#[async_trait::async_trait]
pub trait CodeMail: Send + Sync {
    /// Accepts a mail for delivery.
    ///
    /// # Errors
    /// When it could not be accepted; the edge writes that to the log, and the person asks again.
    async fn send_code(&self, mail: SignInMail) -> anyhow::Result<()>;
}

/// The built-in edge. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    core: Arc<Core>,
    /// The edge's own addresses on instances' hostnames.
    own: Router,
}

impl Edge {
    /// Opens the edge on a store that has [`MIGRATIONS`]. The first start makes the signing key,
    /// which takes a moment; later ones find it.
    ///
    /// # Errors
    /// [`EdgeError`] when the store fails, the key does not open, or the public URL is no origin.
    pub async fn open(
        db: ::store::Db,
        sealer: Arc<Sealer>,
        clock: Clock,
        entropy: Entropy,
        settings: Settings,
        mail: Arc<dyn CodeMail>,
    ) -> Result<Self, EdgeError> {
        let core = Arc::new(Core::open(db, sealer, clock, entropy, settings, mail).await?);
        Ok(Self { own: sign_in::routes(Arc::clone(&core)), core })
    }

    /// Answers a request to an instance's hostname, or to one that nobody knows.
    pub async fn handle(&self, request: Request) -> Response {
        let is_here = self.core.settings.identification == Identification::Here;
        if is_here && request.uri().path().starts_with(access::protocol::EDGE_PATHS) {
            match self.own.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        } else if !is_here && request.uri().path().starts_with(pages::BESIDE_EDGE) {
            sign_in::asset(&self.core, request.uri().path())
        } else {
            forward::answer(&self.core, request).await
        }
    }

    /// The edge's own addresses, all below `/cdn-cgi/access/`, for the main site's router.
    pub fn routes(&self) -> Router {
        self.own.clone()
    }

    /// Who is signed in to the main site and still admitted there.
    ///
    /// # Errors
    /// When the store fails: nobody is let in then.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Option<Email>, EdgeError> {
        let visitor = session::visitor(&self.core, &Door::of_site(&self.core), headers).await?;
        Ok(visitor.ok().map(|visitor| visitor.email().clone()))
    }

    /// Stands before the main site as it stands before every instance: takes away what a client
    /// could claim, and says who is signed in and admitted, by their assertion in a header.
    ///
    /// # Errors
    /// When the store fails: the headers then name nobody.
    pub async fn assert_visitor(&self, headers: &mut HeaderMap) -> Result<(), EdgeError> {
        access::protocol::strip_claims(headers);
        let visitor = session::visitor(&self.core, &Door::of_site(&self.core), headers).await;
        session::strip_cookies(headers);
        if let Ok(visitor) = visitor? {
            forward::set(headers, access::protocol::ASSERTION, visitor.token());
        }
        Ok(())
    }

    /// What the main site believes: assertions of this edge for that hostname.
    pub fn site_verifier(&self) -> Verifier {
        self.core.site.verifier.clone()
    }

    /// The keys that assertions are verified with.
    pub fn keys(&self) -> &KeySet {
        &self.core.keys
    }

    /// A `Set-Cookie` value that signs somebody in to the main site without a code, for whoever
    /// proved who they are in another way. They need an admission there all the same.
    ///
    /// # Errors
    /// When the assertion could not be signed.
    pub fn sign_in_to_site(&self, email: &Email) -> Result<HeaderValue, EdgeError> {
        session::begin(&self.core, &Door::of_site(&self.core), email)
    }

    /// Where to send somebody who must sign in to the main site to see `path`.
    pub fn site_sign_in_url(&self, path: &str) -> String {
        ReturnPath::or_front_page(path).carried_by(answer::LOGIN)
    }

    /// The keys that assertions are signed with, as the document at `/cdn-cgi/access/certs`.
    pub fn key_set_json(&self) -> String {
        self.core.issuer.key_set_json()
    }

    /// The exact text of the issuer in assertions: the main site's origin.
    pub fn issuer(&self) -> &str {
        self.core.issuer.url()
    }

    /// The main site's hostname, whose admissions say who may have an account's pages.
    pub fn site(&self) -> &Hostname {
        &self.core.site.hostname
    }

    /// Whether a hostname is one of those that instances can have, published or not.
    pub fn is_before(&self, name: &str) -> bool {
        Hostname::parse(name).is_ok_and(|name| name.is_below(&self.core.settings.base_domain))
    }

    /// A token in the name of a test identity and of nobody else, good for a minute; or one that has to be
    /// refused, as the trial says.
    ///
    /// # Errors
    /// When it could not be signed.
    pub fn token_for_trial(&self, identity: &TestIdentity, trial: &Trial<'_>) -> Result<SecretString, EdgeError> {
        let core = &self.core;
        let now = core.clock.now();
        let assertion = access::Assertion {
            email: identity.email(),
            subject: "",
            audience: trial.audience,
            now: if trial.is_expired { now.saturating_sub(LONG_AGO).unwrap_or(now) } else { now },
            ttl: TRIAL_LASTS,
            nonce: &hex::encode(core.entropy.bytes::<16>()),
        };
        let issuer = trial.issuer.unwrap_or(core.issuer.url());
        Ok(core.issuer.issue_for_trial(&assertion, issuer, trial.seal)?.into())
    }

    /// Whether instances' apps have hostnames of their own here.
    pub fn shows_apps(&self) -> bool {
        self.core.settings.app_sites
    }

    /// Whether guards may show apps to everybody.
    pub fn lets_apps_be_shared(&self) -> bool {
        self.core.settings.app_sites && self.core.settings.shared_apps
    }

    /// The audience of an instance's assertions: 64 hex digits that follow from its id.
    pub fn audience_of(&self, instance: InstanceId) -> String {
        hex::encode(self.core.sealer.derive("edge audience", &instance.to_string()))
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}
