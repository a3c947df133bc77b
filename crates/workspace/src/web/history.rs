//! Old versions: listing, reading, comparing, bringing back.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::comparison::compare as compare_texts;
use crate::history::Version;
use crate::library::{Document, Library, LibraryError, Revision};
use crate::moment;
use crate::name::{Name, Shelf};
use crate::pages::{Chrome, ComparisonPage, HistoryPage, Place, VersionPage, VersionRow};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::documents::title;
use crate::web::overview::{changed_by, deed};
use crate::web::{At, Filled, draw, place, saving};

/// `GET /{shelf}/{name}/history`
pub async fn list(State(app): State<App>, by: Visitor, at: At) -> Result<Response, Refusal> {
    let (shelf, name) = (at.shelf, at.name.clone());
    let (current, versions, unsaved) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let current = current(library, shelf, &name)?;
            let versions = library.versions(shelf, &name)?;
            let newest = current.as_ref().map_or(Ok(None), |document| library.newest(shelf, document))?;
            let unsaved = current.is_some() && newest.is_none_or(|(_, is_kept)| !is_kept);
            Ok((current, versions, unsaved))
        })
        .await?;
    if current.is_none() && versions.is_empty() {
        return Err(Refusal::missing());
    }
    let now = moment::now();
    let page = HistoryPage {
        chrome: Chrome::of(&by),
        place: place_of(&at, current.as_ref()),
        title: title_of(&at, current.as_ref()),
        versions: versions.iter().map(|version| row(version, now)).collect(),
        unsaved,
        deleted: current.is_none(),
    };
    draw(StatusCode::OK, &page)
}

/// `GET /{shelf}/{name}/history/{number}`
pub async fn show(State(app): State<App>, by: Visitor, at: At) -> Result<Response, Refusal> {
    let number = at.number.ok_or_else(Refusal::missing)?;
    let (shelf, name) = (at.shelf, at.name.clone());
    let (version, old, before, current) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let (version, old) = library.version(shelf, &name, number)?;
            let before = match number.checked_sub(1).map(|before| library.version(shelf, &name, before)) {
                Some(Ok((_, before))) => Some(before),
                Some(Err(LibraryError::Missing)) | None => None,
                Some(Err(error)) => return Err(error),
            };
            Ok((version, old, before, current(library, shelf, &name)?))
        })
        .await?;
    let text = old.text().into_owned();
    let lines = before.as_ref().map(|before| compare_texts(&before.text(), &text)).unwrap_or_default();
    let page = VersionPage {
        chrome: Chrome::of(&by),
        place: place_of(&at, current.as_ref()),
        title: title_of(&at, Some(&old)),
        version: row(&version, moment::now()),
        lines,
        before: before.map(|_| number - 1),
        current: current.as_ref() == Some(&old),
        deleted: current.is_none(),
        text,
    };
    draw(StatusCode::OK, &page)
}

/// Which two versions are compared.
#[derive(Deserialize)]
pub struct Pair {
    from: u32,
    to: u32,
}

/// `GET /{shelf}/{name}/history/comparison?from=&to=`
pub async fn compare(
    State(app): State<App>,
    by: Visitor,
    at: At,
    pair: Result<Query<Pair>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Ok(Query(Pair { from, to })) = pair else { return Err(Refusal::missing()) };
    let (shelf, name) = (at.shelf, at.name.clone());
    let (older, newer) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            Ok((library.version(shelf, &name, from)?.1, library.version(shelf, &name, to)?.1))
        })
        .await?;
    let page = ComparisonPage {
        chrome: Chrome::of(&by),
        place: place_of(&at, None),
        title: title_of(&at, Some(&newer)),
        from,
        to,
        lines: compare_texts(&older.text(), &newer.text()),
    };
    draw(StatusCode::OK, &page)
}

/// The text that a restoration replaces; empty when the document is deleted.
#[derive(Deserialize)]
pub struct Replaced {
    based_on: String,
}

/// `POST /{shelf}/{name}/history/{number}/restoration`
pub async fn restore(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(form): Filled<Replaced>,
) -> Result<Response, Refusal> {
    let number = at.number.ok_or_else(Refusal::missing)?;
    let (shelf, name, signature) = (at.shelf, at.name.clone(), app.sign(by.clone()));
    let based_on =
        Some(form.based_on).filter(|revision| !revision.is_empty()).map(|revision| Revision::sent(&revision));
    let restore = move |library: &Library| library.restore(shelf, &name, number, based_on.as_ref(), &signature);
    let saved = app.library(restore).await?;
    app.changes.announce(at.shelf, &at.name, &by, Some(&saved.revision));
    Ok(saving::seen(at.shelf, &saved))
}

fn current(library: &Library, shelf: Shelf, name: &Name) -> Result<Option<Document>, LibraryError> {
    match library.read(shelf, name) {
        Ok(document) => Ok(Some(document)),
        Err(LibraryError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

fn place_of(at: &At, current: Option<&Document>) -> Place {
    place(at.shelf, &at.name, &current.map_or(Revision::sent(""), Document::revision))
}

fn title_of(at: &At, document: Option<&Document>) -> String {
    let title = document.and_then(|document| title(at.shelf, document).ok());
    title.unwrap_or_else(|| at.name.as_title())
}

fn row(version: &Version, now: jiff::Timestamp) -> VersionRow {
    VersionRow { number: version.number, change: deed(version.change), changed: changed_by(version, now) }
}
