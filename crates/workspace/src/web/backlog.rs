//! Backlog items: reading, writing, moving, ticking off.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::criteria;
use crate::item::{Estimate, Item, ItemStatus, Priority};
use crate::library::{Document, Library, LibraryError, Revision};
use crate::markdown;
use crate::meetings::{MeetingId, Minutes};
use crate::moment;
use crate::name::{Name, Shelf};
use crate::pages::{Chrome, ItemFormPage, ItemPage};
use crate::refusal::Refusal;
use crate::title::Title;
use crate::visitor::Visitor;
use crate::web::overview::{Overview, understand};
use crate::web::saving::{self, Setback};
use crate::web::{At, Done, Filled, attachments, draw, place};

const SHELF: Shelf = Shelf::Backlog;

/// An item as a form holds it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ItemForm {
    /// The title.
    pub title: String,
    /// The status's word.
    pub status: String,
    /// The priority's word.
    pub priority: String,
    /// The points, or nothing.
    pub estimate: String,
    /// The vision's name, or nothing.
    pub vision: String,
    /// The story, Markdown.
    pub story: String,
    /// The criteria, one a line.
    pub criteria: String,
    /// The revision that was edited; empty for a new item.
    pub based_on: String,
}

impl ItemForm {
    /// The item, if everything in the form can be one.
    ///
    /// # Errors
    /// Every sentence about what to change.
    pub fn read(&self) -> Result<Item, Vec<String>> {
        let title = Title::parse(&self.title).map_err(|error| error.to_string());
        let status =
            ItemStatus::parse(or(&self.status, ItemStatus::Idea.word())).map_err(|problem| problem.to_string());
        let priority =
            Priority::parse(or(&self.priority, Priority::Should.word())).map_err(|problem| problem.to_string());
        let estimate = Estimate::parse(&self.estimate).map_err(|problem| problem.to_string());
        let vision = match self.vision.trim() {
            "" => Ok(None),
            name => Name::parse(name).map(Some).map_err(|_| "Choose one of the visions, or none.".to_owned()),
        };
        match (title, status, priority, estimate, vision) {
            (Ok(title), Ok(status), Ok(priority), Ok(estimate), Ok(vision)) => {
                let (story, criteria) = (self.story.clone(), criteria::read_lines(&self.criteria));
                Ok(Item { title, status, priority, estimate, vision, story, criteria })
            }
            (title, status, priority, estimate, vision) => {
                let troubles = [title.err(), status.err(), priority.err(), estimate.err(), vision.err()];
                Err(troubles.into_iter().flatten().collect())
            }
        }
    }

    fn of(item: &Item, based_on: &Revision) -> Self {
        Self {
            title: item.title.as_str().to_owned(),
            status: item.status.word().to_owned(),
            priority: item.priority.word().to_owned(),
            estimate: item.estimate.map(|estimate| estimate.points().to_string()).unwrap_or_default(),
            vision: item.vision.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            story: item.story.clone(),
            criteria: criteria::to_lines(&item.criteria),
            based_on: based_on.to_string(),
        }
    }
}

/// What a new item begins with.
#[derive(Deserialize)]
pub struct Beginning {
    vision: Option<String>,
    status: Option<String>,
    meeting: Option<String>,
    request: Option<usize>,
}

/// The request for a change that a form begins with: the meeting it was said in, and its number there.
#[derive(Deserialize)]
pub struct Asked {
    meeting: Option<String>,
    request: Option<usize>,
}

impl Asked {
    /// The words of the request and the name of its vision; nothing where none is named.
    async fn read(self, app: &App) -> Result<Option<(String, Option<Name>)>, Refusal> {
        let (Some(meeting), Some(number)) = (self.meeting, self.request) else { return Ok(None) };
        let id = MeetingId::parse(&meeting).ok_or_else(Refusal::missing)?;
        let meeting = app.library(move |library: &Library| Minutes::of(library)?.read(id)).await?;
        let asked = number.checked_sub(1).and_then(|before| meeting.requests().nth(before));
        Ok(Some((asked.ok_or_else(Refusal::missing)?.text, meeting.subject())))
    }
}

