use api::{NewMove, WorkflowAccepted};
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::instances::find;
use super::{Json, Refusal};
use crate::app::App;
use crate::instances::moves::{self, view};
use crate::person::Program;

type Accepted = (StatusCode, axum::Json<WorkflowAccepted>);

pub(crate) async fn create(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(new): Json<NewMove>,
) -> Result<Accepted, Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = moves::request(&app, &instance, &new.home, &new.confirm, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn confirm(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<Accepted, Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = moves::confirm(&app, &instance, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<Accepted, Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = moves::request_back(&app, &instance, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

/// Where an instance lives, and how its last move stands.
pub(super) fn of(living: view::Living) -> (api::Home, Option<api::Move>) {
    let last = living.last.map(|last| api::Move {
        from: last.from.home(),
        to: last.to.home(),
        state: last.state,
        asked_by: last.asked_by,
        asked_at: last.asked_at,
        changed_at: last.changed_at,
        why: last.why,
    });
    (api::Home { name: living.home, label: living.label }, last)
}
