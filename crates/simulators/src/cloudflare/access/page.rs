//! The pages that Access shows by itself.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};

use crate::Answer;

pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

pub(super) fn redirect(to: &str) -> Answer {
    let mut answer = empty(StatusCode::FOUND);
    match HeaderValue::from_str(to) {
        Ok(to) => {
            answer.headers_mut().insert(LOCATION, to);
            answer
        }
        Err(_) => empty(StatusCode::BAD_REQUEST),
    }
}

/// Asks for an address.
pub(super) fn ask_for_email(hostname: &str, action: &str) -> Answer {
    let (hostname, action) = (escaped(hostname), escaped(action));
    html(
        StatusCode::OK,
        "Sign in",
        &format!(
            "<p>Get a login code emailed to you for <b>{hostname}</b>.</p>\
         <form method=post action=\"{action}\"><label>Email <input name=email type=email autocomplete=email required autofocus></label> \
         <button>Send me a code</button></form>"
        ),
    )
}

/// Asks for the code, in the same words whether one was sent or not.
pub(super) fn ask_for_code(email: &str, meta: &str, action: &str, trouble: Option<&str>) -> Answer {
    let (email, meta, action) = (escaped(email), escaped(meta), escaped(action));
    let trouble = trouble.map(|text| format!("<p role=alert>{}</p>", escaped(text))).unwrap_or_default();
    html(
        StatusCode::OK,
        "Enter your code",
        &format!(
            "{trouble}<p>A code has been emailed to <b>{email}</b>.</p>\
         <form method=post action=\"{action}\"><input name=meta type=hidden value=\"{meta}\">\
         <label>Code <input name=code inputmode=numeric autocomplete=one-time-code required autofocus></label> \
         <button>Sign in</button></form>"
        ),
    )
}

pub(super) fn denied(why: &str) -> Answer {
    html(StatusCode::FORBIDDEN, "That account does not have access.", &format!("<p>{}</p>", escaped(why)))
}

pub(super) fn gone(why: &str) -> Answer {
    html(StatusCode::BAD_REQUEST, "This sign-in is over", &format!("<p>{}</p>", escaped(why)))
}

pub(super) fn signed_out() -> Answer {
    html(StatusCode::OK, "You are signed out", "<p>All sessions of this team have ended.</p>")
}

fn html(status: StatusCode, title: &str, body: &str) -> Answer {
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1>{body}<p><small>Simulated Cloudflare Access</small></p></html>"
    );
    let mut answer = Answer::new(Bytes::from(page));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
