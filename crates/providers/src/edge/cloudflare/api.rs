use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use world::{Clock, Entropy};

use super::CloudflareSettings;
use crate::ProviderError;
use crate::budget::Budget;
use crate::http::{Api, Call, Settings};

/// So many are asked for at a time.
const PAGE: u64 = 100;

/// Cloudflare's REST API, out of its envelope.
#[derive(Debug, Clone)]
pub(super) struct Rest(Api);

/// What a token has to be allowed for a call, as the dashboard calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs(pub(super) &'static str);

pub(super) const ANY: Needs = Needs("Zone: Read");
pub(super) const DNS: Needs = Needs("DNS: Edit");
pub(super) const ZONE_SETTINGS: Needs = Needs("Zone Settings: Edit");
pub(super) const APPS: Needs = Needs("Access: Apps and Policies: Edit");
pub(super) const AUDIT_LOGS: Needs = Needs("Access: Audit Logs: Read");
pub(super) const ORGANIZATIONS: Needs = Needs("Access: Organizations, Identity Providers, and Groups: Edit");

/// Why Cloudflare did not do something.
#[derive(Debug)]
pub(super) struct Denied {
    operation: &'static str,
    needs: Needs,
    status: StatusCode,
    code: u32,
    message: String,
}

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Vec<Fault>,
    #[serde(default)]
    result: Value,
    result_info: Option<Info>,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
    message: String,
}

#[derive(Deserialize, Default, Clone, Copy)]
struct Info {
    #[serde(default)]
    total_pages: u64,
    #[serde(default)]
    total_count: u64,
}

impl Rest {
    pub(super) fn new(
        settings: &CloudflareSettings,
        budget: Budget,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, ProviderError> {
        let unfit =
            |error| ProviderError::refused("use Cloudflare's token", error, "copy it again, without line breaks");
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", settings.token.expose_secret())).map_err(unfit)?;
        bearer.set_sensitive(true);
        let settings = Settings {
            name: "Cloudflare",
            url: settings.api.clone(),
            headers: HeaderMap::from_iter([(AUTHORIZATION, bearer)]),
            deadline: settings.deadline,
            rate: settings.rate,
            pause: settings.pause,
            observer: settings.observer.clone(),
        };
        Ok(Self(Api::new(settings, budget, clock, entropy)?))
    }

    /// Asks for something that no refusal is expected of.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call, needs: Needs) -> Result<T, ProviderError> {
        self.attempt(call, needs).await?.map_err(Denied::in_words)
    }

    /// Asks, and gives a refusal to whoever knows what to make of it.
    pub(super) async fn attempt<T: DeserializeOwned>(
        &self,
        call: Call,
        needs: Needs,
    ) -> Result<Result<T, Denied>, ProviderError> {
        Ok(self.envelope(&call, needs).await?.and_then(|envelope| {
            let unread = |error| Denied::unread(&call, needs, &error);
            serde_json::from_value(envelope.result).map_err(unread)
        }))
    }

    /// All pages of a list.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: &Call, needs: Needs) -> Result<Vec<T>, ProviderError> {
        let (mut all, mut page) = (Vec::new(), 1);
        loop {
            let call = call.clone().query("page", page.to_string()).query("per_page", PAGE.to_string());
            let envelope = self.envelope(&call, needs).await?.map_err(Denied::in_words)?;
            let some: Vec<T> = serde_json::from_value(envelope.result)
                .map_err(|error| Denied::unread(&call, needs, &error).in_words())?;
            all.extend(some);
            if page >= envelope.result_info.unwrap_or_default().total_pages {
                return Ok(all);
            }
            page += 1;
        }
    }

    /// How long a list is.
    pub(super) async fn count(&self, call: Call, needs: Needs) -> Result<u64, ProviderError> {
        let envelope = self.envelope(&call.query("per_page", "1"), needs).await?.map_err(Denied::in_words)?;
        Ok(envelope.result_info.unwrap_or_default().total_count)
    }

    async fn envelope(&self, call: &Call, needs: Needs) -> Result<Result<Envelope, Denied>, ProviderError> {
        let reply = self.0.ask(call).await?;
        let envelope: Envelope = reply.read(call.operation)?;
        if envelope.success && reply.status.is_success() {
            return Ok(Ok(envelope));
        }
        let (code, message) = envelope
            .errors
            .into_iter()
            .next()
            .map_or_else(|| (0, "it did not say why".to_owned()), |fault| (fault.code, fault.message));
        Ok(Err(Denied { operation: call.operation, needs, status: reply.status, code, message }))
    }
}

impl Denied {
    fn unread(call: &Call, needs: Needs, error: &serde_json::Error) -> Self {
        let message = format!("it answered in a form that is not known here: {error}");
        Self { operation: call.operation, needs, status: StatusCode::OK, code: 0, message }
    }

    /// Something like it is there already.
    pub(super) fn is_there_already(&self) -> bool {
        matches!(self.code, 81053 | 81054 | 81057 | 81058)
    }

    /// What it is about is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.code == 81044 || self.status == StatusCode::NOT_FOUND
    }

    /// What it means, with the one sentence that an operator needs.
    pub(super) fn in_words(self) -> ProviderError {
        let what = format!("ask Cloudflare for {}", self.operation);
        let why = format!("{} ({})", self.message, self.code);
        let lacks = format!("give the token the permission “{}” in Cloudflare's dashboard", self.needs.0);
        match self.code {
            1000 | 6003 | 6111 | 9106 => ProviderError::refused(what, why, NEW_TOKEN),
            9109 if self.message.starts_with("Invalid") => ProviderError::refused(what, why, NEW_TOKEN),
            9109 | 10000 => ProviderError::refused(what, why, lacks),
            9999 => ProviderError::refused(what, why, "open Zero Trust in the dashboard once and choose a team name"),
            81045 => ProviderError::refused(what, why, FULL),
            81053 | 81054 | 81057 | 81058 => ProviderError::refused(
                what,
                why,
                "look who made the other record, and delete it or choose another name",
            ),
            _ if self.is_gone() => ProviderError::not_found(format!("{} ({why})", self.operation)),
            _ if self.status == StatusCode::UNAUTHORIZED => ProviderError::refused(what, why, NEW_TOKEN),
            _ if self.status == StatusCode::FORBIDDEN => ProviderError::refused(what, why, lacks),
            0 if self.status.is_success() => ProviderError::Lost { what, why },
            _ => ProviderError::refused(what, why, "compare the settings with the operator's guide"),
        }
    }
}

const NEW_TOKEN: &str = "the token is wrong, revoked or expired: make a new one in Cloudflare's dashboard and set it";
const FULL: &str = "the zone holds no more records: take a larger plan for it, delete old records, or sell from a second installation \
    that leads everybody by one wildcard record (option B in the operator's guide)";
