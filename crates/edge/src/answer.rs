//! What the edge itself says: pages for people, problems (RFC 9457) for programs.

use access::protocol::{ASSERTION_COOKIE, REFUSED_BY};
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pages::Shelf;
use serde_json::json;

use crate::core::Core;
use crate::door::{Door, NoDoor};
use crate::hostname::UnclearHost;
use crate::hostnames::{HostState, Published};
use crate::return_path::ReturnPath;
use crate::{EdgeError, Identification};

pub(crate) const LOGIN: &str = "/cdn-cgi/access/login";

/// Seconds until an instance that is being started is worth another look.
const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("2");

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Who reads an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person on the way to a page, who can be led elsewhere and back.
    Visiting,
    /// A person who sent a form, which no detour would bring back.
    Sending,
    /// A program.
    Program,
}

impl Reader {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|accept| accept.contains("text/html"));
        let navigates = headers.get(SEC_FETCH_MODE).is_none_or(|mode| mode == "navigate");
        if !navigates || !headers.get_all(ACCEPT).iter().any(accepts) {
            return Self::Program;
        }
        if matches!(*method, Method::GET | Method::HEAD) { Self::Visiting } else { Self::Sending }
    }
}

/// A page under the strictest policy, never kept by a cache.
pub(crate) fn page(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(pages::CONTENT_SECURITY_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: browsers would then call the origin of our own forms `null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(VARY, HeaderValue::from_static("accept, sec-fetch-mode"));
    response
}

/// JSON that no cache keeps.
pub(crate) fn json(status: StatusCode, content_type: &'static str, value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A redirect to a path of the same hostname.
pub(crate) fn redirect(status: StatusCode, path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Something that keeps a visitor out, in words for both kinds of readers.
pub(crate) struct Notice<'a> {
    pub(crate) status: StatusCode,
    /// The hostname as shown.
    pub(crate) hostname: &'a str,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    /// A way on: label and address.
    pub(crate) link: Option<(&'a str, &'a str)>,
    /// Whether it is over soon.
    pub(crate) passing: bool,
}

pub(crate) fn notice(core: &Core, reader: Reader, notice: &Notice<'_>) -> Response {
    let mut response = if reader == Reader::Program {
        problem(notice.status, notice.title, notice.text)
    } else {
        let view = pages::Unavailable {
            hostname: notice.hostname.to_owned(),
            product: core.settings.product.clone(),
            brand: Arc::clone(&core.settings.brand),
            title: notice.title.to_owned(),
            text: notice.text.to_owned(),
            link: notice.link.map(|(label, url)| (label.to_owned(), url.to_owned())),
            retry: notice.passing && reader == Reader::Visiting,
            shelf: match core.settings.identification {
                Identification::Here => Shelf::Edge,
                Identification::Before => Shelf::BesideEdge,
            },
        };
        page(notice.status, view.render())
    };
    if notice.passing {
        response.headers_mut().insert(RETRY_AFTER, LOOK_AGAIN);
    }
    response
}

/// Sends a visitor to sign in, and tells everybody else that they are not signed in.
pub(crate) fn sign_in_first(core: &Core, door: &Door, reader: Reader, wanted: &str) -> Response {
    if reader == Reader::Visiting {
        let login = ReturnPath::or_front_page(wanted).carried_by(LOGIN);
        return refused_here(redirect(StatusCode::FOUND, &login));
    }
    let mut response = notice(
        core,
        reader,
        &Notice {
            status: StatusCode::UNAUTHORIZED,
            hostname: &door.shown,
            title: "Not signed in",
            text: "Nothing was done. Sign in with a browser, then try again.",
            link: Some(("Sign in", LOGIN)),
            passing: false,
        },
    );
    let challenge = format!("Cookie realm=\"{}\", cookie-name=\"{ASSERTION_COOKIE}\"", door.hostname);
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    refused_here(response)
}

/// Says of a refusal that it is this edge's.
fn refused_here(mut response: Response) -> Response {
    response.headers_mut().insert(REFUSED_BY, HeaderValue::from_static("edge"));
    response
}

pub(crate) fn not_admitted(core: &Core, door: &Door, reader: Reader) -> Response {
    let response = notice(
        core,
        reader,
        &Notice {
            status: StatusCode::FORBIDDEN,
            hostname: &door.shown,
            title: "You can't enter here",
            text: "You are signed in with an address that is not, or no longer, among the members. Ask the owner to add it, or sign in with another one.",
            link: Some(("Sign in with another address", LOGIN)),
            passing: false,
        },
    );
    refused_here(response)
}

/// What stands in place of an instance that is not open; `None` when it is.
pub(crate) fn closed(core: &Core, door: &Door, published: &Published, reader: Reader) -> Option<Response> {
    let (title, default) = match published.state {
        HostState::Active => return None,
        HostState::Starting => ("Being prepared", "This workspace is being made. It opens by itself when it is ready."),
        HostState::Suspended if published.note.is_some() => ("Closed", ""),
        HostState::Suspended => {
            // Whoever comes by learns nothing of the customer's affairs; the portal tells the customer the reason.
            (
                "Suspended",
                "This workspace is suspended. Its data is kept. If it is yours, the portal says why, and how it opens again.",
            )
        }
        HostState::Deleting => ("Being removed", "This workspace is being removed."),
    };
    let label = published.route.hostname.as_str().split('.').next().unwrap_or_default();
    let portal =
        (published.state == HostState::Suspended).then(|| format!("{}/portal/instances/{label}", core.issuer.url()));
    Some(notice(
        core,
        reader,
        &Notice {
            status: StatusCode::SERVICE_UNAVAILABLE,
            hostname: &door.shown,
            title,
            text: published.note.as_deref().unwrap_or(default),
            link: portal
                .as_deref()
                .map(|url| (if published.note.is_some() { "Go to the portal" } else { "See why" }, url)),
            passing: published.state == HostState::Starting,
        },
    ))
}

pub(crate) fn no_door(core: &Core, none: &NoDoor, reader: Reader) -> Response {
    let (status, hostname, title, text) = match none {
        NoDoor::Unclear(UnclearHost::Missing | UnclearHost::Several) => {
            (StatusCode::BAD_REQUEST, String::new(), "Which host?", "The request must name exactly one host.")
        }
        NoDoor::Unclear(UnclearHost::NotAName) => {
            (StatusCode::MISDIRECTED_REQUEST, String::new(), "Not this way", "Use a hostname, not a number.")
        }
        NoDoor::NotOurs(name) => {
            (StatusCode::MISDIRECTED_REQUEST, name.to_string(), "Not here", "This hostname is served elsewhere.")
        }
        NoDoor::Unknown(name) => (
            StatusCode::NOT_FOUND,
            core.shown(name),
            "Nothing here",
            "There is no workspace at this address. Check it for slips.",
        ),
        NoDoor::Edge(error) => return failed(core, "", reader, error),
    };
    let link = Some(("Go to the main site", core.issuer.url()));
    notice(core, reader, &Notice { status, hostname: &hostname, title, text, link, passing: false })
}

/// The edge itself could not do its work: told without details, which go to the log.
pub(crate) fn failed(core: &Core, hostname: &str, reader: Reader, error: &EdgeError) -> Response {
    tracing::error!(%error, "The edge could not answer a request: {error}");
    notice(
        core,
        reader,
        &Notice {
            status: StatusCode::SERVICE_UNAVAILABLE,
            hostname,
            title: "Something went wrong",
            text: "We could not look up who may enter here. The operator has been told; try again in a moment.",
            link: None,
            passing: true,
        },
    )
}

fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    json(status, "application/problem+json", &body)
}
