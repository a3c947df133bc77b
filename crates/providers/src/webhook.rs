//! Messages to an address that the operator names, signed as the Standard Webhooks specification says: who receives one
//! can tell that it is ours, of now, and not one that came before. What is sent to us is judged by the same rules.

mod receiver;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use store::Db;
use world::{Clock, Entropy};

use crate::ProviderError;
use crate::budget::{Budget, Rate};
use crate::http::{self, Api, Call, Repeat};

pub use receiver::{Receiver, Signed};

const NAME: &str = "the webhook";
/// How long the receiver may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// Few alerts are worth many messages.
const RATE: Rate = Rate { number: 60, per: SignedDuration::from_mins(1), burst: 30 };
/// What secrets of this kind begin with.
const PREFIX: &str = "whsec_";
/// As the specification has it.
const SHORTEST_KEY: usize = 24;
const LONGEST_KEY: usize = 64;

/// Why settings do not make a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The address is none.
    #[error("{0:?} is not an address that begins with https:// (or http:// on this machine)")]
    Address(String),
    /// The secret is too short, or of another form.
    #[error("the secret is not `whsec_` and then 24 to 64 bytes in base64; make one with `openssl rand -base64 32`")]
    Secret,
    /// The machine can't call anybody.
    #[error("{0}")]
    Client(String),
}

/// Where messages go, and by what they are signed.
pub struct Webhook {
    api: Api,
    key: hmac::Key,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook at this address. Calls nobody yet.
    ///
    /// # Errors
    /// [`WebhookError`]
    pub fn new(url: &str, secret: &SecretString, db: Db, clock: Clock, entropy: Entropy) -> Result<Self, WebhookError> {
        let parsed = Url::parse(url).map_err(|_| WebhookError::Address(url.to_owned()))?;
        let host = parsed.host_str().unwrap_or_default();
        let is_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && is_here) {
            return Err(WebhookError::Address(url.to_owned()));
        }
        let key = key_of(secret)?;
        let settings = http::Settings {
            name: NAME,
            url: parsed,
            headers: HeaderMap::new(),
            deadline: DEADLINE,
            rate: RATE,
            pause: Duration::from_millis(500),
            observer: Arc::new(|_| ()),
        };
        let budget = Budget::new(db, clock.clone(), "webhook");
        let api =
            Api::new(settings, budget, clock, entropy).map_err(|error| WebhookError::Client(error.to_string()))?;
        Ok(Self { api, key })
    }

    /// Sends a message once. The receiver knows by its id one that comes again.
    ///
    /// # Errors
    /// [`ProviderError`], also when the receiver answers anything but a success.
    pub async fn send(&self, id: &str, at: Timestamp, body: serde_json::Value) -> Result<(), ProviderError> {
        let seconds = at.as_second().to_string();
        let signature = self.signature(id, &seconds, &body.to_string());
        let call = Call::new("POST an alert", Method::POST, "", Repeat::Never)
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .json(body);
        let reply = self.api.ask(&call).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        Err(ProviderError::unavailable("sending an alert to the webhook", format!("it answers {}", reply.status)))
    }

    fn signature(&self, id: &str, seconds: &str, body: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

/// The key that a secret is, in the form of the specification.
fn key_of(secret: &SecretString) -> Result<hmac::Key, WebhookError> {
    let text = secret.expose_secret();
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| WebhookError::Secret)?;
    if !(SHORTEST_KEY..=LONGEST_KEY).contains(&bytes.len()) {
        return Err(WebhookError::Secret);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}
