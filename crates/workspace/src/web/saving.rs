//! Saving a form, and what a form shows when saving failed: never less than the person typed.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;
use crate::comparison::{Line, compare};
use crate::front_matter::Problem;
use crate::library::{Document, LibraryError, Revision, Saved};
use crate::moment;
use crate::name::{Name, Shelf};
use crate::pages::Changed;
use crate::refusal::explain;
use crate::visitor::Visitor;
use crate::web::overview::changed;

/// Why a form comes back instead of being saved.
pub struct Setback {
    /// The answer's status.
    pub status: StatusCode,
    /// What is wrong, a sentence each.
    pub troubles: Vec<String>,
    /// Another text that was saved in the meantime.
    pub conflict: Option<Conflict>,
}

/// Somebody saved another text while a form was open.
pub struct Conflict {
    /// Who and when.
    pub changed: Option<Changed>,
    /// That text.
    pub theirs: String,
    /// Its revision; saving on top of it is a decision for one's own text.
    pub revision: String,
    /// From that text to one's own.
    pub lines: Vec<Line>,
}

impl Setback {
    /// What was typed cannot be saved as it is.
    #[must_use]
    pub fn typed(troubles: Vec<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, troubles, conflict: None }
    }

    /// Saving failed. `mine` makes the file's text out of the form, over another text.
    pub async fn failed(
        app: &App,
        shelf: Shelf,
        error: LibraryError,
        mine: impl Fn(&str) -> Result<String, Problem>,
    ) -> Self {
        let (status, trouble) = explain(&error);
        match error {
            LibraryError::Stale(theirs) => {
                let conflict = Some(Conflict::with(app, shelf, *theirs, mine).await);
                Self { status, troubles: Vec::new(), conflict }
            }
            _ => Self { status, troubles: vec![trouble], conflict: None },
        }
    }

    /// The revision that the form is based on from now on.
    #[must_use]
    pub fn based_on<'a>(&'a self, before: &'a str) -> &'a str {
        self.conflict.as_ref().map_or(before, |conflict| &conflict.revision)
    }
}

impl Conflict {
    async fn with(app: &App, shelf: Shelf, theirs: Document, mine: impl Fn(&str) -> Result<String, Problem>) -> Self {
        let text = theirs.text().into_owned();
        // Front matter that has become unreadable is nothing to build on; then the form stands alone.
        let my_text = mine(&text).or_else(|_| mine("")).unwrap_or_default();
        let lines = compare(&text, &my_text);
        let revision = theirs.revision().to_string();
        let newest = app.library(move |library| library.newest(shelf, &theirs)).await.ok().flatten();
        Self { changed: changed(newest.as_ref(), moment::now()), theirs: text, revision, lines }
    }
}

/// Saves a new document and tells open pages.
///
/// # Errors
/// Those of the library.
pub async fn create(app: &App, shelf: Shelf, title: String, text: String, by: &Visitor) -> Result<Saved, LibraryError> {
    let signature = app.sign(by.clone());
    let saved = app.library(move |library| library.create(shelf, &title, &text, &signature)).await?;
    app.changes.announce(shelf, &saved.name, by, Some(&saved.revision));
    Ok(saved)
}

/// Saves a change to a document and tells open pages.
///
/// # Errors
/// Those of the library.
pub async fn edit(
    app: &App,
    shelf: Shelf,
    name: &Name,
    based_on: Option<Revision>,
    by: &Visitor,
    change: impl FnOnce(&Document) -> Result<String, LibraryError> + Send + 'static,
) -> Result<Saved, LibraryError> {
    let (signature, document) = (app.sign(by.clone()), name.clone());
    let edit =
        move |library: &crate::library::Library| library.edit(shelf, &document, based_on.as_ref(), &signature, change);
    let saved = app.library(edit).await?;
    if saved.version.is_some() {
        app.changes.announce(shelf, name, by, Some(&saved.revision));
    }
    Ok(saved)
}

/// Leads to the document that was saved.
#[must_use]
pub fn seen(shelf: Shelf, saved: &Saved) -> Response {
    let done = match &saved.version {
        Some(version) => format!("saved={}", version.number),
        None => "unchanged=yes".to_owned(),
    };
    Redirect::to(&format!("/{}/{}?{done}", shelf.folder(), saved.name.in_address())).into_response()
}
