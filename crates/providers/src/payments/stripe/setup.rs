//! What is done once for an account: looked for, and made or put right where it differs.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Once;
use super::events::KINDS;
use super::objects::{Endpoint, Price};
use super::{Stripe, VERSION};
use crate::ProviderError;
use crate::setup::{State, Step};

/// The lookup key of the price that the setup makes. Stored at Stripe, so never to be changed.
pub const BASE_PRICE: &str = "spinoff_base_month";
/// The id of the product that the setup makes. As above.
const PRODUCT: &str = "spinoff_instance";
const ENDPOINTS: &str = "/v1/webhook_endpoints";

/// What the setup needs to know beside the settings.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What customers see on their invoices.
    pub product: String,
    /// The webhook endpoint whose secret is known, where one is.
    pub endpoint: Option<String>,
    /// Whether the operator set the webhook secret themselves, and so keeps the endpoint.
    pub keeps_endpoint: bool,
}

/// What the setup gives, for the settings.
#[derive(Debug, Clone)]
pub struct Ready {
    /// A price's id or lookup key.
    pub base_price: String,
    /// The webhook endpoint and what it signs with, where it was made now.
    pub endpoint: Option<(String, SecretString)>,
}

/// A webhook endpoint as it was just made.
#[derive(Deserialize)]
struct Made {
    id: String,
    #[serde(default)]
    secret: Option<SecretString>,
}

/// What becomes of the webhook endpoint.
#[derive(Debug)]
enum Hook {
    /// It stays as it is.
    Fine,
    /// It stays, and is told of everything.
    Tell { id: String },
    /// One is made.
    Make { why: Option<&'static str> },
}

/// What is there.
struct Seen {
    product: Option<Product>,
    price: State,
    hook: Hook,
    /// Endpoints of our address that go once a new one is there, or that are one too many.
    outdated: Vec<String>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    active: bool,
}

impl Stripe {
    /// What the setup would find and do. Changes nothing.
    ///
    /// # Errors
    /// Refused when the key may not look, or what the operator set can't be used.
    pub async fn plan(&self, wanted: &Wanted) -> Result<Vec<Step>, ProviderError> {
        let seen = self.seen(wanted).await?;
        let url = self.hook_url()?;
        let mut steps = Vec::new();
        if self.makes_price() {
            let state = match &seen.product {
                None => State::Missing,
                Some(product) if product.active => State::Present,
                Some(_) => State::Differs,
            };
            steps.push(Step { what: format!("the product “{}”", wanted.product), state });
        }
        steps.push(Step { what: self.price_in_words()?, state: seen.price });
        let (what, state) = match &seen.hook {
            Hook::Fine => (format!("the webhook endpoint {url}"), State::Present),
            Hook::Tell { .. } => (format!("the webhook endpoint {url}, to be told of all events"), State::Differs),
            Hook::Make { why: None } => (format!("the webhook endpoint {url}"), State::Missing),
            Hook::Make { why: Some(why) } => {
                (format!("the webhook endpoint {url}, made anew in place of the old one, {why}"), State::Differs)
            }
        };
        steps.push(Step { what, state });
        if matches!(seen.hook, Hook::Fine | Hook::Tell { .. }) && !seen.outdated.is_empty() {
            let what = format!("{} more of the same address, which are removed", seen.outdated.len());
            steps.push(Step { what, state: State::Differs });
        }
        Ok(steps)
    }

    /// Makes what the plan names. A new endpoint's secret is given to `keep` before the old endpoint goes:
    /// Stripe tells it once. What an answer that never came left is found or made again the next time.
    ///
    /// # Errors
    /// As [`Stripe::plan`], when Stripe refuses a part, and what `keep` says; what is done by then stays.
    pub async fn apply(
        &self,
        wanted: &Wanted,
        keep: impl AsyncFnOnce(&Ready) -> Result<(), ProviderError>,
    ) -> Result<Ready, ProviderError> {
        let seen = self.seen(wanted).await?;
        if self.makes_price() {
            self.make_product(wanted, seen.product).await?;
            if seen.price != State::Present {
                self.make_price().await?;
            }
        }
        let endpoint = match seen.hook {
            Hook::Fine => None,
            Hook::Tell { id } => {
                let fields = json!({ "enabled_events": KINDS, "disabled": false });
                let path = format!("{ENDPOINTS}/{id}");
                let _: Value = self.rest.post("POST /v1/webhook_endpoints/{id}", path, &fields, Once::PerCall).await?;
                None
            }
            Hook::Make { .. } => Some(self.make_endpoint().await?),
        };
        let ready = Ready { base_price: self.price_key().to_owned(), endpoint };
        keep(&ready).await?;
        let made = ready.endpoint.as_ref().map(|(id, _)| id);
        for old in seen.outdated.iter().filter(|old| Some(*old) != made) {
            let path = format!("{ENDPOINTS}/{old}");
            let _: Option<Value> = self.rest.delete("DELETE /v1/webhook_endpoints/{id}", path, &json!({})).await?;
        }
        Ok(ready)
    }

    async fn seen(&self, wanted: &Wanted) -> Result<Seen, ProviderError> {
        let url = self.hook_url()?;
        let (product, price) = if self.makes_price() {
            (self.product().await?, self.made_price().await?)
        } else {
            // The operator's own: used as it is, or refused in the words of the check.
            let price = self.base_price().await?;
            self.price_is_right(&price)?;
            (None, State::Present)
        };
        let all: Vec<Endpoint> = self.rest.list("GET /v1/webhook_endpoints", ENDPOINTS, &json!({})).await?;
        let here: Vec<Endpoint> = all.into_iter().filter(|endpoint| endpoint.url == url).collect();
        let (hook, outdated) = hook(here, wanted);
        Ok(Seen { product, price, hook, outdated })
    }

