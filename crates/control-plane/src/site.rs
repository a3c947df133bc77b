//! What everybody may see: the front of the house.

pub(crate) mod pages;
pub(crate) mod progress;
pub(crate) mod signup;

use ::pages::{Area, CONTENT_SECURITY_POLICY, ErrorPage, Shell};
use axum::extract::Request;
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

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if let AppError::SignIn(url) = &self.0 {
            return Redirect::to(url).into_response();
        }
        let (status, title, what_next) = self.0.describe();
        // The time plays no part in this page, and errors carry no clock.
        let shell = Shell::new(title.clone(), "Spinoff", jiff::Timestamp::UNIX_EPOCH);
        let page = ErrorPage { shell, status: status.as_u16(), title, what_happened: String::new(), what_next };
        (status, Html(page.render())).into_response()
    }
}

/// What surrounds a page, for whoever looks at it.
pub(crate) fn shell(app: &App, area: Area, title: &str, person: Option<&Person>) -> Shell {
    Shell {
        title: title.to_owned(),
        product: app.settings.product.clone(),
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
