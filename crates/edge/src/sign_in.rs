//! Signing in and out: every address below `/cdn-cgi/access/`, the same on every hostname.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use access::protocol::{CERTS, LOGOUT};
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, FromRequestParts, Path, Query, State};
use axum::response::Response;
use axum::routing::{Router, get};
use domain::Email;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::answer::{self, LOGIN, Notice, Reader};
use crate::codes::{self, AskError, RedeemError};
use crate::core::Core;
use crate::door::Door;
use crate::return_path::ReturnPath;
use crate::session::{self, Stranger};

const CODE: &str = "/cdn-cgi/access/code";

/// Our forms hold an address and a code.
const MOST_FORM_BYTES: usize = 8 * 1024;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

pub(crate) fn routes(core: Arc<Core>) -> Router {
    Router::new()
        .route(CERTS, get(show_keys))
        .route(LOGIN, get(show_form).post(ask_for_code))
        .route(CODE, get(back_to_form).post(redeem_code))
        .route(LOGOUT, get(follow_logout).post(sign_out))
        .route("/cdn-cgi/access/get-identity", get(show_identity))
        .route("/cdn-cgi/access/assets/{file}", get(show_asset))
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .with_state(core)
}

#[derive(Deserialize)]
struct Return {
    #[serde(default)]
    redirect_url: String,
}

#[derive(Deserialize)]
struct AddressForm {
    #[serde(default)]
    email: String,
}

#[derive(Deserialize)]
struct CodeForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    code: String,
}

