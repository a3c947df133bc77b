use api::{CancelInstance, Cancellation, TakenBack};
use axum::extract::{Path, State};
use axum::response::Response;

use super::instances::find;
use super::{Json, Refusal};
use crate::analytics::leavings::Farewell;
use crate::app::App;
use crate::error::AppError;
use crate::instances::cancellation::{self, Outlook};
use crate::instances::{Instance, export};
use crate::person::Program;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<Cancellation>, Refusal> {
    let instance = find(&app, &reference).await?;
    Ok(axum::Json(view(&app, &instance).await?))
}

pub(crate) async fn request(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(asked): Json<CancelInstance>,
) -> Result<axum::Json<Cancellation>, Refusal> {
    let instance = find(&app, &reference).await?;
    let farewell = Farewell::of(asked.reason, asked.comment.as_deref());
    cancellation::request(&app, &instance, &asked.confirm, &farewell, Program::NAME).await?;
    Ok(axum::Json(view(&app, &instance).await?))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<TakenBack>, Refusal> {
    let instance = find(&app, &reference).await?;
    let taken_back = cancellation::take_back(&app, &instance, Program::NAME).await?;
    Ok(axum::Json(TakenBack { instance_id: instance.id, returned: taken_back == ::billing::TakenBack::Back }))
}

pub(crate) async fn download(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<Response, Refusal> {
    let instance = find(&app, &reference).await?;
    Ok(export::download(&app, &instance, Program::NAME).await?)
}

async fn view(app: &App, instance: &Instance) -> Result<Cancellation, AppError> {
    let instead = app.drivers.compute.exports().err().map(str::to_owned);
    let kept = cancellation::of(app, instance).await?;
    if let Some(kept) = kept
        && let (Some(until), Some(kept_until)) = (kept.state.until(), kept.state.kept_until())
    {
        return Ok(Cancellation {
            instance_id: instance.id,
            stage: kept.state.as_str().to_owned(),
            ends_at: until.start(),
            kept_until,
            requested_at: Some(kept.requested_at),
            requested_by: Some(kept.requested_by),
            instead_of_download: instead,
        });
    }
    let outlook = Outlook::of(app, instance).await?;
    Ok(Cancellation {
        instance_id: instance.id,
        stage: "none".to_owned(),
        ends_at: outlook.until.start(),
        kept_until: outlook.kept_until,
        requested_at: None,
        requested_by: None,
        instead_of_download: instead,
    })
}