/// `GET /new/item`
pub async fn new(State(app): State<App>, by: Visitor, Query(beginning): Query<Beginning>) -> Result<Response, Refusal> {
    let mut form = ItemForm {
        status: beginning.status.unwrap_or_else(|| ItemStatus::Idea.word().to_owned()),
        priority: Priority::Should.word().to_owned(),
        vision: beginning.vision.unwrap_or_default(),
        ..ItemForm::default()
    };
    let asked = Asked { meeting: beginning.meeting, request: beginning.request };
    if let Some((words, vision)) = asked.read(&app).await? {
        form.title = first_line(&words);
        form.status = ItemStatus::Ready.word().to_owned();
        form.vision = vision.map(|name| name.as_str().to_owned()).unwrap_or_default();
        form.story = words;
    }
    form_page(&app, &by, None, form, None).await
}

/// `POST /backlog`
pub async fn create(State(app): State<App>, by: Visitor, Filled(form): Filled<ItemForm>) -> Result<Response, Refusal> {
    let item = match form.read() {
        Ok(item) => item,
        Err(troubles) => return form_page(&app, &by, None, form, Some(Setback::typed(troubles))).await,
    };
    let created = match item.write_over("") {
        Ok(text) => saving::create(&app, SHELF, form.title.clone(), text, &by).await,
        Err(problem) => Err(problem.into()),
    };
    match created {
        Ok(saved) => Ok(saving::seen(SHELF, &saved)),
        Err(error) => {
            let setback = Setback::failed(&app, SHELF, error, |former| item.write_over(former)).await;
            form_page(&app, &by, None, form, Some(setback)).await
        }
    }
}

/// `GET /backlog/{name}`, also with the number alone (`/backlog/B-12`).
pub async fn show(State(app): State<App>, by: Visitor, at: At, Query(done): Query<Done>) -> Result<Response, Refusal> {
    let name = at.name.clone();
    let found = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            match library.read(SHELF, &name) {
                Ok(document) => {
                    let files = attachments::view(library, SHELF, &name)?;
                    Ok(Ok((document, Overview::read(library)?, files)))
                }
                Err(LibraryError::Missing) => Ok(Err(library.item(name.item_number().ok_or(LibraryError::Missing)?)?)),
                Err(error) => Err(error),
            }
        })
        .await?;
    let (document, overview, files) = match found {
        Ok(found) => found,
        Err(whole) => return Ok(Redirect::to(&format!("/backlog/{}", whole.in_address())).into_response()),
    };
    let place = place(SHELF, &at.name, &document.revision());
    let shelved = overview.items.iter().find(|item| item.name == at.name);
    let card = shelved.and_then(|shelved| overview.item_card(shelved, moment::now()));
    let (Ok(item), Some(card)) = (understand(&document, Item::parse), card) else {
        return Ok(Redirect::to(&format!("{}/file", place.href)).into_response());
    };
    let vision = item.vision.filter(|name| overview.has_vision(name));
    let page = ItemPage {
        chrome: Chrome::of(&by),
        files,
        flash: done.flash(),
        place,
        card,
        statuses: ItemStatus::ALL.map(ItemStatus::word).to_vec(),
        vision_href: vision.map(|name| format!("/visions/{}", name.in_address())),
        html: markdown::to_html(&item.story),
        criteria: item.criteria,
    };
    draw(StatusCode::OK, &page)
}

