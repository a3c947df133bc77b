use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;
use secrecy::SecretString;

use crate::ProviderError;
use crate::budget::Rate;
use crate::http::Observer;

/// How the driver uses Stripe.
#[derive(Clone)]
pub struct StripeSettings {
    /// Where the API is, without its path: `https://api.stripe.com`.
    pub api: Url,
    /// A secret or restricted key.
    pub key: SecretString,
    /// What webhooks are signed with: several while a secret is rolled.
    pub webhook_secrets: Vec<SecretString>,
    /// Where Stripe sends events, as the check looks for it; not looked for when it is not given.
    pub webhook_url: Option<String>,
    /// The monthly price of 0 that subscriptions have: a price's id, or its lookup key.
    pub base_price: String,
    /// In which currency it is made, `usd`; not compared when it is not given.
    pub currency: Option<String>,
    /// Whether real money is expected to move; not compared when it is not given.
    pub live: Option<bool>,
    /// How much may be asked of the API.
    pub rate: Rate,
    /// How long an answer may take.
    pub deadline: Duration,
    /// The longest pause before what is safe is asked again.
    pub pause: Duration,
    /// Is told of each call.
    pub observer: Observer,
}

impl StripeSettings {
    /// The usual settings, with the limits of a sandbox.
    ///
    /// # Errors
    /// Refused when the address is none.
    pub fn new(
        api: &str,
        key: SecretString,
        webhook_secrets: Vec<SecretString>,
        base_price: impl Into<String>,
    ) -> Result<Self, ProviderError> {
        let wrong = |error| ProviderError::refused("read Stripe's address", error, "write it as https://host");
        Ok(Self {
            api: api.parse().map_err(wrong)?,
            key,
            webhook_secrets,
            webhook_url: None,
            base_price: base_price.into(),
            currency: None,
            live: None,
            rate: Rate { number: 20, per: SignedDuration::from_secs(1), burst: 20 },
            deadline: Duration::from_secs(80),
            pause: Duration::from_secs(2),
            observer: Arc::new(|_| ()),
        })
    }
}

impl std::fmt::Debug for StripeSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeSettings").field("base_price", &self.base_price).finish_non_exhaustive()
    }
}