    /// Whether the price is ours to make: the operator set none of their own.
    fn makes_price(&self) -> bool {
        ["", BASE_PRICE].contains(&self.settings.base_price.as_str())
    }

    fn price_key(&self) -> &str {
        if self.makes_price() { BASE_PRICE } else { &self.settings.base_price }
    }

    fn price_in_words(&self) -> Result<String, ProviderError> {
        if !self.makes_price() {
            return Ok(format!("the price {}, as set", self.settings.base_price));
        }
        Ok(format!("the price of 0 {} a month, for subscriptions", self.currency()?.to_ascii_uppercase()))
    }

    fn currency(&self) -> Result<&str, ProviderError> {
        self.settings
            .currency
            .as_deref()
            .ok_or_else(|| ProviderError::refused("set Stripe up", "the currency is not known", "set [plan] currency"))
    }

    fn hook_url(&self) -> Result<&str, ProviderError> {
        self.settings.webhook_url.as_deref().ok_or_else(|| {
            let why = "Stripe has to know where to send events";
            ProviderError::refused("set Stripe up", why, "set [site] public_url")
        })
    }

    async fn product(&self) -> Result<Option<Product>, ProviderError> {
        match self.rest.get("GET /v1/products/{id}", format!("/v1/products/{PRODUCT}"), &json!({})).await {
            Err(ProviderError::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    async fn made_price(&self) -> Result<State, ProviderError> {
        let query = json!({ "lookup_keys": [BASE_PRICE], "active": true });
        let found: Vec<Price> = self.rest.list("GET /v1/prices", "/v1/prices", &query).await?;
        self.currency()?;
        Ok(match found.first() {
            None => State::Missing,
            Some(price) if self.price_is_right(price).is_ok() => State::Present,
            Some(_) => State::Differs,
        })
    }

    async fn make_product(&self, wanted: &Wanted, found: Option<Product>) -> Result<(), ProviderError> {
        match found {
            Some(product) if product.active => {}
            Some(_) => {
                let path = format!("/v1/products/{PRODUCT}");
                let fields = json!({ "active": true });
                let _: Value = self.rest.post("POST /v1/products/{id}", path, &fields, Once::PerCall).await?;
            }
            None => {
                let fields = json!({ "id": PRODUCT, "name": wanted.product });
                let _: Value = self.rest.post("POST /v1/products", "/v1/products", &fields, Once::PerCall).await?;
            }
        }
        Ok(())
    }

    /// The amount of a price can't be changed, so one that differs hands its key on to a new one. Those who
    /// subscribed to it keep it.
    async fn make_price(&self) -> Result<(), ProviderError> {
        let currency = self.currency()?;
        let fields = json!({
            "product": PRODUCT, "currency": currency.to_ascii_lowercase(), "unit_amount": 0,
            "recurring": { "interval": "month", "usage_type": "licensed" },
            "lookup_key": BASE_PRICE, "transfer_lookup_key": true,
        });
        let _: Price = self.rest.post("POST /v1/prices", "/v1/prices", &fields, Once::PerCall).await?;
        Ok(())
    }

    async fn make_endpoint(&self) -> Result<(String, SecretString), ProviderError> {
        let operation = "POST /v1/webhook_endpoints";
        let fields = json!({
            "url": self.hook_url()?, "enabled_events": KINDS, "api_version": VERSION, "description": "Spinoff",
        });
        // An answer that got lost is given again within the hour, with the secret in it.
        let mut made: Made = self.rest.post(operation, ENDPOINTS, &fields, Once::ByContent).await?;
        let path = format!("{ENDPOINTS}/{}", made.id);
        let still: Result<Value, _> = self.rest.get("GET /v1/webhook_endpoints/{id}", path, &json!({})).await;
        if matches!(still, Err(ProviderError::NotFound { .. })) {
            // It was made within the hour and deleted since.
            made = self.rest.post(operation, ENDPOINTS, &fields, Once::PerCall).await?;
        }
        let secret = made.secret.filter(|secret| !secret.expose_secret().is_empty());
        let lacking = || {
            let why = "Stripe told no secret of the new endpoint";
            ProviderError::refused(operation, why, "copy it from Stripe's dashboard into [stripe] webhook_secret")
        };
        Ok((made.id, secret.ok_or_else(lacking)?))
    }
}

/// What becomes of the endpoints of our address, newest first.
fn hook(here: Vec<Endpoint>, wanted: &Wanted) -> (Hook, Vec<String>) {
    let is_known = |endpoint: &Endpoint| wanted.endpoint.as_ref() == Some(&endpoint.id);
    let kept = here.iter().find(|endpoint| is_known(endpoint));
    let kept = kept.or_else(|| here.first().filter(|_| wanted.keeps_endpoint));
    let Some(kept) = kept else {
        let why = (!here.is_empty()).then_some("whose secret is not known here");
        return (Hook::Make { why }, here.into_iter().map(|endpoint| endpoint.id).collect());
    };
    // Whoever keeps the secret themselves may have their reasons for a second one.
    let others = here.iter().filter(|endpoint| endpoint.id != kept.id && !wanted.keeps_endpoint);
    let others = others.map(|endpoint| endpoint.id.clone()).collect();
    if kept.api_version.as_deref() != Some(VERSION) && !wanted.keeps_endpoint {
        let why = Some("which speaks another version");
        return (Hook::Make { why }, here.into_iter().map(|endpoint| endpoint.id).collect());
    }
    let hears = |kind: &&str| kept.enabled_events.iter().any(|on| on == "*" || on == *kind);
    if kept.status == "enabled" && KINDS.iter().all(hears) {
        return (Hook::Fine, others);
    }
    (Hook::Tell { id: kept.id.clone() }, others)
}