/// `GET /backlog/{name}/edit`
pub async fn edit(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let name = at.name.clone();
    let document = app.library(move |library| library.read(SHELF, &name)).await?;
    match understand(&document, Item::parse) {
        Ok(item) => {
            let mut form = ItemForm::of(&item, &document.revision());
            if let Some((words, _)) = asked.read(&app).await? {
                form.status = ItemStatus::Ready.word().to_owned();
                form.criteria.push_str(&first_line(&words));
            }
            form_page(&app, &by, Some(&at.name), form, None).await
        }
        Err(_) => Ok(Redirect::to(&format!("/backlog/{}/file", at.name.in_address())).into_response()),
    }
}

/// `POST /backlog/{name}`
pub async fn save(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(form): Filled<ItemForm>,
) -> Result<Response, Refusal> {
    let item = match form.read() {
        Ok(item) => item,
        Err(troubles) => return form_page(&app, &by, Some(&at.name), form, Some(Setback::typed(troubles))).await,
    };
    let based_on = Some(Revision::sent(&form.based_on));
    let written = item.clone();
    let change = move |former: &Document| Ok(written.write_over(former.exact_text()?)?);
    match saving::edit(&app, SHELF, &at.name, based_on, &by, change).await {
        Ok(saved) => Ok(saving::seen(SHELF, &saved)),
        Err(error) => {
            let setback = Setback::failed(&app, SHELF, error, |former| item.write_over(former)).await;
            form_page(&app, &by, Some(&at.name), form, Some(setback)).await
        }
    }
}

/// Where an item is moved, and which page to show after.
#[derive(Deserialize)]
pub struct Move {
    status: String,
    #[serde(default)]
    back_to_board: bool,
}

/// `POST /backlog/{name}/status`: changes nothing else, so it needs no revision.
pub async fn set_status(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(to): Filled<Move>,
) -> Result<Response, Refusal> {
    let status = ItemStatus::parse(&to.status).map_err(LibraryError::from)?;
    let change = move |former: &Document| {
        let item = Item { status, ..understand(former, Item::parse)? };
        Ok(item.write_over(former.exact_text()?)?)
    };
    let saved = saving::edit(&app, SHELF, &at.name, None, &by, change).await?;
    if to.back_to_board {
        return Ok(Redirect::to("/#backlog").into_response());
    }
    Ok(saving::seen(SHELF, &saved))
}

/// One criterion that is met now, or no longer.
#[derive(Deserialize)]
pub struct Tick {
    number: usize,
    text: String,
    met: bool,
}

/// `POST /backlog/{name}/criteria`: changes one mark, if that line still says the same.
pub async fn set_criterion(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Filled(tick): Filled<Tick>,
) -> Result<Response, Refusal> {
    let change = move |former: &Document| {
        let mut item = understand(former, Item::parse)?;
        let criterion = item.criteria.get_mut(tick.number).filter(|criterion| criterion.text == tick.text);
        let Some(criterion) = criterion else {
            return Err(LibraryError::Stale(Box::new(former.clone())));
        };
        criterion.met = tick.met;
        Ok(item.write_over(former.exact_text()?)?)
    };
    let saved = saving::edit(&app, SHELF, &at.name, None, &by, change).await?;
    Ok(saving::seen(SHELF, &saved))
}

async fn form_page(
    app: &App,
    by: &Visitor,
    name: Option<&Name>,
    mut form: ItemForm,
    setback: Option<Setback>,
) -> Result<Response, Refusal> {
    let status = setback.as_ref().map_or(StatusCode::OK, |setback| setback.status);
    if let Some(setback) = &setback {
        form.based_on = setback.based_on(&form.based_on).to_owned();
    }
    let place = name.map(|name| place(SHELF, name, &Revision::sent(&form.based_on)));
    // The form must come back with what was typed even if the list of visions cannot be read.
    let visions = app.library(Overview::read).await.map(|overview| overview.vision_choices()).unwrap_or_default();
    draw(status, &ItemFormPage { chrome: Chrome::of(by), place, form, visions, setback })
}

/// The beginning of what somebody wants, short enough for a title.
fn first_line(words: &str) -> String {
    words.lines().next().unwrap_or_default().trim().chars().take(Title::LONGEST).collect()
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
