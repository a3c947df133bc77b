//! A workflow as a customer watches it: order and provisioning here, deletion in the portal.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse as _, Response};
use domain::{InstanceId, InstanceState, WorkflowId};
use futures_util::Stream;
use jiff::Timestamp;
use pages::{Area, Progress, ProgressState, ProgressStep, ProgressView, Purpose, StepState};
use workflow::{Direction, StepRecord, WorkflowRecord, WorkflowState};

use super::{PageError, order, shell};
use crate::app::App;
use crate::error::AppError;
use crate::instances::{self, Instance, delete, provision};
use crate::person::Person;
use crate::pool::claim;
use crate::signup::checkout;

/// Between two looks when no change was announced: another replica may do the work.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whoever knows a workflow's id, 80 bits of chance, may watch it: the page holds nothing secret.
pub(crate) async fn page(
    State(app): State<App>,
    person: Option<Person>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (record, instance) = find(&app, &id).await?;
    if record.kind == checkout::KIND {
        return Ok(order::page(&app, person.as_ref(), record, instance).await?);
    }
    let view = view(&app, &record, &instance);
    let page = Progress {
        shell: shell(&app, Area::Site, "Making your workspace", person.as_ref()),
        purpose: Purpose::Provision,
        hostname: app.shown_hostname(instance.chosen()),
        events_url: format!("/signup/{id}/events"),
        view,
        mail_to: Some(instance.customer_email),
        mailbox_url: app.settings.mailbox.then(|| "/mailbox".to_owned()),
        cancel_url: None,
    };
    Ok(Html(page.render()).into_response())
}

pub(crate) async fn events(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, PageError> {
    find(&app, &id).await?;
    Ok(follow(app, id))
}

/// The workflow with the instance it works on; only those that customers watch.
pub(crate) async fn find(app: &App, id: &str) -> Result<(WorkflowRecord, Instance), AppError> {
    let id = WorkflowId::parse(id).map_err(|_| AppError::NotFound)?;
    let record = workflow::find(&app.db, &id.to_string()).await?.ok_or(AppError::NotFound)?;
    if ![checkout::KIND, provision::KIND, claim::KIND, delete::KIND].contains(&record.kind.as_str()) {
        return Err(AppError::NotFound);
    }
    let instance = InstanceId::parse(&record.subject).map_err(|_| AppError::NotFound)?;
    let instance = instances::store::find(&app.db, instance).await?.ok_or(AppError::NotFound)?;
    Ok((record, instance))
}

/// Sends the view whenever it changes, until the workflow is over.
pub(crate) fn follow(app: App, id: String) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = app.engine.changes();
    let start = (app, id, changes, None::<String>, false);
    let stream = futures_util::stream::unfold(start, |(app, id, mut changes, last, over)| async move {
        if over {
            return None;
        }
        loop {
            changes.mark_unchanged();
            let (record, instance) = find(&app, &id).await.ok()?;
            let view = live_view(&app, &record, &instance).await.ok()?;
            let over = matches!(view.state, ProgressState::Done | ProgressState::Failed | ProgressState::Stuck);
            let json = view.json();
            if last.as_ref() != Some(&json) {
                let event = Event::default().event("progress").data(&json);
                return Some((Ok(event), (app, id, changes, Some(json), over)));
            }
            // A change that comes between the look and this wait is seen by the wait.
            let _ = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

async fn live_view(app: &App, record: &WorkflowRecord, instance: &Instance) -> Result<ProgressView, AppError> {
    if record.kind == checkout::KIND {
        return order::view(app, record, instance).await;
    }
    Ok(view(app, record, instance))
}

/// How far a workflow is, in the customer's words.
pub(crate) fn view(app: &App, record: &WorkflowRecord, instance: &Instance) -> ProgressView {
    let deleting = record.kind == delete::KIND;
    let known = match record.kind.as_str() {
        delete::KIND => delete::STEPS.to_vec(),
        claim::KIND => claim::STEPS.to_vec(),
        _ => provision::steps_of(instance),
    };
    let now = app.clock.now();
    let steps = known.iter().map(|(name, label)| step(name, label, record, now)).collect();
    let (state, message) = match record.state {
        WorkflowState::Running => (ProgressState::Running, String::new()),
        WorkflowState::Undoing => {
            (ProgressState::Undoing, "Something failed for good. We are taking back what was made.".to_owned())
        }
        WorkflowState::Done => (ProgressState::Done, moving_on(app, instance)),
        WorkflowState::Failed => (ProgressState::Failed, provision::what_failed(record.error.as_deref())),
        WorkflowState::Stuck | WorkflowState::Abandoned => (ProgressState::Stuck, String::new()),
    };
    let url = (record.state == WorkflowState::Done).then(|| {
        if deleting {
            format!("/portal/instances/{}/deletion", instance.subdomain)
        } else {
            app.instance_url(&instance.subdomain)
        }
    });
    ProgressView { state, steps, url, pay_url: None, message }
}

/// Who started on a workspace that was made ahead is told when their own name counts.
fn moving_on(app: &App, instance: &Instance) -> String {
    let Some(next) = instance.next_subdomain.as_ref().filter(|_| instance.state == InstanceState::Active) else {
        return String::new();
    };
    let (now, soon) = (app.shown_hostname(&instance.subdomain), app.shown_hostname(next));
    format!("You start at {now}. {soon} takes over by itself when it is connected, mostly within 20 minutes.")
}

pub(super) fn step(name: &str, label: &str, record: &WorkflowRecord, now: Timestamp) -> ProgressStep {
    let found = record.steps.iter().find(|step| step.direction == Direction::Do && step.name == name);
    let over = record.state != WorkflowState::Running;
    ProgressStep {
        name: name.to_owned(),
        label: label.to_owned(),
        state: found.map_or(StepState::Waiting, |step| step_state(step, over)),
        attempts: found.map_or(0, |step| step.attempts),
        duration_ms: found.and_then(|step| u64::try_from(step.duration(now).as_millis()).ok()),
        // What exactly went wrong is for the operator: it may name what customers need not know.
        error: found.and_then(|step| said_of(step, over)),
    }
}

fn said_of(step: &StepRecord, over: bool) -> Option<String> {
    match step.state {
        // Written for customers to read, unlike what a failure says.
        workflow::StepState::Waiting if !over => step.error.clone(),
        workflow::StepState::Failed if over => Some("This did not succeed.".to_owned()),
        workflow::StepState::Failed => Some("This did not succeed yet; it is tried again.".to_owned()),
        _ => None,
    }
}

/// A failed step of a workflow that goes on will be tried again, so it is still under way.
pub(crate) fn step_state(step: &StepRecord, over: bool) -> StepState {
    match step.state {
        workflow::StepState::Done => StepState::Done,
        _ if over => StepState::Failed,
        workflow::StepState::Started | workflow::StepState::Failed | workflow::StepState::Waiting => StepState::Running,
    }
}
