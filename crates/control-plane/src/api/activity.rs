use api::{ActivityAccepted, ActivityReport, EmergencyReport, SignedMembers};
use axum::extract::State;

use super::{Json, Refusal};
use crate::app::App;
use crate::error::AppError;
use crate::person::Guard;
use crate::usage::report;
use crate::{emergencies, members};

pub(crate) async fn report(
    State(app): State<App>,
    Guard(instance): Guard,
    Json(report): Json<ActivityReport>,
) -> Result<axum::Json<ActivityAccepted>, Refusal> {
    let instance = report::accept(&app, instance, &report).await?;
    Ok(axum::Json(ActivityAccepted { members: sent(&members::signed_list_of(&app, &instance).await?) }))
}

pub(crate) async fn emergency(
    State(app): State<App>,
    Guard(instance): Guard,
    Json(report): Json<EmergencyReport>,
) -> Result<axum::Json<ActivityAccepted>, Refusal> {
    emergencies::accept(&app, instance, &report).await?;
    Ok(axum::Json(ActivityAccepted { members: signed(&app, instance).await? }))
}

pub(crate) async fn members(
    State(app): State<App>,
    Guard(instance): Guard,
) -> Result<axum::Json<SignedMembers>, Refusal> {
    Ok(axum::Json(signed(&app, instance).await?))
}

async fn signed(app: &App, instance: domain::InstanceId) -> Result<SignedMembers, AppError> {
    Ok(sent(&members::signed_list(app, instance).await?.ok_or(AppError::NotFound)?))
}

fn sent(list: &access::SignedMembers) -> SignedMembers {
    SignedMembers { payload: list.payload().to_owned(), signature: list.signature().to_owned() }
}
