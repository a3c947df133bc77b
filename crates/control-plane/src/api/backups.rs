use api::{Backup, BackupProof, NewBackup, RestoreBackup, WorkflowAccepted};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::{BackupId, InstanceId, WorkflowId};
use serde::Deserialize;

use super::instances::find;
use super::{Json, Listing, Query, Refusal};
use crate::app::App;
use crate::backups::{self, back_up, proofs, restore};
use crate::error::AppError;
use crate::instances::{self, Instance};
use crate::person::Program;

/// Which backups.
#[derive(Deserialize)]
pub(crate) struct Of {
    instance: Option<String>,
}

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(of): Query<Of>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Backup>>, Refusal> {
    let instance: Option<InstanceId> = match &of.instance {
        Some(reference) => Some(find(&app, reference).await?.id),
        None => None,
    };
    let found = backups::store::list(&app.db, instance, listing.cursor.as_deref(), listing.limit()).await?;
    Ok(listing.page(found.into_iter().map(view).collect(), |backup| backup.id.to_string()))
}

pub(crate) async fn create(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewBackup>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let instance = find(&app, &new.instance).await?;
    let workflow_id = back_up::request(&app, &instance, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Backup>, Refusal> {
    Ok(axum::Json(view(of_anybody(&app, &id).await?.0)))
}

pub(crate) async fn put_back(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(confirmation): Json<RestoreBackup>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let (backup, instance) = of_anybody(&app, &id).await?;
    let workflow_id = restore::request(&app, &instance, backup.id, &confirmation.confirm, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn verify(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let (backup, instance) = of_anybody(&app, &id).await?;
    let workflow_id = proofs::request(&app, &instance, &backup, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn list_proofs(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<BackupProof>>, Refusal> {
    let found = proofs::store::list(&app.db, listing.cursor.as_deref(), listing.limit()).await?;
    let data = found.into_iter().map(|proof| {
        Ok(BackupProof {
            workflow_id: WorkflowId::parse(&proof.workflow).map_err(AppError::internal)?,
            backup_id: proof.backup,
            instance_id: proof.instance,
            begun_at: proof.begun_at,
            ended_at: proof.ended_at,
            proven: proof.is_proven,
            why_not: proof.why_not,
        })
    });
    let data = data.collect::<Result<Vec<_>, AppError>>()?;
    Ok(listing.page(data, |proof| proof.workflow_id.to_string()))
}

/// A backup with its instance: programs act for the operator.
async fn of_anybody(app: &App, id: &str) -> Result<(backups::Backup, Instance), AppError> {
    let id = BackupId::parse(id).map_err(|_| AppError::NotFound)?;
    let backup = backups::store::of_anybody(&app.db, id).await?.ok_or(AppError::NotFound)?;
    let instance = instances::store::find(&app.db, backup.instance).await?.ok_or(AppError::NotFound)?;
    Ok((backup, instance))
}

fn view(backup: backups::Backup) -> Backup {
    let held = backup.held.as_ref();
    Backup {
        id: backup.id,
        instance_id: backup.instance,
        reason: backup.reason,
        state: backup.state,
        version: backup.version,
        storage: backup.storage,
        place: backup.place,
        begun_at: backup.begun_at,
        expires_at: held.map(|held| held.expires_at),
        files: held.map(|held| held.files),
        content_bytes: held.map(|held| held.content_bytes),
        left_out: held.map(|held| held.left_out),
        bytes: held.map(|held| held.bytes),
        sha256: held.map(|held| held.sha256.clone()),
        trouble: backup.trouble,
        proven_at: backup.proven_at,
        restored_at: backup.restored_at,
    }
}
