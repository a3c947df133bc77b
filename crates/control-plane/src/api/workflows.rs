use api::{Direction, Step, StepState, Workflow, WorkflowAccepted, WorkflowState};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::WorkflowId;
use workflow::{Filter, WorkflowRecord};

use super::{Listing, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::Program;
use crate::workflows;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Workflow>>, Refusal> {
    let state = match listing.state.as_deref() {
        Some(word) => Some(workflow::WorkflowState::parse(word).ok_or_else(|| {
            refused(422, &format!("{word:?} is not the state of a workflow"), "See /api/v1/openapi.json.")
        })?),
        None => None,
    };
    let filter = Filter { state, before: listing.cursor.clone(), limit: listing.limit() };
    let found = workflow::list(&app.db, &filter).await?;
    let data = found.iter().filter_map(|record| view(&app, record)).collect();
    Ok(listing.page(data, |workflow: &Workflow| workflow.id.to_string()))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Workflow>, Refusal> {
    let found = workflow::find(&app.db, &id).await?;
    Ok(axum::Json(found.and_then(|record| view(&app, &record)).ok_or(AppError::NotFound)?))
}

pub(crate) async fn retry(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let workflow_id = WorkflowId::parse(&id).map_err(|_| AppError::NotFound)?;
    workflows::retry(&app, &id, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn abandon(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let workflow_id = WorkflowId::parse(&id).map_err(|_| AppError::NotFound)?;
    workflows::abandon(&app, &id, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

/// `None` only for an id that no code of ours wrote.
fn view(app: &App, record: &WorkflowRecord) -> Option<Workflow> {
    let now = app.clock.now();
    let step = |step: &workflow::StepRecord| Step {
        name: step.name.clone(),
        direction: match step.direction {
            workflow::Direction::Do => Direction::Do,
            workflow::Direction::Undo => Direction::Undo,
        },
        state: match step.state {
            workflow::StepState::Started => StepState::Started,
            workflow::StepState::Done => StepState::Done,
            workflow::StepState::Failed => StepState::Failed,
            workflow::StepState::Waiting => StepState::Waiting,
        },
        attempts: step.attempts,
        error: step.error.clone(),
        started_at: step.started_at,
        finished_at: step.finished_at,
        duration_ms: u64::try_from(step.duration(now).as_millis()).ok(),
        requests: step.notes.iter().flat_map(|notes| notes.lines()).map(str::to_owned).collect(),
    };
    Some(Workflow {
        id: WorkflowId::parse(&record.id).ok()?,
        kind: record.kind.clone(),
        subject: record.subject.clone(),
        state: match record.state {
            workflow::WorkflowState::Running => WorkflowState::Running,
            workflow::WorkflowState::Undoing => WorkflowState::Undoing,
            workflow::WorkflowState::Done => WorkflowState::Done,
            workflow::WorkflowState::Failed => WorkflowState::Failed,
            workflow::WorkflowState::Stuck => WorkflowState::Stuck,
            workflow::WorkflowState::Abandoned => WorkflowState::Abandoned,
        },
        attempt: record.attempt,
        error: record.error.clone(),
        created_at: record.created_at,
        finished_at: record.finished_at,
        due_at: (!record.state.is_over()).then_some(record.due_at),
        steps: record.steps.iter().map(step).collect(),
    })
}
