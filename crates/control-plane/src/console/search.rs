use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Html;
use pages::console::{ConsoleSearch, FoundRow};
use serde::Deserialize;

use super::console_shell;
use crate::app::App;
use crate::error::AppError;
use crate::person::Reader;
use crate::search::{self, Hit};
use crate::site::PageError;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    asked: Result<Query<Search>, QueryRejection>,
) -> Result<Html<String>, PageError> {
    // What can't be read asks for nothing.
    let Query(Search { q }) = asked.unwrap_or_default();
    let shell = console_shell(&app, "Search", &person);
    let (found, error) = if q.trim().is_empty() {
        (Vec::new(), None)
    } else {
        match search::find(&app, &q).await {
            Ok(found) => (found.into_iter().map(row).collect(), None),
            Err(error @ AppError::Refused { .. }) => (Vec::new(), Some(error.about_what_was_entered()?)),
            Err(error) => return Err(error.into()),
        }
    };
    Ok(Html(ConsoleSearch { shell, typed: q, found, error }.render()))
}

fn row(Hit { kind, name, about, path, .. }: Hit) -> FoundRow {
    FoundRow { kind: kind.to_owned(), name, about, url: path }
}
