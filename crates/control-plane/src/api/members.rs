use api::{Member, NewMember};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::Email;

use super::{Json, Refusal, instances::find};
use crate::app::App;
use crate::error::AppError;
use crate::members;
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<api::Page<Member>>, Refusal> {
    let instance = find(&app, &reference).await?;
    let members = members::store::list(&app.db, instance.id).await?;
    Ok(axum::Json(api::Page::whole(members.into_iter().map(view).collect())))
}

pub(crate) async fn add(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(new): Json<NewMember>,
) -> Result<(StatusCode, axum::Json<Member>), Refusal> {
    let instance = find(&app, &reference).await?;
    let member = members::invite(&app, &instance, &new.email, Program::NAME).await?;
    Ok((StatusCode::CREATED, axum::Json(view(member))))
}

pub(crate) async fn remove(
    State(app): State<App>,
    _: Program,
    Path((reference, email)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let instance = find(&app, &reference).await?;
    let email = Email::parse(&email).map_err(|_| AppError::NotFound)?;
    members::remove(&app, &instance, &email, Program::NAME).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(member: members::Member) -> Member {
    Member { email: member.email, role: member.role, added_at: member.added_at }
}
