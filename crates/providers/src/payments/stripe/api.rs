use aws_lc_rs::digest::{SHA256, digest};
use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use world::{Clock, Entropy};

use super::{StripeSettings, VERSION, form};
use crate::ProviderError;
use crate::budget::Budget;
use crate::http::{Api, Call, Repeat, Settings};

/// So many are asked for at a time.
const PAGE: u32 = 100;
/// How long until the request that has the same key should be over.
const KEY_IN_USE: SignedDuration = SignedDuration::from_secs(2);

/// Stripe's API, out of its forms.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    api: Api,
    clock: Clock,
    entropy: Entropy,
}

/// How Stripe knows that a request comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Once {
    /// By what it asks, within the hour: it makes something.
    ByContent,
    /// By what it asks and by the number of the attempt, within the hour: it is asked again on purpose.
    ByAttempt(u32),
    /// Only when no answer came: it sets what may have been set to something else in between.
    PerCall,
}

/// Why Stripe did not do something.
#[derive(Debug)]
pub(super) struct Denied {
    operation: &'static str,
    status: StatusCode,
    fault: Fault,
}

#[derive(Debug, Default, Deserialize)]
struct Failure {
    #[serde(default)]
    error: Fault,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    #[serde(default)]
    has_more: bool,
}

impl Rest {
    pub(super) fn new(
        settings: &StripeSettings,
        budget: Budget,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, ProviderError> {
        let unfit = |error| ProviderError::refused("use Stripe's key", error, "copy it again, without line breaks");
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", settings.key.expose_secret())).map_err(unfit)?;
        bearer.set_sensitive(true);
        let version = (HeaderName::from_static("stripe-version"), HeaderValue::from_static(VERSION));
        let settings = Settings {
            name: "Stripe",
            url: settings.api.clone(),
            headers: HeaderMap::from_iter([(AUTHORIZATION, bearer), version]),
            deadline: settings.deadline,
            rate: settings.rate,
            pause: settings.pause,
            observer: settings.observer.clone(),
        };
        Ok(Self { api: Api::new(settings, budget, clock.clone(), entropy.clone())?, clock, entropy })
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: impl Into<String>,
        query: &Value,
    ) -> Result<T, ProviderError> {
        let mut call = Call::get(operation, path);
        call.query = form::encode(query);
        self.ask(&call).await?.map_err(Denied::in_words)
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: impl Into<String>,
        fields: &Value,
        once: Once,
    ) -> Result<T, ProviderError> {
        self.try_post(operation, path, fields, once).await?.map_err(Denied::in_words)
    }

    /// Posts, and gives a refusal to whoever knows what to make of it.
    pub(super) async fn try_post<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: impl Into<String>,
        fields: &Value,
        once: Once,
    ) -> Result<Result<T, Denied>, ProviderError> {
        let path = path.into();
        let pairs = form::encode(fields);
        let key = match once {
            Once::ByContent => self.key(&path, &pairs),
            Once::ByAttempt(number) => format!("{}-{number}", self.key(&path, &pairs)),
            Once::PerCall => format!("spinoff-call-{}", hex::encode(self.entropy.bytes::<16>())),
        };
        let call = Call::new(operation, Method::POST, path, Repeat::Safe).header("idempotency-key", key).form(pairs);
        self.ask(&call).await
    }

    /// Deletes; what is gone already is success, and `None`.
    pub(super) async fn delete<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: impl Into<String>,
        query: &Value,
    ) -> Result<Option<T>, ProviderError> {
        let mut call = Call::new(operation, Method::DELETE, path, Repeat::Safe);
        call.query = form::encode(query);
        match self.ask(&call).await? {
            Ok(gone) => Ok(Some(gone)),
            Err(denied) if denied.is_missing() => Ok(None),
            Err(denied) => Err(denied.in_words()),
        }
    }

    /// All pages of a list, newest first.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &Value,
    ) -> Result<Vec<T>, ProviderError> {
        let mut query = query.clone();
        query["limit"] = PAGE.into();
        let mut all = Vec::new();
        loop {
            let page: Page = self.get(operation, path, &query).await?;
            let last = page.data.last().map(|object| object["id"].clone());
            for object in page.data {
                all.push(serde_json::from_value(object).map_err(|error| unread(operation, &error))?);
            }
            match last {
                Some(last) if page.has_more => query["starting_after"] = last,
                _ => return Ok(all),
            }
        }
    }

    /// What a search finds on its first page. It may not know yet what was made within the last minute.
    pub(super) async fn search<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        field: &str,
        value: &str,
    ) -> Result<Vec<T>, ProviderError> {
        let page: Page =
            self.get(operation, path, &json!({ "query": format!("metadata['{field}']:'{value}'") })).await?;
        let read = |object| serde_json::from_value(object).map_err(|error| unread(operation, &error));
        page.data.into_iter().map(read).collect()
    }

    async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<Result<T, Denied>, ProviderError> {
        let reply = self.api.ask(call).await?;
        if reply.status.is_success() {
            return reply.read(call.operation).map(Ok);
        }
        let failure: Failure = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(Err(Denied { operation: call.operation, status: reply.status, fault: failure.error }))
    }

    fn key(&self, path: &str, pairs: &[(String, String)]) -> String {
        let mut asked = path.to_owned();
        for (name, value) in pairs {
            asked.push_str(&format!("\n{name}={value}"));
        }
        let hour = self.clock.now().as_second() / 3600;
        format!("spinoff-{hour}-{}", hex::encode(digest(&SHA256, asked.as_bytes())))
    }
}

