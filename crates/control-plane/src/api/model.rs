//! The included AI, as guards see it on behalf of their applications, and what was used of it, as the operator does.

use api::{ModelUsage, ModelUse};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use domain::{InstanceId, Micros, Month};
use serde::Deserialize;

use super::{Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::instances;
use crate::model::store::Used;
use crate::model::{Refused, relay, report};
use crate::person::{Guard, Program};

/// The instance whose guard asks; anybody else is told so in the form that clients of models read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking(InstanceId);

impl FromRequestParts<App> for Asking {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        match Guard::from_request_parts(parts, app).await {
            Ok(Guard(instance)) => Ok(Self(instance)),
            Err(Refusal(error)) => Err(error.into()),
        }
    }
}

pub(crate) async fn complete(
    State(app): State<App>,
    Asking(instance): Asking,
    request: Request,
) -> Result<Response, Refused> {
    relay::answer(&app, instance, request.into_body()).await
}

pub(crate) async fn index(State(app): State<App>, Asking(_): Asking) -> Result<axum::Json<serde_json::Value>, Refused> {
    relay::models(&app)
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
}

pub(crate) async fn usage(
    State(app): State<App>,
    _: Program,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<ModelUsage>, Refusal> {
    let month = match wanted.month.as_deref().filter(|text| !text.is_empty()) {
        None => Month::of(app.clock.now()),
        Some(text) => Month::parse(text).map_err(|error| refused(422, &error.to_string(), "Write it as 2026-11."))?,
    };
    let found = report::of_month(&app, month).await?;
    let mut instances = Vec::with_capacity(found.each.len());
    for used in found.each {
        instances.push(one(&app, used).await?);
    }
    let settings = app.model.as_ref().map(crate::model::ModelGateway::settings);
    Ok(axum::Json(ModelUsage {
        month,
        is_offered: settings.is_some(),
        allowance_micros: settings.map(|settings| settings.allowance.get()),
        total_micros: settings.and_then(|settings| settings.total).map(Micros::get),
        used_micros: found.used.get(),
        instances,
    }))
}

async fn one(app: &App, used: Used) -> Result<ModelUse, AppError> {
    let instance = instances::store::find(&app.db, used.instance).await?;
    Ok(ModelUse {
        instance_id: used.instance,
        project: instance.map(|instance| instance.project),
        model: used.model,
        calls: used.calls,
        uncounted_calls: used.uncounted,
        input_tokens: used.input,
        output_tokens: used.output,
        cost_micros: used.cost.get(),
    })
}
