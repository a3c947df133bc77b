//! Visions: reading, writing, rewriting.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::library::{Document, Library, LibraryError, Revision};
use crate::markdown;
use crate::moment;
use crate::name::{Name, Shelf};
use crate::pages::{Chrome, VisionFormPage, VisionPage};
use crate::refusal::Refusal;
use crate::title::Title;
use crate::vision::{Vision, VisionStatus};
use crate::visitor::Visitor;
use crate::web::overview::{Overview, changed, understand};
use crate::web::saving::{self, Setback};
use crate::web::{At, Done, Filled, attachments, draw, place};

const SHELF: Shelf = Shelf::Visions;

/// A vision as a form holds it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct VisionForm {
    /// The title.
    pub title: String,
    /// The status's word.
    pub status: String,
    /// The text, Markdown.
    pub body: String,
    /// The revision that was edited; empty for a new vision.
    pub based_on: String,
}

impl VisionForm {
    /// The vision, if everything in the form can be one.
    ///
    /// # Errors
    /// Every sentence about what to change.
    pub fn read(&self) -> Result<Vision, Vec<String>> {
        let title = Title::parse(&self.title).map_err(|error| error.to_string());
        let word = if self.status.is_empty() { VisionStatus::Draft.word() } else { &self.status };
        let status = VisionStatus::parse(word).map_err(|problem| problem.to_string());
        match (title, status) {
            (Ok(title), Ok(status)) => Ok(Vision { title, status, body: self.body.clone() }),
            (title, status) => Err([title.err(), status.err()].into_iter().flatten().collect()),
        }
    }

    fn of(vision: &Vision, based_on: &Revision) -> Self {
        Self {
            title: vision.title.as_str().to_owned(),
            status: vision.status.word().to_owned(),
            body: vision.body.clone(),
            based_on: based_on.to_string(),
        }
    }
}

/// `GET /new/vision`
pub async fn new(by: Visitor) -> Result<Response, Refusal> {
    let form = VisionForm { status: VisionStatus::Draft.word().to_owned(), ..VisionForm::default() };
    form_page(&by, None, form, None)
}

/// `POST /visions`
pub async fn create(
    State(app): State<App>,
    by: Visitor,
    Filled(form): Filled<VisionForm>,
) -> Result<Response, Refusal> {
    let vision = match form.read() {
        Ok(vision) => vision,
        Err(troubles) => return form_page(&by, None, form, Some(Setback::typed(troubles))),
    };
    let created = match vision.write_over("") {
        Ok(text) => saving::create(&app, SHELF, form.title.clone(), text, &by).await,
        Err(problem) => Err(problem.into()),
    };
    match created {
        Ok(saved) => Ok(saving::seen(SHELF, &saved)),
        Err(error) => {
            let setback = Setback::failed(&app, SHELF, error, |former| vision.write_over(former)).await;
            form_page(&by, None, form, Some(setback))
        }
    }
}

/// `GET /visions/{name}`
pub async fn show(State(app): State<App>, by: Visitor, at: At, Query(done): Query<Done>) -> Result<Response, Refusal> {
    let name = at.name.clone();
    let (document, newest, overview, files) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let document = library.read(SHELF, &name)?;
            let newest = library.newest(SHELF, &document)?;
            let files = attachments::view(library, SHELF, &name)?;
            Ok((document, newest, Overview::read(library)?, files))
        })
        .await?;
    let place = place(SHELF, &at.name, &document.revision());
    let Ok(vision) = understand(&document, Vision::parse) else {
        return Ok(Redirect::to(&format!("{}/file", place.href)).into_response());
    };
    let now = moment::now();
    let page = VisionPage {
        chrome: Chrome::of(&by),
        files,
        flash: done.flash(),
        place,
        name: at.name.in_address(),
        title: vision.title.as_str().to_owned(),
        status: vision.status.word(),
        html: markdown::to_html(&vision.body),
        changed: changed(newest.as_ref(), now),
        items: overview.items_of(&at.name).filter_map(|item| overview.item_card(item, now)).collect(),
    };
    draw(StatusCode::OK, &page)
}

/// `GET /visions/{name}/edit`
pub async fn edit(State(app): State<App>, by: Visitor, at: At) -> Result<Response, Refusal> {
    let name = at.name.clone();
    let document = app.library(move |library| library.read(SHELF, &name)).await?;
    match understand(&document, Vision::parse) {
        Ok(vision) => form_page(&by, Some(&at.name), VisionForm::of(&vision, &document.revision()), None),
        Err(_) => Ok(Redirect::to(&format!("/visions/{}/file", at.name.in_address())).into_response()),
    }
}

/// `POST /visions/{name}`
pub async fn save(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(form): Filled<VisionForm>,
) -> Result<Response, Refusal> {
    let vision = match form.read() {
        Ok(vision) => vision,
        Err(troubles) => return form_page(&by, Some(&at.name), form, Some(Setback::typed(troubles))),
    };
    let based_on = Some(Revision::sent(&form.based_on));
    let written = vision.clone();
    let change = move |former: &Document| Ok(written.write_over(former.exact_text()?)?);
    match saving::edit(&app, SHELF, &at.name, based_on, &by, change).await {
        Ok(saved) => Ok(saving::seen(SHELF, &saved)),
        Err(error) => {
            let setback = Setback::failed(&app, SHELF, error, |former| vision.write_over(former)).await;
            form_page(&by, Some(&at.name), form, Some(setback))
        }
    }
}

fn form_page(
    by: &Visitor,
    name: Option<&Name>,
    mut form: VisionForm,
    setback: Option<Setback>,
) -> Result<Response, Refusal> {
    let status = setback.as_ref().map_or(StatusCode::OK, |setback| setback.status);
    if let Some(setback) = &setback {
        form.based_on = setback.based_on(&form.based_on).to_owned();
    }
    let place = name.map(|name| place(SHELF, name, &Revision::sent(&form.based_on)));
    draw(status, &VisionFormPage { chrome: Chrome::of(by), place, form, setback })
}
