//! What was deleted and can be brought back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::library::{Library, LibraryError, Revision};
use crate::moment;
use crate::name::Shelf;
use crate::pages::{Chrome, DeletedPage, DeletedRow};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::documents::title;
use crate::web::overview::changed_by;
use crate::web::{draw, place};

/// `GET /deleted`
pub async fn list(State(app): State<App>, by: Visitor) -> Result<Response, Refusal> {
    let rows = app
        .library(|library: &Library| -> Result<_, LibraryError> {
            let mut rows = Vec::new();
            for shelf in Shelf::ALL {
                rows.extend(library.deleted(shelf)?.into_iter().map(|(document, version)| (shelf, document, version)));
            }
            Ok(rows)
        })
        .await?;
    let now = moment::now();
    let rows = rows.into_iter().map(|(shelf, document, version)| DeletedRow {
        place: place(shelf, &document.name, &Revision::sent("")),
        title: title(shelf, &document).unwrap_or_else(|_| document.name.as_title()),
        number: version.number,
        changed: changed_by(&version, now),
    });
    let page = DeletedPage { chrome: Chrome::of(&by), rows: rows.collect() };
    draw(StatusCode::OK, &page)
}
