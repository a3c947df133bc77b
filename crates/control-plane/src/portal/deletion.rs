use std::convert::Infallible;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::{InstanceState, LeavingReason, Month};
use futures_util::Stream;
use pages::{Area, ConfirmDelete, DeletionRecord, Progress, Purpose, RemovedRow, WhyLeaving};
use serde::Deserialize;
use workflow::WorkflowRecord;

use super::{owned, portal_url};
use crate::analytics::leavings::Farewell;
use crate::app::App;
use crate::error::AppError;
use crate::instances::delete::{Requested, Start};
use crate::instances::{self, Instance, delete, deletion};
use crate::person::Person;
use crate::site::progress::{follow, view};
use crate::site::{PageError, shell};
use crate::{members, usage};

/// Kinds of removed things whose names say where they were.
const NAMED_BY_PLACE: [&str; 4] = ["process", "data folder", "port", "project"];

/// What was typed to confirm that something ends, and why, where somebody said so.
#[derive(Deserialize)]
pub(crate) struct ConfirmForm {
    #[serde(default)]
    pub(super) confirmation: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    comment: String,
}

impl ConfirmForm {
    pub(super) fn farewell(&self) -> Farewell {
        Farewell::entered(&self.reason, &self.comment)
    }

    /// For the form, where it is shown again.
    pub(super) fn said(&self) -> WhyLeaving {
        WhyLeaving { reason: LeavingReason::parse(&self.reason).ok(), comment: self.comment.clone() }
    }
}

pub(crate) async fn confirm(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    Ok(Html(question(&app, &person, &instance, None, WhyLeaving::default()).await?))
}

pub(crate) async fn request(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let (start, by) = (Start::InDueTime, person.email.as_str());
    match delete::request(&app, &instance, &form.confirmation, start, &form.farewell(), by).await {
        Ok(Requested::Begun(_)) => Ok(Redirect::to(&format!("{}/deletion", portal_url(&instance))).into_response()),
        Ok(Requested::Waits(_)) => Ok(Redirect::to(&portal_url(&instance)).into_response()),
        Err(AppError::Refused { status: StatusCode::UNPROCESSABLE_ENTITY, next_step, .. }) => {
            let html = question(&app, &person, &instance, Some(next_step), form.said()).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Who clicks twice has it once.
pub(crate) async fn take_back(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let is_in_use = matches!(instance.state, InstanceState::Active | InstanceState::Suspended);
    if !is_in_use || deletion::of(&app, &instance).await?.is_some() {
        deletion::take_back(&app, &instance, person.email.as_str()).await?;
    }
    Ok(Redirect::to(&portal_url(&instance)))
}

/// The deletion under way, or the record of what was removed. One that waits stands on the workspace's page.
pub(crate) async fn progress(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    match instance.state {
        InstanceState::Deleted => return Ok(Html(record(&app, &person, &instance).await?).into_response()),
        InstanceState::Active | InstanceState::Suspended => {
            return Ok(Redirect::to(&portal_url(&instance)).into_response());
        }
        _ => {}
    }
    let record = deletion_of(&app, &instance).await?;
    let page = Progress {
        shell: shell(&app, Area::Portal, "Removing your workspace", Some(&person)),
        purpose: Purpose::Delete,
        hostname: app.shown_hostname(&instance.subdomain),
        events_url: format!("{}/deletion/events", portal_url(&instance)),
        view: view(&app, &record, &instance),
        mail_to: Some(instance.customer_email),
        mailbox_url: app.settings.mailbox.then(|| "/mailbox".to_owned()),
        cancel_url: None,
    };
    Ok(Html(page.render()).into_response())
}

pub(crate) async fn events(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let record = deletion_of(&app, &instance).await?;
    Ok(follow(app, record.id))
}

async fn deletion_of(app: &App, instance: &Instance) -> Result<WorkflowRecord, AppError> {
    let all = workflow::of_subject(&app.db, &instance.id.to_string()).await?;
    let latest = all.into_iter().find(|record| record.kind == delete::KIND).ok_or(AppError::NotFound)?;
    workflow::find(&app.db, &latest.id).await?.ok_or(AppError::NotFound)
}

async fn question(
    app: &App,
    person: &Person,
    instance: &Instance,
    error: Option<String>,
    said: WhyLeaving,
) -> Result<String, AppError> {
    let used = usage::of_month(app, instance.id, Month::of(app.clock.now())).await?;
    let members = members::store::list(&app.db, instance.id).await?.len();
    let portal_url = portal_url(instance);
    let page = ConfirmDelete {
        shell: shell(app, Area::Portal, "Delete this workspace", Some(person)),
        subdomain: instance.subdomain.to_string(),
        hostname: app.shown_hostname(&instance.subdomain),
        members: u32::try_from(members).unwrap_or(u32::MAX),
        bill_so_far: app.settings.plan.price(used.bill.total),
        undo_days: app.settings.undo_days,
        why: said,
        error,
        action: format!("{portal_url}/delete"),
        back_url: portal_url,
    };
    Ok(page.render())
}

async fn record(app: &App, person: &Person, instance: &Instance) -> Result<String, AppError> {
    let removed = instances::store::removals(&app.db, instance.id).await?;
    let hostname = app.shown_hostname(&instance.subdomain);
    let row = |(removed, removed_at): (providers::Removed, jiff::Timestamp)| RemovedRow {
        // Where on the operator's machine it was is not the customer's to know.
        name: if NAMED_BY_PLACE.contains(&removed.kind.as_str()) { hostname.clone() } else { removed.name },
        what: removed.kind,
        removed_at,
    };
    let page = DeletionRecord {
        shell: shell(app, Area::Portal, "What was removed", Some(person)),
        hostname: app.shown_hostname(&instance.subdomain),
        requested_by: instance.deletion_requested_by.clone().unwrap_or_default(),
        completed_at: instance.changed_at,
        removed: removed.into_iter().map(row).collect(),
    };
    Ok(page.render())
}
