//! Models: any provider that speaks the OpenAI-compatible chat completions protocol.
//!
//! The one driver that a request handler asks: what a member says and what the model answers pass through, and are
//! kept nowhere. A question is asked once, since a second try could cost a second time. The key goes to the provider in
//! one header and nowhere else; what the provider says of itself is without it.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::ProviderError;

/// Until there is a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer, and before the first.
const SILENCE: Duration = Duration::from_secs(120);
/// The most that is read of an answer that is none, in bytes.
const LARGEST_REFUSAL: usize = 64 << 10;
/// The most that is told of it, in letters.
const LONGEST_WORDS: usize = 300;

/// Where questions go.
#[derive(Clone)]
pub struct ModelProvider {
    http: Client,
    completions: Url,
    key: Option<SecretString>,
    silence: Duration,
}

/// An answer that has begun.
#[derive(Debug)]
pub struct Answering {
    response: Response,
    silence: Duration,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody was reached, so that nothing can have been done.
    Unreachable(String),
    /// The question may have arrived, and no answer came.
    Lost(String),
    /// The provider answered with another status than 200, and did nothing.
    Refused {
        /// Which.
        status: u16,
        /// For how many seconds it wants to be left alone, if it says so.
        retry_after: Option<u64>,
        /// What it says of it, without the key.
        said: String,
    },
}

impl ModelProvider {
    /// A provider at an address, such as `https://api.example.com/v1`.
    ///
    /// # Errors
    /// Refused when the address is none; unavailable when the machine has no certificates to check it with.
    pub fn new(address: &str, key: Option<SecretString>) -> Result<Self, ProviderError> {
        let wrong = |why: &str| {
            ProviderError::refused("read the address of models", why.to_owned(), "write it as https://host/v1")
        };
        let mut completions: Url = address.trim().parse().map_err(|_| wrong("it is no address"))?;
        if !matches!(completions.scheme(), "http" | "https") || completions.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it does not begin with https:// and a host"));
        }
        if completions.query().is_some() || completions.fragment().is_some() || !completions.username().is_empty() {
            return Err(wrong("a name, a ? or a # is in it"));
        }
        let path = completions.path().trim_end_matches('/').trim_end_matches("/chat/completions").to_owned();
        completions.set_path(&format!("{path}/chat/completions"));
        let builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("spinoff/", env!("CARGO_PKG_VERSION")));
        let builder = if is_loopback(&completions) { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| ProviderError::unavailable("making a client for models", error))?;
        Ok(Self { http, completions, key, silence: SILENCE })
    }

    /// Asks once, and gives the answer as soon as it has begun.
    ///
    /// # Errors
    /// [`Unanswered`] says whether anything can have been done.
    pub async fn ask(&self, question: Vec<u8>) -> Result<Answering, Unanswered> {
        let mut request = self.http.post(self.completions.clone());
        request =
            request.header(CONTENT_TYPE, "application/json").header(ACCEPT, "text/event-stream, application/json");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let answer = tokio::time::timeout(self.silence, request.body(question).send()).await;
        let response = match answer {
            Err(_) => return Err(Unanswered::Lost(self.was_silent())),
            Ok(Err(error)) if error.is_connect() => return Err(Unanswered::Unreachable(innermost(&error))),
            Ok(Err(error)) => return Err(Unanswered::Lost(innermost(&error))),
            Ok(Ok(response)) => response,
        };
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        Ok(Answering { response, silence: self.silence })
    }

    async fn refusal(&self, mut response: Response) -> Unanswered {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|value| value.trim().parse().ok());
        let mut body = Vec::new();
        while body.len() < LARGEST_REFUSAL
            && let Ok(Ok(Some(piece))) = tokio::time::timeout(self.silence, response.chunk()).await
        {
            body.extend_from_slice(&piece);
        }
        body.truncate(LARGEST_REFUSAL);
        let key = self.key.as_ref().map(ExposeSecret::expose_secret);
        Unanswered::Refused { status, retry_after, said: said(&body, key) }
    }

    fn was_silent(&self) -> String {
        format!("nothing was heard of it for {} s", self.silence.as_secs())
    }
}

impl std::fmt::Debug for ModelProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelProvider").field("completions", &self.completions.as_str()).finish_non_exhaustive()
    }
}

impl Answering {
    /// Of what kind it is, as the provider says.
    pub fn content_type(&self) -> Option<&str> {
        self.response.headers().get(CONTENT_TYPE)?.to_str().ok()
    }

    /// The next piece; nothing at its end.
    ///
    /// # Errors
    /// In words, when it breaks off or falls silent.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        match tokio::time::timeout(self.silence, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(innermost(&error)),
            Err(_) => Err(format!("nothing more was heard of it for {} s", self.silence.as_secs())),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The outer causes repeat the address; the innermost says what happened.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The message in an error's body, or how it begins: never the key, and never more than a few lines.
fn said(body: &[u8], key: Option<&str>) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let message = json.as_ref().and_then(|json| {
        let error = json.get("error").unwrap_or(json);
        [error.get("message"), error.get("detail"), Some(error)].into_iter().flatten().find_map(|it| it.as_str())
    });
    let mut said = message.unwrap_or(&text).to_owned();
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        said = said.replace(key, "(the key)");
    }
    let plain: String = said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let short: String = plain.trim().chars().take(LONGEST_WORDS).collect();
    if short.is_empty() { "it does not say why".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn questions_go_below_the_address_however_it_was_written() {
        for address in ["https://a.example/v1", "https://a.example/v1/", "https://a.example/v1/chat/completions"] {
            let provider = ModelProvider::new(address, Some("sk-secret".into())).unwrap();
            assert_eq!(provider.completions.as_str(), "https://a.example/v1/chat/completions", "{address}");
            assert!(!format!("{provider:?}").contains("sk-secret"));
        }
        for address in ["", "a.example", "ftp://a.example", "https://me@a.example", "https://a.example/?key=1"] {
            assert!(ModelProvider::new(address, None).is_err(), "{address}");
        }
    }

    #[test]
    fn what_a_provider_says_is_short_and_without_the_key() {
        for (body, told) in [
            (r#"{"error": {"message": "Bad key sk-1"}}"#, "Bad key (the key)"),
            (r#"{"detail": "Nope"}"#, "Nope"),
            ("<html>\n502", "<html> 502"),
            ("", "it does not say why"),
        ] {
            assert_eq!(said(body.as_bytes(), Some("sk-1")), told);
        }
        assert_eq!(said("x".repeat(9_999).as_bytes(), None).len(), LONGEST_WORDS);
    }
}
