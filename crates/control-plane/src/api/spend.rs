use ::api::{NewSpend, Spend};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use domain::Month;
use serde::Deserialize;

use super::{Json, Query, Refusal};
use crate::analytics::spend::{self, Entry, NewEntry};
use crate::app::App;
use crate::error::refused;
use crate::person::Program;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
}

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<::api::Page<Spend>>, Refusal> {
    let month = wanted.month.as_deref().filter(|text| !text.is_empty()).map(Month::parse).transpose();
    let month = month.map_err(|error| refused(422, &error.to_string(), "Write it as 2026-11."))?;
    let found = spend::store::list(&app.db, month).await?;
    Ok(axum::Json(::api::Page::whole(found.into_iter().map(view).collect())))
}

pub(crate) async fn add(
    State(app): State<App>,
    _: Program,
    headers: HeaderMap,
    Json(new): Json<NewSpend>,
) -> Result<axum::Json<Spend>, Refusal> {
    let key = headers.get(::api::IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let NewSpend { month, amount, purpose } = new;
    let entry = spend::add(&app, &NewEntry { month, amount, purpose, key }, Program::NAME).await?;
    Ok(axum::Json(view(entry)))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Spend>, Refusal> {
    Ok(axum::Json(view(spend::take_back(&app, &id, Program::NAME).await?)))
}

fn view(entry: Entry) -> Spend {
    let Entry { id, month, amount, purpose, entered_by, entered_at, taken_back } = entry;
    let (taken_back_at, taken_back_by) = taken_back.unzip();
    Spend { id, month, amount, purpose, entered_by, entered_at, taken_back_at, taken_back_by }
}
