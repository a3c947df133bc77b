//! A customer's backups: what there is, one more, and one put back.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use pages::Area;
use serde::Deserialize;

use super::deletion::ConfirmForm;
use super::{owned, portal_url};
use crate::app::App;
use crate::backups::pages::{Reading, find, list, question};
use crate::backups::{back_up, restore};
use crate::error::AppError;
use crate::person::Person;
use crate::site::{PageError, shell};

/// Which part of the list.
#[derive(Deserialize)]
pub(crate) struct Part {
    cursor: Option<String>,
}

pub(crate) async fn index(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Query(part): Query<Part>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let reading = Reading {
        shell: shell(&app, Area::Portal, "Backups", Some(&person)),
        back_url: portal_url(&instance),
        may_change: true,
        is_operator: false,
        cursor: part.cursor,
    };
    Ok(Html(list(&app, &instance, reading).await?.render()))
}

pub(crate) async fn request(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    back_up::request(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{}/backups", portal_url(&instance))))
}

pub(crate) async fn confirm_restore(
    State(app): State<App>,
    person: Person,
    Path((subdomain, backup)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let around = (shell(&app, Area::Portal, "Restore a backup", Some(&person)), portal_url(&instance));
    Ok(Html(question(&app, &instance, &backup, around, None).await?.render()))
}

pub(crate) async fn put_back(
    State(app): State<App>,
    person: Person,
    Path((subdomain, backup)): Path<(String, String)>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let found = find(&app, &instance, &backup).await?;
    match restore::request(&app, &instance, found.id, &form.confirmation, person.email.as_str()).await {
        Ok(_) => Ok(Redirect::to(&format!("{}/backups", portal_url(&instance))).into_response()),
        Err(AppError::Refused { status: StatusCode::UNPROCESSABLE_ENTITY, next_step, .. }) => {
            let around = (shell(&app, Area::Portal, "Restore a backup", Some(&person)), portal_url(&instance));
            let page = question(&app, &instance, &backup, around, Some(next_step)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
