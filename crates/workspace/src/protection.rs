//! What protects a person's browser: which pages may send forms here, which names are answered, and
//! what a page may load.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::refusal::Refusal;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts the protecting headers on every answer.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // An answer that is no page, such as a picture that somebody attached, says itself what little it may.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // Pages are what the files say now, and belong to the person who signed in.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Which names requests may be for. A web page elsewhere can make its own name lead to this machine,
/// but it cannot change the name in the request.
#[derive(Clone)]
pub struct Answered(Option<Arc<str>>);

impl Answered {
    /// With a guard in front, which serves `public`, the guard judges; else only this machine's names.
    #[must_use]
    pub fn new(public: Option<&str>) -> Self {
        Self(public.filter(|name| !name.is_empty()).map(Arc::from))
    }

    fn answers(&self, host: &str) -> bool {
        self.0.is_some() || is_of_this_machine(host)
    }
}

/// Refuses requests for names that are not answered.
pub async fn hosts(State(answered): State<Answered>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(named).unwrap_or_default();
    if request.uri().path() == "/health" || answered.answers(host) {
        return next.run(request).await;
    }
    Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        "Not at this address",
        "This notebook answers only at localhost. To serve it under another name, put a guard in front and start it with --public-hostname.",
    )
    .into_response()
}

/// The answer to a form that another site sent.
pub fn cross_site() -> Response {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "That came from another site",
        "Nothing was changed. Open the notebook itself and try again there.",
    )
    .into_response()
}

fn is_of_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().to_ascii_lowercase();
    let is_known = ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str()) || name.ends_with(".localhost");
    is_known && !host.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_only_names_of_this_machine_are_answered() {
        let alone = Answered::new(None);
        for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "acme.localhost:8080", "LOCALHOST"]
        {
            assert!(alone.answers(host), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "a@localhost@evil.example"]
        {
            assert!(!alone.answers(host), "{host}");
        }
        assert!(Answered::new(Some("acme.example")).answers("acme.example"));
    }
}
