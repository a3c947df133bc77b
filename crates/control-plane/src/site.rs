//! What everybody may see: the front of the house.

pub(crate) mod documents;
pub(crate) mod news;
pub(crate) mod order;
pub(crate) mod pages;
pub(crate) mod progress;
pub(crate) mod rating;
pub(crate) mod signup;
pub(crate) mod status;
pub(crate) mod unsubscribe;

use std::sync::Arc;

use ::pages::{Area, CONTENT_SECURITY_POLICY, ErrorPage, Shell};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::app::App;
use crate::error::AppError;
use crate::person::Person;

/// An error as a person sees it.
#[derive(Debug)]
pub(crate) struct PageError(AppError);

impl<E: Into<AppError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// What an error page says; the page itself is made by [`dress_errors`], which knows who asks.
#[derive(Clone)]
struct Words {
    title: String,
    what_next: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if let AppError::SignIn(url) = &self.0 {
            return Redirect::to(url).into_response();
        }
        let (status, title, what_next) = self.0.describe();
        let mut response = status.into_response();
        response.extensions_mut().insert(Words { title, what_next });
        response
    }
}

/// Turns errors into pages that look like the rest of the site, for whoever is signed in.
pub(crate) async fn dress_errors(
    State(app): State<App>,
    person: Option<Person>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let Some(words) = response.extensions().get::<Words>().cloned() else { return response };
    let status = response.status();
    let shell = shell(&app, Area::Site, &words.title, person.as_ref());
    let page = ErrorPage { shell, status: status.as_u16(), title: words.title, what_next: words.what_next };
    (status, Html(page.render())).into_response()
}

/// What surrounds a page, for whoever looks at it.
pub(crate) fn shell(app: &App, area: Area, title: &str, person: Option<&Person>) -> Shell {
    Shell {
        title: title.to_owned(),
        product: app.settings.product.clone(),
        brand: Arc::clone(&app.settings.brand),
        area,
        signed_in_as: person.map(|person| person.email.clone()),
        operator: person.is_some_and(|person| person.role.is_some()),
        notice: None,
        mailbox: app.settings.mailbox,
        now: app.clock.now(),
    }
}

/// Sends with every answer what keeps browsers from being used against their owners.
pub(crate) async fn secure_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut unless_set = |name: header::HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    unless_set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    unless_set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(header::REFERRER_POLICY, "same-origin");
    unless_set(header::X_FRAME_OPTIONS, "SAMEORIGIN");
    unless_set(header::CACHE_CONTROL, "no-store");
    response
}
