//! The one way in which other companies' APIs are asked: within a deadline, within the provider's
//! limits, repeated only where that is safe, and with the ids of requests noted.

mod breaker;
mod call;

use std::sync::Arc;
use std::time::Duration;

use ::store::sqlx;
use bytes::Bytes;
use jiff::SignedDuration;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use world::{Clock, Entropy};

use crate::ProviderError;
use crate::budget::{Budget, Rate, Turn};
use breaker::Breaker;

pub use call::{Body, Call, Repeat, Reply};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How many times what is safe to repeat is asked in all.
const MOST_TRIES: u32 = 3;
/// The bucket of all calls.
const ALL: &str = "calls";
/// How long a provider is left alone that says "too many" without saying how long.
const USUAL_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// What is told of each call, for the record of the step that made it. No secrets.
pub type Observer = Arc<dyn Fn(String) + Send + Sync>;

/// How a provider is asked.
#[derive(Clone)]
pub struct Settings {
    /// As it is called in messages: `Railway`.
    pub name: &'static str,
    /// Where its API is, without a slash at the end.
    pub url: Url,
    /// Sent with each call: a version, credentials (marked sensitive).
    pub headers: HeaderMap,
    /// How long an answer may take.
    pub deadline: Duration,
    /// How much may be asked.
    pub rate: Rate,
    /// The longest pause before what is safe is asked again.
    pub pause: Duration,
    /// Is told of each call.
    pub observer: Observer,
}

/// One provider's API.
#[derive(Clone)]
pub struct Api {
    settings: Arc<Settings>,
    http: reqwest::Client,
    budget: Budget,
    breaker: Arc<Breaker>,
    clock: Clock,
    entropy: Entropy,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("provider", &self.settings.name).finish_non_exhaustive()
    }
}

/// How an attempt ended without an answer that says anything.
enum Failed {
    /// Nothing arrived there.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
    /// It wants nothing more for a while; nothing was done.
    TooMany(SignedDuration),
}

impl Api {
    /// A way to ask this provider.
    ///
    /// # Errors
    /// When the machine has no certificates to check it with.
    pub fn new(settings: Settings, budget: Budget, clock: Clock, entropy: Entropy) -> Result<Self, ProviderError> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(settings.deadline)
            .default_headers(settings.headers.clone())
            .user_agent(concat!("spinoff/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ProviderError::unavailable(format!("making a client for {}", settings.name), error))?;
        Ok(Self { settings: Arc::new(settings), http, budget, breaker: Arc::default(), clock, entropy })
    }

    /// As the provider is called in messages.
    pub fn provider(&self) -> &'static str {
        self.settings.name
    }

    /// The budgets that this provider's callers share.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Asks, and gives the answer, whatever its status but 429 and 5xx.
    ///
    /// # Errors
    /// [`ProviderError::InLine`] when nothing more may be asked now, [`ProviderError::NotYet`] while
    /// the provider is left alone after a row of failures, [`ProviderError::Unavailable`] when it was
    /// certainly not done, [`ProviderError::Lost`] when it may have been.
    pub async fn ask(&self, call: &Call) -> Result<Reply, ProviderError> {
        let tries = if call.repeat == Repeat::Never { 1 } else { MOST_TRIES };
        let mut tried = 1;
        loop {
            self.may_ask().await?;
            let failed = match self.attempt(call).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            if let Failed::TooMany(pause) = failed {
                let until = self.clock.now() + pause;
                self.budget.block(ALL, until).await.map_err(unavailable)?;
                let why = format!("{} takes no more requests for now", self.settings.name);
                return Err(ProviderError::InLine { why, until });
            }
            if tried == tries {
                return Err(self.in_words(call, failed));
            }
            tried += 1;
            self.pause().await;
        }
    }

    /// Whether the provider's limits, and its state, allow another call.
    async fn may_ask(&self) -> Result<(), ProviderError> {
        if let Some(after) = self.breaker.refuses_for(self.clock.now()) {
            let why = format!("{} has failed many times in a row and is left alone for a moment", self.settings.name);
            return Err(ProviderError::NotYet { why, after });
        }
        match self.budget.take(ALL, self.settings.rate).await.map_err(unavailable)? {
            Turn::Now => Ok(()),
            Turn::Wait { until, .. } => {
                let why = format!("as much is asked of {} as it allows", self.settings.name);
                Err(ProviderError::InLine { why, until })
            }
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Reply, Failed> {
        let url = format!("{}{}", self.settings.url.as_str().trim_end_matches('/'), call.path);
        let mut request = self.http.request(call.method.clone(), url).query(&call.query);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        request = match &call.body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Form(pairs) => request.form(pairs),
        };
        let began = self.clock.now();
        let sent = match request.send().await {
            Ok(answer) => {
                let (status, headers) = (answer.status(), answer.headers().clone());
                answer.bytes().await.map(|body| (status, headers, body))
            }
            Err(error) => Err(error),
        };
        let took = self.clock.now().duration_since(began).as_millis();
        let (provider, what) = (self.settings.name, call.operation);
        let (status, headers, body) = sent.map_err(|error| {
            let not_sent = error.is_connect() || error.is_builder();
            // Without the address, which may hold what is nobody's business.
            let why = source_of(error.without_url());
            (self.settings.observer)(format!("{provider} {what}: {why} ({took} ms)"));
            self.breaker.failed(self.clock.now());
            if not_sent { Failed::NotSent(why) } else { Failed::Lost(why) }
        })?;
        let request_id = request_id(&headers);
        let id = request_id.as_deref().unwrap_or("no id");
        (self.settings.observer)(format!("{provider} {what}: {} [{id}] ({took} ms)", status.as_u16()));
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failed::TooMany(retry_after(&headers).unwrap_or(USUAL_PAUSE)));
        }
        if status.is_server_error() {
            self.breaker.failed(self.clock.now());
            return Err(Failed::Lost(format!("{status} [{id}] {}", excerpt(&body))));
        }
        self.breaker.succeeded();
        Ok(Reply { status, headers, body, request_id })
    }

    fn in_words(&self, call: &Call, failed: Failed) -> ProviderError {
        let what = format!("asking {} for {}", self.settings.name, call.operation);
        match failed {
            Failed::Lost(why) if call.repeat == Repeat::Never => ProviderError::Lost { what, why },
            Failed::Lost(why) | Failed::NotSent(why) => ProviderError::unavailable(what, why),
            Failed::TooMany(_) => ProviderError::unavailable(what, "too many requests"),
        }
    }

    /// By chance between half and the whole, so that many callers do not return as one.
    async fn pause(&self) {
        let [chance] = self.entropy.bytes::<1>();
        let half = self.settings.pause / 2;
        tokio::time::sleep(half + half * u32::from(chance) / 255).await;
    }
}

fn unavailable(error: sqlx::Error) -> ProviderError {
    ProviderError::unavailable("keeping count of what is asked of a provider", error)
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let names = ["request-id", "x-railway-request-id", "cf-ray", "x-request-id"];
    names.iter().find_map(|name| Some(headers.get(*name)?.to_str().ok()?.to_owned()))
}

fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let seconds: i64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    // A provider that asks for more than this is asked once more to be sure.
    Some(SignedDuration::from_secs(seconds.clamp(1, 3600)))
}

fn source_of(error: reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn excerpt(body: &Bytes) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}