fn unread(operation: &str, error: &serde_json::Error) -> ProviderError {
    ProviderError::unavailable(operation, format!("an answer of a form that is not known here: {error}"))
}

impl Denied {
    /// What it is about does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// The bank said no, or there is nothing to charge.
    pub(super) fn is_no_payment(&self) -> bool {
        self.status == StatusCode::PAYMENT_REQUIRED
            || self.fault.kind == "card_error"
            || self.fault.code.as_deref() == Some("invoice_no_payment_method")
    }

    /// What it means, with the one sentence that an operator needs.
    pub(super) fn in_words(self) -> ProviderError {
        let what = format!("ask Stripe for {}", self.operation);
        let message = self.fault.message.unwrap_or_else(|| format!("{} without a reason", self.status));
        let why = match (&self.fault.code, &self.fault.param) {
            (Some(code), Some(param)) => format!("{message} ({code}, {param})"),
            (Some(one), None) | (None, Some(one)) => format!("{message} ({one})"),
            (None, None) => message.clone(),
        };
        match (self.status, self.fault.kind.as_str()) {
            (_, "card_error") | (StatusCode::PAYMENT_REQUIRED, _) => ProviderError::Declined(message),
            (StatusCode::UNAUTHORIZED, _) => ProviderError::refused(what, why, NEW_KEY),
            (StatusCode::FORBIDDEN, _) => ProviderError::refused(what, why, lacks(&message)),
            (StatusCode::NOT_FOUND, _) => ProviderError::not_found(format!("{} ({message})", self.operation)),
            (StatusCode::CONFLICT, _) => {
                ProviderError::not_yet("the same is being asked of Stripe already", KEY_IN_USE)
            }
            (_, "idempotency_error") => ProviderError::refused(what, why, SAME_KEY),
            _ => ProviderError::refused(what, why, "compare the prices and settings with the operator's guide"),
        }
    }
}

const NEW_KEY: &str = "the key is wrong, revoked or expired: make a new one in Stripe's dashboard and set it";
const SAME_KEY: &str = "two different requests had one key, which is a mistake here: report it, and try again in a day";

/// `rak_checkout_session_write` in a message is the permission that is missing.
fn lacks(message: &str) -> String {
    let named = message.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let permission = named.filter_map(|word| word.strip_prefix("rak_")?.rsplit_once('_')).next();
    match permission {
        Some((resource, verb)) => {
            format!("give the restricted key the permission “{resource}: {verb}” in Stripe's dashboard")
        }
        None => "give the restricted key the permission that it lacks in Stripe's dashboard".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn words(status: u16, error: &Value) -> ProviderError {
        let failure: Failure = serde_json::from_value(json!({ "error": error })).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        Denied { operation: "POST /v1/things", status, fault: failure.error }.in_words()
    }

    #[test]
    fn each_kind_of_failure_says_what_it_means() {
        let declined = words(402, &json!({ "type": "card_error", "message": "Your card was declined." }));
        assert!(matches!(declined, ProviderError::Declined(why) if why == "Your card was declined."));
        let missing = words(404, &json!({ "type": "invalid_request_error", "code": "resource_missing" }));
        assert!(matches!(missing, ProviderError::NotFound { .. }));
        let underway = words(409, &json!({ "type": "idempotency_error", "code": "idempotency_key_in_use" }));
        assert!(matches!(underway, ProviderError::NotYet { .. }));
        let other = json!({ "type": "invalid_request_error", "code": "url_invalid", "param": "url", "message": "No." });
        let next = "compare the prices and settings with the operator's guide";
        let wanted = format!("ask Stripe for POST /v1/things: No. (url_invalid, url); {next}");
        assert_eq!(words(400, &other).to_string(), wanted);
        assert!(words(400, &json!({ "type": "idempotency_error" })).to_string().ends_with(SAME_KEY));
        assert!(words(401, &json!({ "message": "Expired." })).to_string().ends_with(NEW_KEY));
    }

    #[test]
    fn a_missing_permission_is_named_where_stripe_names_it() {
        let named = "The provided key does not have the permission 'rak_billing_portal_write' that this needs";
        assert_eq!(
            lacks(named),
            "give the restricted key the permission “billing_portal: write” in Stripe's dashboard"
        );
        assert_eq!(lacks("No."), "give the restricted key the permission that it lacks in Stripe's dashboard");
    }

    #[test]
    fn a_refusal_without_a_form_is_told_with_its_status() {
        let denied = Denied { operation: "GET /v1/x", status: StatusCode::BAD_REQUEST, fault: Fault::default() };
        assert!(denied.in_words().to_string().contains("400 Bad Request without a reason"));
    }
}
