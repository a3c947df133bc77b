//! The documentation: public, the same for everybody, made from the repository's documents at the first visit.

use std::sync::LazyLock;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use handbook::Handbook;
use pages::{Area, BookHit};
use serde::Deserialize;
use serde_json::Value;

use super::shell;
use crate::api;
use crate::app::App;
use crate::person::Person;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

pub(crate) async fn start(State(app): State<App>, person: Option<Person>) -> Response {
    read(&app, person.as_ref(), "")
}

/// A page, or a picture on one.
pub(crate) async fn page(State(app): State<App>, person: Option<Person>, Path(address): Path<String>) -> Response {
    match handbook::picture(&address) {
        Some(picture) => {
            let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=3600")];
            (headers, picture).into_response()
        }
        None => read(&app, person.as_ref(), address.trim_end_matches('/')),
    }
}

pub(crate) async fn search(
    State(app): State<App>,
    asked: Result<Query<Search>, QueryRejection>,
    person: Option<Person>,
) -> Html<String> {
    // A query that can't be read asks for nothing, and the page says how to ask.
    let Query(search) = asked.unwrap_or_default();
    Html(book().search(&search.q, shell(&app, Area::Site, "Search", person.as_ref())))
}

fn read(app: &App, person: Option<&Person>, address: &str) -> Response {
    let shell = || shell(app, Area::Site, "Documentation", person);
    match book().read(address, shell()) {
        Some(page) => Html(page).into_response(),
        None => (StatusCode::NOT_FOUND, Html(book().missing(address, shell()))).into_response(),
    }
}

/// Where its pages are below `/docs/`.
pub(crate) fn addresses() -> impl Iterator<Item = &'static str> {
    book().addresses()
}

/// The places for customers that may answer a question, best first.
pub(crate) fn answers(question: &str, most: usize) -> Vec<BookHit> {
    book().answers(question, most)
}

/// All pages. A description of the API that can't be written as JSON would leave its reference empty and nothing else.
fn book() -> &'static Handbook {
    static BOOK: LazyLock<Handbook> = LazyLock::new(|| {
        let api = serde_json::to_value(api::openapi::described()).unwrap_or_else(|error| {
            tracing::error!("The documentation has no reference of the API: {error}");
            Value::Null
        });
        Handbook::bind(&api)
    });
    &BOOK
}
