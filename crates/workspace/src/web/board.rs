//! Cards on the board: moved within their column and into another one.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::item::{Item, ItemStatus};
use crate::library::{Document, Library, LibraryError};
use crate::name::{Name, Shelf};
use crate::order::{Order, Spot};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::overview::{Overview, understand};
use crate::web::{At, Filled, saving};

/// A step from where a card lies.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Up,
    Down,
    Left,
    Right,
}

/// Where a card goes: a step from a button, or a place that it was dragged to.
#[derive(Deserialize)]
pub struct Move {
    way: Option<Way>,
    #[serde(default)]
    status: String,
    /// The card it is put before; empty for the end of the column.
    #[serde(default)]
    before: String,
}

/// `POST /backlog/{name}/place`. Which column a card is in is said by its file, where it lies in there by the
/// order. If the program dies in between, the card is in its new column already.
pub async fn put(State(app): State<App>, by: Visitor, at: At, Filled(to): Filled<Move>) -> Result<Response, Refusal> {
    let name = at.name.clone();
    let (before, status, spot) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let columns = Columns::of(&Overview::read(library)?);
            let before = columns.status_of(&name).ok_or(LibraryError::Missing)?;
            let (status, spot) = columns.target(&name, before, &to)?;
            Ok((before, status, spot))
        })
        .await?;
    if status != before {
        let change = move |former: &Document| {
            let item = Item { status, ..understand(former, Item::parse)? };
            Ok(item.write_over(former.exact_text()?)?)
        };
        saving::edit(&app, Shelf::Backlog, &at.name, None, &by, change).await?;
    }
    if let Some(spot) = spot {
        let name = at.name.clone();
        app.library(move |library: &Library| Order::put(library, &name, &spot, shown)).await?;
        app.changes.stir();
    }
    let card = at.name.in_address();
    Ok(Redirect::to(&format!("/?moved={card}#card-{card}")).into_response())
}

/// All items as they are shown.
fn shown(library: &Library) -> Result<Vec<Name>, LibraryError> {
    Ok(Overview::read(library)?.items.into_iter().map(|item| item.name).collect())
}

/// Which card lies where.
pub struct Columns(Vec<(ItemStatus, Name)>);

impl Columns {
    /// The board as it is shown.
    #[must_use]
    pub fn of(overview: &Overview) -> Self {
        let cards =
            overview.items.iter().filter_map(|item| Some((item.content.as_ref().ok()?.status, item.name.clone())));
        Self(cards.collect())
    }

    /// The column of a card, and how many cards lie before it and in all of the column.
    #[must_use]
    pub fn place_of(&self, name: &Name) -> Option<(ItemStatus, usize, usize)> {
        let status = self.status_of(name)?;
        let before = self.column(status).position(|card| card == name)?;
        Some((status, before, self.column(status).count()))
    }

    fn status_of(&self, name: &Name) -> Option<ItemStatus> {
        self.0.iter().find(|(_, card)| card == name).map(|(status, _)| *status)
    }

    fn column(&self, status: ItemStatus) -> impl Iterator<Item = &Name> {
        self.0.iter().filter(move |(of, _)| *of == status).map(|(_, name)| name)
    }

    /// The column that a card goes to, and its spot there if it is put anywhere.
    fn target(&self, name: &Name, status: ItemStatus, to: &Move) -> Result<(ItemStatus, Option<Spot>), LibraryError> {
        let lies: Vec<&Name> = self.column(status).collect();
        let index = lies.iter().position(|card| *card == name).unwrap_or(0);
        Ok(match to.way {
            Some(Way::Up) => {
                let above = index.checked_sub(1).and_then(|above| lies.get(above));
                (status, above.map(|above| Spot::Before((*above).clone())))
            }
            Some(Way::Down) => (status, lies.get(index + 1).map(|below| Spot::Behind((*below).clone()))),
            Some(Way::Left) => status.former().map_or((status, None), |former| self.end_of(former, name)),
            Some(Way::Right) => status.next().map_or((status, None), |next| self.end_of(next, name)),
            None => {
                let into = ItemStatus::parse(&to.status)?;
                // What it was put before may have gone elsewhere while it was dragged.
                let anchor = self.column(into).find(|card| card.as_str() == to.before && *card != name);
                anchor.map_or_else(|| self.end_of(into, name), |anchor| (into, Some(Spot::Before(anchor.clone()))))
            }
        })
    }

    fn end_of(&self, status: ItemStatus, name: &Name) -> (ItemStatus, Option<Spot>) {
        let last = self.column(status).filter(|card| *card != name).last();
        (status, last.map(|last| Spot::Behind(last.clone())))
    }
}
