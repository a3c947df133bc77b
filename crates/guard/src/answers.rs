//! The guard's own pages: small, calm, and only as informative as the person asking may know.

use access::protocol::ASSERTION_COOKIE;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use proxy::Body;
use serde_json::json;

/// What to tell.
pub(crate) struct Notice {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
    /// A way on: label and address.
    pub(crate) action: Option<(&'static str, &'static str)>,
    /// Whether asking again soon makes sense; pages then do so by themselves.
    pub(crate) retry: Option<u8>,
}

/// Whether the client would rather read a document than a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Page,
    Json,
}

impl Form {
    /// What the request's `Accept` prefers; a browser that opens a page says `text/html` first.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let place = |kind| accept.find(kind);
        match (place("text/html"), place("json")) {
            (Some(html), Some(json)) if json < html => Self::Json,
            (None, Some(_)) => Self::Json,
            _ => Self::Page,
        }
    }
}

impl Notice {
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), action: None, retry: None }
    }

    pub(crate) fn with_action(self, label: &'static str, address: &'static str) -> Self {
        Self { action: Some((label, address)), ..self }
    }

    pub(crate) fn retrying(self, seconds: u8) -> Self {
        Self { retry: Some(seconds), ..self }
    }

    pub(crate) fn answer(&self, form: Form) -> Response<Body> {
        let mut answer = match form {
            Form::Json => {
                let document = json!({ "type": "about:blank", "title": self.title, "status": self.status.as_u16(), "detail": self.detail });
                json_answer(self.status, &document)
            }
            Form::Page => self.page(),
        };
        let headers = answer.headers_mut();
        if form == Form::Json {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        }
        if let Some(seconds) = self.retry {
            headers.insert(RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // Every 401 must say what would do (RFC 9110, 15.5.2). Not `Bearer`: the guard never reads
            // such a token, and programs would try one. The edge asks in these same words.
            let challenge = format!("Cookie realm=\"members\", cookie-name=\"{ASSERTION_COOKIE}\"");
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                headers.insert(WWW_AUTHENTICATE, challenge);
            }
        }
        answer
    }

    fn page(&self) -> Response<Body> {
        let refresh = self.retry.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"));
        let action = self.action.map(|(label, address)| format!("<p><a href=\"{address}\">{label}</a></p>"));
        let page = TEMPLATE
            .replace("{refresh}", &refresh.unwrap_or_default())
            .replace("{title}", self.title)
            .replace("{action}", &action.unwrap_or_default())
            .replace("{detail}", &escaped(&self.detail));
        let mut answer = Response::new(Body::from(page));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        );
        harden(headers);
        answer
    }
}

/// A document as an answer.
pub(crate) fn json_answer(status: StatusCode, document: &serde_json::Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(document.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    harden(answer.headers_mut());
    answer
}

/// An answer that says it all by its status.
pub(crate) fn bare(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    harden(answer.headers_mut());
    answer
}

fn harden(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

const TEMPLATE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{refresh}
<title>{title}</title>
<style>
:root { --ground: #f7f6f3; --ink: #23262b; --soft: #5d636d; --link: #1d5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #17191d; --ink: #e8e6e1; --soft: #a2a8b3; --link: #8db8f5; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground);
       color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; }
main { max-width: 30rem; padding: 2rem 1.5rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
a { color: var(--link); }
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{detail}</p>
{action}
</main>
</body>
</html>
"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_form_is_what_the_client_asks_for() {
        for (accept, form) in [
            ("", Form::Page),
            ("*/*", Form::Page),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Form::Page),
            ("text/html, application/json;q=0.5", Form::Page),
            ("application/json", Form::Json),
            ("application/problem+json, text/html;q=0.1", Form::Json),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Form::preferred(&headers), form, "{accept}");
        }
    }

    #[test]
    fn what_a_visitor_brings_is_shown_as_text() {
        assert_eq!(escaped("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
    }
}
