use ::api::{NewSuppression, Suppression};
use axum::extract::State;

use super::{Json, Listing, Query, Refusal};
use crate::app::App;
use crate::mail::suppressions::{self, Suppressed};
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<::api::Page<Suppression>>, Refusal> {
    let after = listing.cursor.clone().unwrap_or_default();
    let found = suppressions::store::list(&app.db, &after, listing.limit()).await?;
    Ok(listing.page(found.into_iter().map(view).collect(), |one: &Suppression| one.email.to_string()))
}

pub(crate) async fn add(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewSuppression>,
) -> Result<axum::Json<Suppression>, Refusal> {
    Ok(axum::Json(view(suppressions::add(&app, &new.email, Program::NAME).await?)))
}

fn view(found: Suppressed) -> Suppression {
    let Suppressed { email, since, asked_by } = found;
    Suppression { email, since, asked_by }
}
