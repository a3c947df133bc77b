//! What the simulated network answers by itself.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use proxy::Body;

/// Tells that an answer is Railway's own and no application's.
const FALLBACK: HeaderName = HeaderName::from_static("x-railway-fallback");
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'";

/// A page that says in a sentence why nobody gets further.
pub fn notice(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let (title, text) = (escaped(title), escaped(text));
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1><p>{text}</p><p><small>Simulated network</small></p></html>\n"
    );
    html(status, page)
}

/// As Railway's edge answers where nothing of a customer's does.
pub fn fallback(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let mut answer = notice(status, title, text);
    answer.headers_mut().insert(FALLBACK, HeaderValue::from_static("true"));
    answer
}

/// A whole page.
pub fn html(status: StatusCode, page: String) -> Response<Body> {
    let mut answer = typed(status, "text/html; charset=utf-8", page);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer
}

/// Data for a program.
pub fn json(text: String) -> Response<Body> {
    typed(StatusCode::OK, "application/json", text)
}

/// Sends whoever pressed a button back to a page.
pub fn see_other(path: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static(path));
    answer
}

/// An answer of a simulator.
pub fn simulated(answer: Response<Bytes>) -> Response<Body> {
    answer.map(Body::from)
}

/// Text as it may stand in a page.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn typed(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
