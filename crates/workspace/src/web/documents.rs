//! What both kinds of documents have in common: the file itself, and its deletion.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::decision::Decision;
use crate::front_matter::{Problem, tidy};
use crate::item::Item;
use crate::library::{Document, Library, Revision};
use crate::name::{Name, Shelf};
use crate::pages::{Chrome, DeletionPage, FilePage};
use crate::refusal::Refusal;
use crate::vision::Vision;
use crate::visitor::Visitor;
use crate::web::overview::understand;
use crate::web::saving::{self, Setback};
use crate::web::{At, Filled, draw, place};

/// A file's text as a form holds it.
#[derive(Deserialize)]
pub struct FileForm {
    text: String,
    based_on: String,
}

/// Which text is meant.
#[derive(Deserialize)]
pub struct Meant {
    based_on: String,
}

/// `GET /{shelf}/{name}/file`
pub async fn edit_file(State(app): State<App>, by: Visitor, at: At) -> Result<Response, Refusal> {
    let document = read(&app, at.shelf, &at.name).await?;
    let page = FilePage {
        chrome: Chrome::of(&by),
        place: place(at.shelf, &at.name, &document.revision()),
        text: document.text().into_owned(),
        based_on: document.revision().to_string(),
        problem: title(at.shelf, &document).err().map(|problem| problem.to_string()),
        damaged: str::from_utf8(&document.bytes).is_err(),
        setback: None,
    };
    draw(StatusCode::OK, &page)
}

/// `POST /{shelf}/{name}/file`: any text is saved, so that a file can be mended in several steps.
pub async fn save_file(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(form): Filled<FileForm>,
) -> Result<Response, Refusal> {
    let text = format!("{}\n", tidy(&form.text));
    let (mine, based_on) = (text.clone(), Some(Revision::sent(&form.based_on)));
    let error = match saving::edit(&app, at.shelf, &at.name, based_on, &by, |_| Ok(mine)).await {
        Ok(saved) => return Ok(saving::seen(at.shelf, &saved)),
        Err(error) => error,
    };
    let setback = Setback::failed(&app, at.shelf, error, |_| Ok(text.clone())).await;
    let based_on = setback.based_on(&form.based_on).to_owned();
    let page = FilePage {
        chrome: Chrome::of(&by),
        place: place(at.shelf, &at.name, &Revision::sent(&based_on)),
        text: form.text,
        based_on,
        problem: None,
        damaged: false,
        setback: Some(setback),
    };
    draw(page.setback.as_ref().map_or(StatusCode::OK, |setback| setback.status), &page)
}

/// `GET /{shelf}/{name}/deletion`
pub async fn confirm_deletion(State(app): State<App>, by: Visitor, at: At) -> Result<Response, Refusal> {
    let document = read(&app, at.shelf, &at.name).await?;
    let page = DeletionPage {
        chrome: Chrome::of(&by),
        place: place(at.shelf, &at.name, &document.revision()),
        title: title(at.shelf, &document).unwrap_or_else(|_| at.name.as_title()),
    };
    draw(StatusCode::OK, &page)
}

/// `POST /{shelf}/{name}/deletion`
pub async fn delete(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(meant): Filled<Meant>,
) -> Result<Response, Refusal> {
    let (shelf, name, signature) = (at.shelf, at.name.clone(), app.sign(by.clone()));
    let based_on = Revision::sent(&meant.based_on);
    app.library(move |library: &Library| library.delete(shelf, &name, &based_on, &signature)).await?;
    app.changes.announce(at.shelf, &at.name, &by, None);
    Ok(Redirect::to("/deleted").into_response())
}

/// A document's title.
///
/// # Errors
/// [`Problem`] when the document cannot be understood.
pub fn title(shelf: Shelf, document: &Document) -> Result<String, Problem> {
    let title = match shelf {
        Shelf::Visions => understand(document, Vision::parse)?.title,
        Shelf::Backlog => understand(document, Item::parse)?.title,
        Shelf::Decisions => understand(document, Decision::parse)?.title,
    };
    Ok(title.as_str().to_owned())
}

async fn read(app: &App, shelf: Shelf, name: &Name) -> Result<Document, Refusal> {
    let name = name.clone();
    Ok(app.library(move |library| library.read(shelf, &name)).await?)
}
