use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, Redirect};
use domain::OperatorRole;
use pages::console::{AlertRow, ConsoleAlerts};
use serde::Deserialize;

use super::{Listing, PAGE, console_shell, next};
use crate::alerts::{Alert, change, store};
use crate::app::App;
use crate::person::{Reader, Supporter};
use crate::site::PageError;

const HERE: &str = "/admin/alerts";

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let resolved = listing.state.as_deref() == Some("resolved");
    let state = if resolved { "resolved" } else { "" };
    let found = store::list(&app.db, state, listing.cursor.as_deref(), PAGE).await?;
    let last = found.last().map(|alert| alert.id.to_string());
    let next = next(HERE, resolved.then_some("resolved"), last, found.len());
    let page = ConsoleAlerts {
        may_act: person.role >= Some(OperatorRole::Support),
        shell: console_shell(&app, "Alerts", &person),
        alerts: found.into_iter().map(row).collect(),
        resolved,
        next,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn acknowledge(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    change::acknowledge(&app, &id, person.email.as_str()).await?;
    Ok(Redirect::to(HERE))
}

/// For how long, and why.
#[derive(Deserialize)]
pub(crate) struct Silence {
    #[serde(default)]
    minutes: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn silence(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(wanted): Form<Silence>,
) -> Result<Redirect, PageError> {
    // What is no number is no time, and refused as such.
    let minutes = wanted.minutes.trim().parse().unwrap_or(0);
    change::silence(&app, &id, minutes, &wanted.reason, person.email.as_str()).await?;
    Ok(Redirect::to(HERE))
}

pub(crate) async fn resolve(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    change::resolve(&app, &id, person.email.as_str()).await?;
    Ok(Redirect::to(HERE))
}

fn row(alert: Alert) -> AlertRow {
    AlertRow {
        id: alert.id.to_string(),
        severity: alert.severity,
        what: alert.what,
        why: alert.why,
        url: alert.path,
        runbook: alert.kind.as_str().to_owned(),
        state: alert.state,
        first_seen_at: alert.first_seen_at,
        last_seen_at: alert.last_seen_at,
        seen: alert.seen,
        handled_by: alert.handled_by,
        note: alert.note,
    }
}