async fn show_keys(State(core): State<Arc<Core>>) -> Response {
    let mut response = Response::new(Body::from(core.issuer.key_set_json()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}

async fn show_form(State(core): State<Arc<Core>>, door: Door, Query(wanted): Query<Return>) -> Response {
    let path = ReturnPath::or_front_page(&wanted.redirect_url);
    address_page(&core, &door, &path, StatusCode::OK, "", None)
}

async fn ask_for_code(
    State(core): State<Arc<Core>>,
    door: Door,
    Source(source): Source,
    Query(wanted): Query<Return>,
    headers: HeaderMap,
    Form(form): Form<AddressForm>,
) -> Response {
    if !is_own_form(&core, &door, &headers) {
        return from_elsewhere(&core, &door);
    }
    let path = ReturnPath::or_front_page(&wanted.redirect_url);
    let typed = form.email.trim();
    let email = match Email::parse(typed) {
        Ok(email) => email,
        Err(error) => {
            let said = error.to_string();
            return address_page(&core, &door, &path, StatusCode::UNPROCESSABLE_ENTITY, typed, Some(said));
        }
    };
    let former = session::sign_in_secrets(&core, &headers);
    let asked = codes::ask(&core, &door, &email, source, &former).await;
    let cookie = match asked {
        Ok(browser) => session::sign_in_cookie(&core, &browser),
        Err(AskError::TooMany) => {
            let said = "Too many codes were asked for. Try again in an hour, or use the last one you got.".to_owned();
            return address_page(&core, &door, &path, StatusCode::TOO_MANY_REQUESTS, typed, Some(said));
        }
        Err(AskError::Edge(error)) => Err(error),
    };
    match cookie {
        Ok(cookie) => {
            let mut response = code_page(&core, &door, &path, StatusCode::OK, email.as_str(), None);
            response.headers_mut().append(SET_COOKIE, cookie);
            response
        }
        Err(error) => answer::failed(&core, &door.shown, Reader::Sending, &error),
    }
}

/// Somebody reloaded the page with the code's form after signing in, or came back to it.
async fn back_to_form(Query(wanted): Query<Return>) -> Response {
    let path = ReturnPath::or_front_page(&wanted.redirect_url);
    answer::redirect(StatusCode::FOUND, &path.carried_by(LOGIN))
}

async fn redeem_code(
    State(core): State<Arc<Core>>,
    door: Door,
    Source(source): Source,
    Query(wanted): Query<Return>,
    headers: HeaderMap,
    Form(form): Form<CodeForm>,
) -> Response {
    if !is_own_form(&core, &door, &headers) {
        return from_elsewhere(&core, &door);
    }
    let path = ReturnPath::or_front_page(&wanted.redirect_url);
    let browsers = session::sign_in_secrets(&core, &headers);
    let (status, said) = match codes::redeem(&core, &door, &browsers, source, &form.code).await {
        Ok(email) => return signed_in(&core, &door, &path, &email),
        Err(RedeemError::Edge(error)) => return answer::failed(&core, &door.shown, Reader::Sending, &error),
        Err(RedeemError::NotACode) => (StatusCode::UNPROCESSABLE_ENTITY, "A code has six digits.".to_owned()),
        Err(RedeemError::Wrong { left }) => (StatusCode::FORBIDDEN, wrong_code(left)),
        Err(RedeemError::Gone) => (
            StatusCode::FORBIDDEN,
            "This code can't be used any more, or not in this browser. Ask for a new one.".to_owned(),
        ),
    };
    code_page(&core, &door, &path, status, &form.email, Some(said))
}

fn wrong_code(left: i64) -> String {
    let tries = if left == 1 { "One try is".to_owned() } else { format!("{left} tries are") };
    format!("That is not the code we sent. {tries} left.")
}

fn signed_in(core: &Core, door: &Door, path: &ReturnPath, email: &Email) -> Response {
    let cookies = session::begin(core, door, email)
        .and_then(|session| session::sign_in_cookie(core, "").map(|no_code| [session, no_code]));
    match cookies {
        Ok(cookies) => {
            tracing::info!(hostname = %door.hostname, "Somebody signed in to {}", door.hostname);
            let mut response = answer::redirect(StatusCode::SEE_OTHER, path.as_str());
            response.headers_mut().extend(cookies.map(|cookie| (SET_COOKIE, cookie)));
            response
        }
        Err(error) => answer::failed(core, &door.shown, Reader::Sending, &error),
    }
}

/// A link signs out only when it stands on a page of this hostname or a person typed it; from
/// elsewhere, or when a browser fetches ahead, the person is asked first.
async fn follow_logout(State(core): State<Arc<Core>>, door: Door, headers: HeaderMap) -> Response {
    let is_meant = headers.get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin" || site == "none");
    if is_meant && !headers.contains_key(SEC_PURPOSE) {
        return signed_out(&core, &door);
    }
    let text = "You followed a link to sign out from here.";
    answer::notice(
        &core,
        Reader::Visiting,
        &Notice {
            status: StatusCode::OK,
            hostname: &door.shown,
            title: "Sign out?",
            text,
            link: Some(("Sign out", LOGOUT)),
            passing: false,
        },
    )
}

async fn sign_out(State(core): State<Arc<Core>>, door: Door, headers: HeaderMap) -> Response {
    if !is_own_form(&core, &door, &headers) {
        return from_elsewhere(&core, &door);
    }
    signed_out(&core, &door)
}

fn signed_out(core: &Core, door: &Door) -> Response {
    match session::end(core) {
        Ok(cookie) => {
            let view = pages::SignedOut {
                hostname: door.shown.clone(),
                product: core.settings.product.clone(),
                brand: Arc::clone(&core.settings.brand),
            };
            let mut response = answer::page(StatusCode::OK, view.render());
            response.headers_mut().append(SET_COOKIE, cookie);
            response
        }
        Err(error) => answer::failed(core, &door.shown, Reader::Sending, &error),
    }
}

async fn show_identity(State(core): State<Arc<Core>>, door: Door, headers: HeaderMap) -> Response {
    match session::visitor(&core, &door, &headers).await {
        Ok(Ok(visitor)) => {
            let identity = json!({
                "email": visitor.email(), "sub": visitor.subject(), "exp": visitor.expires().as_second(),
            });
            answer::json(StatusCode::OK, "application/json", &identity)
        }
        Ok(Err(Stranger::SignedOut)) => answer::sign_in_first(&core, &door, Reader::Program, "/"),
        Ok(Err(Stranger::NotAdmitted(_))) => answer::not_admitted(&core, &door, Reader::Program),
        Err(error) => answer::failed(&core, &door.shown, Reader::Program, &error),
    }
}

async fn show_asset(State(core): State<Arc<Core>>, Path(file): Path<String>) -> Response {
    asset(&core, &format!("/cdn-cgi/access/assets/{file}"))
}

/// What pages refer to, at whichever path they do.
pub(crate) fn asset(core: &Core, path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    let Some(asset) = core.settings.brand.asset(path) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    *response.body_mut() = Body::from(asset.bytes.clone());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(ETAG, etag);
    }
    response
}

fn address_page(
    core: &Core,
    door: &Door,
    path: &ReturnPath,
    status: StatusCode,
    typed: &str,
    error: Option<String>,
) -> Response {
    let view = pages::SignInEmail {
        hostname: door.shown.clone(),
        product: core.settings.product.clone(),
        brand: Arc::clone(&core.settings.brand),
        error,
        email: typed.to_owned(),
        action: path.carried_by(LOGIN),
    };
    answer::page(status, view.render())
}

fn code_page(
    core: &Core,
    door: &Door,
    path: &ReturnPath,
    status: StatusCode,
    email: &str,
    error: Option<String>,
) -> Response {
    let view = pages::SignInCode {
        hostname: door.shown.clone(),
        product: core.settings.product.clone(),
        brand: Arc::clone(&core.settings.brand),
        email: email.to_owned(),
        error,
        action: path.carried_by(CODE),
        resend_action: path.carried_by(LOGIN),
        restart_url: path.carried_by(LOGIN),
        mailbox_url: core.settings.mailbox_url.clone(),
    };
    answer::page(status, view.render())
}

/// Whether a form was sent from a page of this very hostname. Instances are neighbours under one
/// domain, so cookies that keep to one *site* don't keep them apart. Programs that are no browsers
/// send neither header, and have no cookies to be misused.
fn is_own_form(core: &Core, door: &Door, headers: &HeaderMap) -> bool {
    match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => *origin == *format!("{}://{}", core.site.scheme, door.shown),
        (None, None) => true,
    }
}

fn from_elsewhere(core: &Core, door: &Door) -> Response {
    answer::notice(
        core,
        Reader::Sending,
        &Notice {
            status: StatusCode::FORBIDDEN,
            hostname: &door.shown,
            title: "Start again",
            text: "This form was sent from another site, so we did not act on it.",
            link: Some(("Sign in", LOGIN)),
            passing: false,
        },
    )
}

/// Where the connection comes from, as whoever accepted it wrote down.
struct Source(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Source {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())))
    }
}
