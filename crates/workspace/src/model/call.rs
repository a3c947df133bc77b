//! One try at one call: the question goes out, pieces of the answer come in.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use secrecy::ExposeSecret;

use super::assembly::Assembly;
use super::error::ModelError;
use super::message::Ask;
use super::setup::Setup;
use super::sse::Events;
use super::wire::{Dialect, is_out_of_money, is_used_up_allowance, said};

/// The most that is read of an error's body, in bytes.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// The most bytes that a token stands for on average, for providers that do not end an answer where
/// they are told to.
const TOKEN: usize = 8;

/// The longest a provider may have us wait by itself; for longer, a person decides.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A question on its way.
pub struct Call<'a> {
    /// Where to.
    pub setup: &'a Setup,
    /// The question.
    pub ask: &'a Ask,
    /// Which model.
    pub model: &'a str,
    /// The tokens of the longest answer.
    pub longest: u64,
}

/// Why a try failed, and whether another may succeed.
#[derive(Debug)]
pub struct Fault {
    /// Why.
    pub error: ModelError,
    again: Again,
}

#[derive(Debug)]
enum Again {
    /// It would fail in the same way.
    No,
    /// After a pause.
    Soon,
    /// After as long as the provider says.
    After(Duration),
}

impl Fault {
    /// A fault that another try would not mend.
    #[must_use]
    pub fn of(error: ModelError) -> Self {
        Self { error, again: Again::No }
    }

    fn passing(error: ModelError) -> Self {
        Self { error, again: Again::Soon }
    }

    /// How long to wait before another try, if one is worth it.
    #[must_use]
    pub fn worth_waiting(&self, pause: Duration) -> Option<Duration> {
        match self.again {
            Again::No => None,
            Again::Soon => Some(pause),
            Again::After(wait) => Some(wait).filter(|wait| *wait <= LONGEST_WAIT),
        }
    }

    /// What the provider says about a question it does not take as it is.
    #[must_use]
    pub fn refused_field(&self) -> Option<&str> {
        match &self.error {
            ModelError::Rejected { said, .. } => Some(said),
            _ => None,
        }
    }

    /// Whether the provider refused before it did anything that costs.
    #[must_use]
    pub fn is_before_any_work(&self) -> bool {
        match self.error {
            ModelError::Unreachable { .. }
            | ModelError::Refused { .. }
            | ModelError::Limited { .. }
            | ModelError::AllowanceUsedUp(_)
            | ModelError::Rejected { .. }
            | ModelError::Faulty { .. } => true,
            ModelError::NotConfigured(_)
            | ModelError::Broken(_)
            | ModelError::TooLong(_)
            | ModelError::TooSlow(_)
            | ModelError::Stopped
            | ModelError::BudgetUsedUp { .. }
            | ModelError::Unaccountable(_) => false,
        }
    }
}

impl Call<'_> {
    /// Asks once, and takes what comes into `assembly` until the answer is whole.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn make(
        &self,
        http: &Client,
        dialect: Dialect,
        assembly: &mut Assembly,
        heard: &mut (impl FnMut(&str) + Send),
    ) -> Result<(), Fault> {
        let limits = &self.setup.limits;
        let body = dialect.body(self.model, &self.ask.messages, &self.ask.tools, self.longest);
        let mut request = http.post(self.setup.base.completions()).header(ACCEPT, "text/event-stream").json(&body);
        if let Some(key) = &self.setup.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let answer = tokio::time::timeout(limits.silence, request.send()).await;
        let answer = answer.map_err(|_| Fault::of(was_silent(limits.silence)))?;
        let response = answer.map_err(|error| Fault::passing(unreachable(self.setup, &error)))?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("text/event-stream") {
            let kind: String = kind.chars().take(60).collect();
            let what = format!("the provider sends “{kind}” instead of a stream of events; look at its address.");
            return Err(Fault::of(ModelError::Broken(what)));
        }
        self.listen(response, assembly, heard).await
    }

    async fn listen(
        &self,
        mut response: Response,
        assembly: &mut Assembly,
        heard: &mut (impl FnMut(&str) + Send),
    ) -> Result<(), Fault> {
        let limits = &self.setup.limits;
        let longest = limits.answer.min(usize::try_from(self.longest).unwrap_or(usize::MAX).saturating_mul(TOKEN));
        let mut events = Events::default();
        loop {
            let piece = tokio::time::timeout(limits.silence, response.chunk()).await;
            let piece = piece.map_err(|_| Fault::of(was_silent(limits.silence)))?;
            let is_end = matches!(piece, Ok(None));
            let whole = match piece {
                Ok(Some(bytes)) => events.take(&bytes).map_err(|_| {
                    Fault::of(ModelError::Broken("a piece of it is larger than any real one.".to_owned()))
                })?,
                Ok(None) => events.end().into_iter().collect(),
                Err(_) => {
                    return Err(Fault::of(ModelError::Broken("the connection broke in the middle of it.".to_owned())));
                }
            };
            for event in whole {
                let key = self.setup.key.as_ref().map(ExposeSecret::expose_secret);
                let text = assembly.take(&event, longest, key).map_err(Fault::of)?;
                if !text.is_empty() {
                    heard(&text);
                }
            }
            if is_end || assembly.is_done() {
                return Ok(());
            }
        }
    }

    async fn refusal(&self, mut response: Response) -> Fault {
        let status = response.status();
        let wait = retry_after(response.headers());
        let mut body = Vec::new();
        while body.len() < LARGEST_REFUSAL
            && let Ok(Ok(Some(bytes))) = tokio::time::timeout(self.setup.limits.silence, response.chunk()).await
        {
            body.extend_from_slice(&bytes);
        }
        body.truncate(LARGEST_REFUSAL);
        let said = said(&body, self.setup.key.as_ref().map(ExposeSecret::expose_secret));
        let code = status.as_u16();
        match code {
            401 | 403 => Fault::of(ModelError::Refused { status: code, said }),
            402 if is_used_up_allowance(&body) => Fault::of(ModelError::AllowanceUsedUp(said)),
            402 => Fault::of(ModelError::Limited { said, wait: None }),
            429 if is_out_of_money(&body) => Fault::of(ModelError::Limited { said, wait }),
            429 => Fault { error: ModelError::Limited { said, wait }, again: wait.map_or(Again::Soon, Again::After) },
            408 | 500.. => Fault {
                error: ModelError::Faulty { status: code, said },
                again: wait.map_or(Again::Soon, Again::After),
            },
            300..=399 => Fault::of(ModelError::Rejected {
                status: code,
                said: "it points to another address, which is not followed, since the key is for this one.".to_owned(),
            }),
            _ => Fault::of(ModelError::Rejected { status: code, said }),
        }
    }
}

/// Seconds only: the other form, a date, needs clocks that agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// No connection came about.
#[must_use]
pub fn unreachable(setup: &Setup, error: &reqwest::Error) -> ModelError {
    // The innermost cause says what happened; the outer ones repeat the address.
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ModelError::Unreachable { host: setup.base.host(), why: cause.to_string() }
}

/// The answer did not end in time.
#[must_use]
pub fn took_too_long(limit: Duration) -> ModelError {
    ModelError::TooSlow(format!("the answer did not end within {} seconds.", limit.as_secs()))
}

fn was_silent(limit: Duration) -> ModelError {
    ModelError::TooSlow(format!("nothing was heard of it for {} seconds.", limit.as_secs()))
}
