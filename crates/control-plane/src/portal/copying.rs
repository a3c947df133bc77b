//! A customer orders a copy of a workspace.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::{BackupId, BackupState, Subdomain};
use pages::{Area, CopySource, CopyWorkspace};
use providers::payments::Collects;
use serde::Deserialize;

use super::{owned, portal_url};
use crate::app::App;
use crate::backups;
use crate::error::AppError;
use crate::instances::{Instance, copy};
use crate::person::Person;
use crate::site::{PageError, shell};
use crate::text::capital;

/// So many of the newest backups are offered.
const OFFERED: u32 = 50;

/// What a customer reads where nothing can be copied.
const NONE: &str = "Copies of single workspaces are not offered here. Write to us if you need one.";

/// The form as sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CopyForm {
    key: String,
    subdomain: String,
    backup: String,
}

/// Which backup is chosen from the start.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    backup: String,
}

pub(crate) async fn form(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Html<String>, PageError> {
    let source = owned(&app, &person, &subdomain).await?;
    let form = CopyForm { backup: chosen.backup, ..CopyForm::default() };
    Ok(Html(page(&app, &person, &source, &form, None).await?))
}

pub(crate) async fn order(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(form): Form<CopyForm>,
) -> Result<Response, PageError> {
    let source = owned(&app, &person, &subdomain).await?;
    let name = match Subdomain::parse(&form.subdomain) {
        Ok(name) => name,
        Err(error) => return refuse(&app, &person, &source, &form, capital(&error.to_string())).await,
    };
    let backup = match form.backup.as_str() {
        "" => None,
        chosen => Some(BackupId::parse(chosen).map_err(|_| AppError::NotFound)?),
    };
    let wanted = copy::Wanted {
        subdomain: name,
        backup,
        agreed: true,
        key: (!form.key.is_empty()).then(|| form.key.clone()),
        by: person.email.to_string(),
    };
    match copy::request(&app, &source, wanted).await {
        Ok(accepted) => {
            // By a page of ours: browsers let a form lead to nobody else's.
            let next = match app.drivers.payments.collects() {
                Collects::Form => format!("/signup/{}", accepted.workflow),
                Collects::Checkout => format!("/signup/{}/payment", accepted.workflow),
            };
            Ok(Redirect::to(&next).into_response())
        }
        Err(error) => {
            let told = error.about_what_was_entered()?;
            refuse(&app, &person, &source, &form, told).await
        }
    }
}

async fn refuse(
    app: &App,
    person: &Person,
    source: &Instance,
    form: &CopyForm,
    error: String,
) -> Result<Response, PageError> {
    let html = page(app, person, source, form, Some(error)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
}

async fn page(
    app: &App,
    person: &Person,
    source: &Instance,
    form: &CopyForm,
    error: Option<String>,
) -> Result<String, AppError> {
    let found = backups::store::list(&app.db, Some(source.id), None, OFFERED).await?;
    let kept = found.into_iter().filter(|backup| backup.state == BackupState::Kept).map(|backup| CopySource {
        is_chosen: backup.id.to_string() == form.backup,
        id: backup.id.to_string(),
        at: backup.begun_at,
    });
    let payments = &app.drivers.payments;
    let page = CopyWorkspace {
        shell: shell(app, Area::Portal, "Copy this workspace", Some(person)),
        hostname: app.shown_hostname(&source.subdomain),
        base_domain: app.shown_base_domain(),
        plan: app.settings.plan.clone(),
        card_entered_at: (payments.collects() == Collects::Checkout).then(|| capital(payments.name())),
        backups: kept.collect(),
        // Nothing was ordered under the old key, or something else was.
        key: hex::encode(app.entropy.bytes::<16>()),
        entered: form.subdomain.clone(),
        error,
        instead: backups::possible(app).err().map(|_| NONE.to_owned()),
        portal_url: portal_url(source),
    };
    Ok(page.render())
}
