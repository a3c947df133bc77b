//! The backlog as a table: found, sorted, and changed row by row.
//!
//! Every row is saved on its own and only over the text that was shown, so that a save touches no other
//! row and overwrites nothing that nobody has seen. What is found and how it is sorted is said by the address.

mod rows;
mod sight;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::item::{Estimate, Item, ItemStatus, Priority};
use crate::library::{Document, LibraryError, Revision};
use crate::name::{Name, Shelf};
use crate::pages::backlog::Said;
use crate::refusal::{Refusal, explain};
use crate::visitor::Visitor;
use crate::web::overview::{Overview, understand};
use crate::web::{At, Filled, draw, saving};

pub use sight::Asked;
use sight::Sight;

const SHELF: Shelf = Shelf::Backlog;

/// `GET /backlog`: the board is on the first page, the table is here.
pub async fn show(State(app): State<App>, by: Visitor, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    if !asked.is_table() {
        return Ok(Redirect::to("/#backlog").into_response());
    }
    let overview = app.library(Overview::read).await?;
    let said = asked.row().and_then(|name| Some((rows::saved(&overview, &name)?, name)));
    draw(StatusCode::OK, &rows::page(&by, &overview, &Sight::of(&asked), said, Vec::new()))
}

/// What is chosen in a row.
#[derive(Deserialize)]
pub struct RowForm {
    status: String,
    priority: String,
    #[serde(default)]
    estimate: String,
    based_on: String,
}

/// `POST /backlog/{name}/row`
pub async fn save_row(
    State(app): State<App>,
    by: Visitor,
    at: At,
    Query(asked): Query<Asked>,
    Filled(form): Filled<RowForm>,
) -> Result<Response, Refusal> {
    let sight = Sight::of(&asked);
    let error = match wanted(&form) {
        Ok(wanted) => match save(&app, &by, &at.name, &Revision::sent(&form.based_on), wanted).await {
            Ok(()) => return Ok(Redirect::to(&sight.address_at(&at.name)).into_response()),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let status = explain(&error).0;
    let overview = app.library(Overview::read).await?;
    let text = rows::refused(&overview, &at.name, &error, Some(&form));
    let said = Said { text, is_refusal: true };
    draw(status, &rows::page(&by, &overview, &sight, Some((said, at.name)), Vec::new()))
}

/// `POST /backlog-changes`: the same change for all the rows that were chosen, each on its own.
pub async fn change_chosen(
    State(app): State<App>,
    by: Visitor,
    Query(asked): Query<Asked>,
    Filled(fields): Filled<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str());
    let chosen: Vec<(Revision, Name)> =
        fields.iter().filter(|(field, _)| field == "chosen").filter_map(|(_, value)| chosen(value)).collect();
    let change = Change {
        status: some(field("status"), ItemStatus::parse)?,
        priority: some(field("priority"), Priority::parse)?,
        estimate: None,
    };
    let mut outcomes = Vec::new();
    if change.status.is_some() || change.priority.is_some() {
        for (revision, name) in chosen {
            let outcome = save(&app, &by, &name, &revision, change).await;
            outcomes.push((name, outcome));
        }
    }
    let overview = app.library(Overview::read).await?;
    let results = rows::results(&overview, &outcomes);
    let mut page = rows::page(&by, &overview, &Sight::of(&asked), None, results);
    if outcomes.is_empty() {
        page.trouble = Some(
            "Nothing was changed: choose rows by their boxes, and below the table what becomes of them.".to_owned(),
        );
    }
    draw(StatusCode::OK, &page)
}

/// `GET /backlog-changes`: where a reload leads.
pub async fn look() -> Redirect {
    Redirect::to("/backlog?view=table")
}

/// What becomes of an item; what is left out stays as it is.
#[derive(Clone, Copy)]
struct Change {
    status: Option<ItemStatus>,
    priority: Option<Priority>,
    estimate: Option<Option<Estimate>>,
}

async fn save(app: &App, by: &Visitor, name: &Name, based_on: &Revision, to: Change) -> Result<(), LibraryError> {
    let change = move |former: &Document| {
        let item = understand(former, Item::parse)?;
        let changed = Item {
            status: to.status.unwrap_or(item.status),
            priority: to.priority.unwrap_or(item.priority),
            estimate: to.estimate.unwrap_or(item.estimate),
            ..item.clone()
        };
        // A file that says the same already keeps its own way of saying it.
        if changed == item {
            Ok(former.exact_text()?.to_owned())
        } else {
            Ok(changed.write_over(former.exact_text()?)?)
        }
    };
    saving::edit(app, SHELF, name, Some(based_on.clone()), by, change).await.map(|_| ())
}

fn wanted(form: &RowForm) -> Result<Change, LibraryError> {
    Ok(Change {
        status: Some(ItemStatus::parse(&form.status)?),
        priority: Some(Priority::parse(&form.priority)?),
        estimate: Some(Estimate::parse(&form.estimate)?),
    })
}

/// A row that was chosen as its box says it: the revision that was shown, and the name.
fn chosen(value: &str) -> Option<(Revision, Name)> {
    let (revision, name) = value.split_once(' ')?;
    Some((Revision::sent(revision), Name::parse(name).ok()?))
}

fn some<T, E: Into<LibraryError>>(word: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<Option<T>, LibraryError> {
    if word.is_empty() { Ok(None) } else { parse(word).map(Some).map_err(Into::into) }
}
