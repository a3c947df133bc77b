use ::api::Analytics;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{Query, Refusal};
use crate::analytics::{csv, report};
use crate::app::App;
use crate::costs::margins;
use crate::person::Program;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Analytics>, Refusal> {
    let month = margins::wanted(&app, wanted.month.as_deref())?;
    Ok(axum::Json(report::of_month(&app, month).await?))
}

pub(crate) async fn as_csv(
    State(app): State<App>,
    _: Program,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let month = margins::wanted(&app, wanted.month.as_deref())?;
    let table = csv::of(&report::of_month(&app, month).await?);
    Ok(([(header::CONTENT_TYPE, csv::CONTENT_TYPE)], table).into_response())
}
