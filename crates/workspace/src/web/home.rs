//! The notebook at a glance.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::item::ItemStatus;
use crate::moment;
use crate::name::Name;
use crate::pages::{Chrome, Column, HomePage};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::board::Columns;
use crate::web::draw;
use crate::web::overview::Overview;

/// The card that was just moved.
#[derive(Deserialize)]
pub struct Moved {
    moved: Option<String>,
}

/// `GET /`
pub async fn show(State(app): State<App>, by: Visitor, Query(done): Query<Moved>) -> Result<Response, Refusal> {
    let overview = app.library(Overview::read).await?;
    let now = moment::now();
    let page = HomePage {
        chrome: Chrome::of(&by),
        flash: done.moved.and_then(|name| where_it_is(&overview, &Name::parse(&name).ok()?)),
        visions: overview.vision_cards(now),
        columns: ItemStatus::ALL.into_iter().map(|status| column(&overview, status, now)).collect(),
        ailing: overview.ailing(),
        items: overview.items.len(),
        changed: overview.changed(now),
    };
    draw(StatusCode::OK, &page)
}

/// `GET /visions`: they are on the first page.
pub async fn visions() -> Redirect {
    Redirect::to("/#visions")
}

/// Where a card lies now, in a sentence.
fn where_it_is(overview: &Overview, name: &Name) -> Option<String> {
    let (status, before, all) = Columns::of(overview).place_of(name)?;
    let item = overview.items.iter().find(|item| item.name == *name)?.content.as_ref().ok()?;
    Some(format!("“{}” is number {} of {all} in “{}” now.", item.title.as_str(), before + 1, status.word()))
}

fn column(overview: &Overview, status: ItemStatus, now: jiff::Timestamp) -> Column {
    let hint = match status {
        ItemStatus::Idea => "Worth a thought",
        ItemStatus::Ready => "Clear enough to begin",
        ItemStatus::Doing => "Being worked on",
        ItemStatus::Done => "Finished",
    };
    let cards: Vec<_> = overview
        .items
        .iter()
        .filter_map(|item| overview.item_card(item, now))
        .filter(|card| card.status == status.word())
        .collect();
    let points = cards.iter().filter_map(|card| card.estimate).map(u32::from).sum();
    Column { word: status.word(), hint, cards, points }
}
