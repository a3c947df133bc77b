use api::{Alert, Page, SilenceAlert};
use axum::extract::{Path, State};

use super::{Json, Listing, Query, Refusal};
use crate::alerts::{self, change, store};
use crate::app::App;
use crate::error::refused;
use crate::person::Program;

const STATES: [&str; 4] = ["open", "acknowledged", "silenced", "resolved"];

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Alert>>, Refusal> {
    let state = listing.state.as_deref().unwrap_or_default();
    if !state.is_empty() && !STATES.contains(&state) {
        let next = format!("Use {}.", STATES.join(", "));
        return Err(refused(422, &format!("{state:?} is not the state of an alert"), &next).into());
    }
    let found = store::list(&app.db, state, listing.cursor.as_deref(), listing.limit()).await?;
    Ok(listing.page(found.into_iter().map(|alert| view(&app, alert)).collect(), |alert: &Alert| alert.id.to_string()))
}

pub(crate) async fn acknowledge(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Alert>, Refusal> {
    Ok(axum::Json(view(&app, change::acknowledge(&app, &id, Program::NAME).await?)))
}

pub(crate) async fn silence(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(wanted): Json<SilenceAlert>,
) -> Result<axum::Json<Alert>, Refusal> {
    let alert = change::silence(&app, &id, wanted.minutes, &wanted.reason, Program::NAME).await?;
    Ok(axum::Json(view(&app, alert)))
}

pub(crate) async fn resolve(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Alert>, Refusal> {
    Ok(axum::Json(view(&app, change::resolve(&app, &id, Program::NAME).await?)))
}

fn view(app: &App, alert: alerts::Alert) -> Alert {
    Alert {
        id: alert.id,
        kind: alert.kind.as_str().to_owned(),
        severity: alert.severity.as_str().to_owned(),
        state: alert.state.as_str().to_owned(),
        silenced_until: match alert.state {
            domain::AlertState::Silenced { until } => Some(until),
            _ => None,
        },
        what: alert.what,
        why: alert.why,
        url: app.site_url(&alert.path),
        first_seen_at: alert.first_seen_at,
        last_seen_at: alert.last_seen_at,
        seen: alert.seen,
        handled_by: alert.handled_by,
        note: alert.note,
    }
}
