//! The backups of an instance, for operators.

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::OperatorRole;

use super::instances::{Confirmation, find as find_instance};
use super::{Listing, console_shell};
use crate::app::App;
use crate::backups::pages::{Reading, find, list, question};
use crate::backups::{back_up, restore};
use crate::error::AppError;
use crate::person::{Person, Reader, Supporter};
use crate::site::PageError;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let instance = find_instance(&app, &id).await?;
    let reading = Reading {
        shell: console_shell(&app, "Backups", &person),
        back_url: console_url(&id),
        may_change: may_change(&person),
        is_operator: true,
        cursor: listing.cursor,
    };
    Ok(Html(list(&app, &instance, reading).await?.render()))
}

pub(crate) async fn request(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find_instance(&app, &id).await?;
    let workflow = back_up::request(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

pub(crate) async fn confirm_restore(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path((id, backup)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let instance = find_instance(&app, &id).await?;
    let around = (console_shell(&app, "Restore a backup", &person), console_url(&id));
    Ok(Html(question(&app, &instance, &backup, around, None).await?.render()))
}

pub(crate) async fn put_back(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path((id, backup)): Path<(String, String)>,
    Form(form): Form<Confirmation>,
) -> Result<Response, PageError> {
    let instance = find_instance(&app, &id).await?;
    let found = find(&app, &instance, &backup).await?;
    match restore::request(&app, &instance, found.id, form.typed(), person.email.as_str()).await {
        Ok(workflow) => Ok(Redirect::to(&format!("/admin/workflows/{workflow}")).into_response()),
        Err(AppError::Refused { status: StatusCode::UNPROCESSABLE_ENTITY, next_step, .. }) => {
            let around = (console_shell(&app, "Restore a backup", &person), console_url(&id));
            let page = question(&app, &instance, &backup, around, Some(next_step)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn console_url(id: &str) -> String {
    format!("/admin/instances/{id}")
}

fn may_change(person: &Person) -> bool {
    person.role >= Some(OperatorRole::Support)
}
