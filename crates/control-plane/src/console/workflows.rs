use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use domain::WorkflowId;
use pages::console::{
    ConfirmWorkflowAction, ConsoleWorkflow, ConsoleWorkflows, WorkflowAction, WorkflowRow, WorkflowState as Shown,
    WorkflowStepRow,
};
use workflow::{Direction, Filter, WorkflowRecord, WorkflowState};

use super::{Listing, PAGE, console_shell, next};
use crate::app::App;
use crate::error::AppError;
use crate::person::{Person, Reader, Supporter};
use crate::site::PageError;
use crate::site::progress::step_state;
use crate::workflows;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let state = listing.state.as_deref().and_then(WorkflowState::parse);
    let filter = Filter { state, before: listing.cursor, limit: PAGE };
    let found = workflow::list(&app.db, &filter).await?;
    let last = found.last().map(|record| record.id.clone());
    let page = ConsoleWorkflows {
        shell: console_shell(&app, "Workflows", &person),
        filter: state.map(shown),
        next: next("/admin/workflows", state.map(WorkflowState::as_str), last, found.len()),
        workflows: workflow_rows(&app, &found).await?,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let (record, row) = find(&app, &id).await?;
    let page = ConsoleWorkflow {
        shell: console_shell(&app, &row.name, &person),
        steps: record.steps.iter().map(|step| step_row(&app, &record, step)).collect(),
        may_retry: matches!(record.state, WorkflowState::Running | WorkflowState::Undoing | WorkflowState::Stuck),
        may_abandon: matches!(record.state, WorkflowState::Running | WorkflowState::Stuck),
        workflow: row,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn confirm_retry(
    state: State<App>,
    Supporter(person): Supporter,
    id: Path<String>,
) -> Result<Html<String>, PageError> {
    confirm(state, &person, id, WorkflowAction::Retry).await
}

pub(crate) async fn confirm_abandon(
    state: State<App>,
    Supporter(person): Supporter,
    id: Path<String>,
) -> Result<Html<String>, PageError> {
    confirm(state, &person, id, WorkflowAction::Abandon).await
}

async fn confirm(
    State(app): State<App>,
    person: &Person,
    Path(id): Path<String>,
    action: WorkflowAction,
) -> Result<Html<String>, PageError> {
    let (_, workflow) = find(&app, &id).await?;
    let shell = console_shell(&app, &workflow.name, person);
    Ok(Html(ConfirmWorkflowAction { shell, action, workflow }.render()))
}

pub(crate) async fn retry(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    workflows::retry(&app, &id, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{id}")))
}

pub(crate) async fn abandon(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    workflows::abandon(&app, &id, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{id}")))
}

async fn find(app: &App, id: &str) -> Result<(WorkflowRecord, WorkflowRow), AppError> {
    let record = workflow::find(&app.db, id).await?.ok_or(AppError::NotFound)?;
    let current = record.steps.iter().rev().find(|step| step.state != workflow::StepState::Done);
    let row = workflow_row(app, &record, current.map(|step| step.name.clone())).await?;
    Ok((record, row))
}

pub(super) async fn workflow_rows(app: &App, records: &[WorkflowRecord]) -> Result<Vec<WorkflowRow>, AppError> {
    let mut rows = Vec::new();
    for record in records {
        rows.push(workflow_row(app, record, None).await?);
    }
    Ok(rows)
}

async fn workflow_row(app: &App, record: &WorkflowRecord, step: Option<String>) -> Result<WorkflowRow, AppError> {
    Ok(WorkflowRow {
        id: WorkflowId::parse(&record.id).map_err(AppError::internal)?,
        name: workflows::kind_in_words(&record.kind),
        subject: workflows::subject_in_words(app, &record.subject).await?,
        state: shown(record.state),
        step,
        started_at: record.created_at,
        ended_at: record.finished_at,
        error: record.error.clone(),
    })
}

fn step_row(app: &App, record: &WorkflowRecord, step: &workflow::StepRecord) -> WorkflowStepRow {
    let name = match step.direction {
        Direction::Do => step.name.clone(),
        Direction::Undo => format!("undo {}", step.name),
    };
    let over = record.state.is_over() || (record.state == WorkflowState::Undoing && step.direction == Direction::Do);
    WorkflowStepRow {
        name,
        state: step_state(step, over),
        attempts: step.attempts,
        started_at: Some(step.started_at),
        duration_ms: u64::try_from(step.duration(app.clock.now()).as_millis()).ok(),
        output: step.output.clone().filter(|output| output != "null"),
        error: step.error.clone(),
        requests: step.notes.iter().flat_map(|notes| notes.lines()).map(str::to_owned).collect(),
    }
}

fn shown(state: WorkflowState) -> Shown {
    match state {
        WorkflowState::Running => Shown::Running,
        WorkflowState::Undoing => Shown::Undoing,
        WorkflowState::Done => Shown::Done,
        WorkflowState::Failed => Shown::Failed,
        WorkflowState::Stuck => Shown::Stuck,
        WorkflowState::Abandoned => Shown::Abandoned,
    }
}
