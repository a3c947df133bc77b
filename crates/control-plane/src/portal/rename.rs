use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Form, Json};
use domain::Subdomain;
use pages::{Availability, Renaming};
use serde::Deserialize;
use workflow::StepState;

use super::{Around, owned, page, portal_url};
use crate::app::App;
use crate::error::AppError;
use crate::instances::{self, Instance, names, rename};
use crate::person::Person;
use crate::site::PageError;
use crate::text::capital;
use crate::workflows;

/// So long an answer waits: on one machine the new address answers by then.
const TO_MOVE: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    subdomain: String,
}

/// Whether a name may be had, as [`crate::site::signup::availability`]; those that the workspace had may.
pub(crate) async fn availability(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Availability>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let hostname = |name: &str| format!("{name}.{}", app.shown_base_domain());
    let answer = match names::check(&app, &wanted.subdomain, Some(instance.id)).await? {
        Ok(name) if name == instance.subdomain => {
            let message = format!("{} is its address now", hostname(name.as_str()));
            Availability { available: false, message, hostname: hostname(name.as_str()) }
        }
        Ok(name) => Availability {
            available: true,
            message: format!("{} is free", hostname(name.as_str())),
            hostname: hostname(name.as_str()),
        },
        Err(message) => Availability { available: false, message, hostname: hostname(wanted.subdomain.trim()) },
    };
    Ok(Json(answer))
}

pub(crate) async fn request(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(form): Form<Wanted>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let to = match Subdomain::parse(&form.subdomain) {
        Ok(to) => to,
        Err(error) => return refuse(&app, &person, &instance, form, capital(&error.to_string())).await,
    };
    match rename::request(&app, &instance, &to, person.email.as_str()).await {
        Ok(workflow) => {
            workflows::settled(&app, workflow, TO_MOVE).await?;
            let now = instances::store::find(&app.db, instance.id).await?.ok_or(AppError::NotFound)?;
            Ok(Redirect::to(&format!("{}#address", portal_url(&now))).into_response())
        }
        Err(AppError::Refused { title, next_step, .. }) => {
            refuse(&app, &person, &instance, form, format!("{title}. {next_step}")).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refuse(
    app: &App,
    person: &Person,
    instance: &Instance,
    form: Wanted,
    error: String,
) -> Result<Response, PageError> {
    let around = Around { wanted_name: form.subdomain, name_error: Some(error), ..Around::default() };
    let html = page(app, person, instance, around).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
}

/// What the page of an instance says of its address.
pub(super) async fn view(app: &App, instance: &Instance, around: &Around) -> Result<Renaming, AppError> {
    Ok(Renaming {
        base_domain: app.shown_base_domain(),
        moving_to: instance.next_subdomain.as_ref().map(|next| app.shown_hostname(next)),
        doing: if instance.next_subdomain.is_some() { doing(app, instance).await? } else { None },
        entered: around.wanted_name.clone(),
        error: around.name_error.clone(),
    })
}

/// What is being done at this moment, in words for the customer.
async fn doing(app: &App, instance: &Instance) -> Result<Option<String>, AppError> {
    let all = workflow::of_subject(&app.db, &instance.id.to_string()).await?;
    let Some(moving) = all.into_iter().find(|record| record.kind == rename::KIND) else { return Ok(None) };
    let Some(record) = workflow::find(&app.db, &moving.id).await? else { return Ok(None) };
    let current = record.steps.iter().rev().find(|step| step.state != StepState::Done);
    Ok(current.and_then(|step| match &step.error {
        // Written for customers to read, unlike what a failure says.
        Some(why) if step.state == StepState::Waiting => Some(capital(why)),
        _ => rename::STEPS.iter().find(|(name, _)| *name == step.name).map(|(_, label)| (*label).to_owned()),
    }))
}
