use api::Dunning;
use axum::extract::{Path, State};
use domain::CustomerId;

use super::Refusal;
use super::ledgers::known;
use crate::app::App;
use crate::billing::dunning::{pause, view};
use crate::error::AppError;
use crate::person::Program;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Dunning>, Refusal> {
    let customer = known(&app, &id).await?;
    Ok(axum::Json(shown(&app, customer).await?))
}

pub(crate) async fn pause(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Dunning>, Refusal> {
    let customer = known(&app, &id).await?;
    pause::pause(&app, customer, Program::NAME).await?;
    Ok(axum::Json(shown(&app, customer).await?))
}

pub(crate) async fn unpause(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Dunning>, Refusal> {
    let customer = known(&app, &id).await?;
    pause::unpause(&app, customer, Program::NAME).await?;
    Ok(axum::Json(shown(&app, customer).await?))
}

async fn shown(app: &App, customer: CustomerId) -> Result<Dunning, AppError> {
    let view = view(app, customer).await?;
    let next = view.as_ref().and_then(|view| view.next);
    Ok(Dunning {
        customer_id: customer,
        stage: view.as_ref().map_or("current", |view| view.stage).to_owned(),
        now: view.as_ref().map_or("Nothing is owed that is due.", |view| view.now).to_owned(),
        since: view.as_ref().map(|view| view.since),
        next: next.map(|(what, _)| what.to_owned()),
        next_at: next.and_then(|(_, at)| at),
        paused: view.as_ref().is_some_and(|view| view.paused),
        disputed: view.as_ref().is_some_and(|view| view.disputed),
    })
}
