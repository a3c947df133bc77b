//! `/-/app/sharing`: the application opens the app's hostname to everybody, closes it again, and asks
//! how it is.
//!
//! Who may is judged as with reports of use, with one rule more: it is only taken at an address of its
//! own (`--activity-listen`). A forwarder on this machine that passes bytes on as they are could have a
//! stranger pass for the application at the main listener; a report costs an hour then, this would open
//! the app.

use std::net::SocketAddr;

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use proxy::Body;
use serde::Deserialize;
use serde_json::json;

use super::sharing::Sharing;
use crate::activity::application_report::{is_from_here, read};
use crate::answers::{Form, Notice, bare, json_answer};

/// Where it is taken, to the letter.
pub(crate) const PATH: &str = "/-/app/sharing";

const TITLE: &str = "The app was not switched";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    shared: bool,
}

/// The address of it beside that of reports.
pub(crate) fn address(listener: SocketAddr) -> String {
    format!("http://{listener}{PATH}")
}

/// Answers the application, where the operator lets it share.
pub(crate) async fn answer(sharing: &Sharing, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
    if !sharing.is_allowed() {
        return bare(StatusCode::NOT_FOUND);
    }
    if !is_from_here(peer, request.headers()) {
        let detail = "The application itself says so, not somebody through a proxy or a browser.";
        return Notice::new(StatusCode::FORBIDDEN, TITLE, detail).answer(Form::Json);
    }
    match *request.method() {
        Method::GET => json_answer(StatusCode::OK, &json!({ "shared": sharing.is_shared() })),
        Method::POST => switch(sharing, request.into_body()).await,
        _ => {
            let mut answer = bare(StatusCode::METHOD_NOT_ALLOWED);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
            answer
        }
    }
}

async fn switch(sharing: &Sharing, body: Incoming) -> Response<Body> {
    let order: Order = match read(body, TITLE, r#"{"shared":true} or {"shared":false}"#).await {
        Ok(order) => order,
        Err(notice) => return notice.answer(Form::Json),
    };
    match sharing.set(order.shared) {
        Ok(()) => bare(StatusCode::NO_CONTENT),
        Err(error) => {
            tracing::error!(%error, "Whether the app is shared could not be kept");
            let detail = match order.shared {
                true => "It could not be kept on the guard's disk, so that it stays for members only. Make room there.",
                false => {
                    "It is closed, but that could not be kept on the guard's disk: a restart may open it again. Make room \
                     there, and close it once more."
                }
            };
            Notice::new(StatusCode::INTERNAL_SERVER_ERROR, TITLE, detail).answer(Form::Json)
        }
    }
}
