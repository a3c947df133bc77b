//! An operator moves an instance to another home, or decides about a move in its customer's place.

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use domain::HomeName;
use serde::Deserialize;

use super::instances::find;
use crate::app::App;
use crate::error::refused;
use crate::instances::moves;
use crate::person::Supporter;
use crate::site::PageError;
use crate::text::capital;

/// Where to, and the subdomain, to say that it is meant.
#[derive(Deserialize)]
pub(crate) struct MoveTo {
    #[serde(default)]
    home: String,
    #[serde(default)]
    confirmation: String,
}

pub(crate) async fn request(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(form): Form<MoveTo>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    let home = HomeName::parse(&form.home)
        .map_err(|error| refused(422, &capital(&error.to_string()), "Go back and choose one of the list."))?;
    let workflow = moves::request(&app, &instance, &home, &form.confirmation, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

pub(crate) async fn confirm(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    let workflow = moves::confirm(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    let workflow = moves::request_back(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}
