use api::{Incident, IncidentUpdate, NewIncident, NewIncidentUpdate, Page};
use axum::extract::{Path, State};
use domain::{Component, Impact, IncidentId, IncidentState};

use super::{Json, Listing, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::incidents;
use crate::person::Program;

const CHOOSE: &str = "Use one of them.";

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Incident>>, Refusal> {
    let state = listing.state.as_deref().unwrap_or_default();
    if !state.is_empty() && state != "open" {
        IncidentState::parse(state).map_err(|error| refused(422, &error.to_string(), "Use one of them, or open."))?;
    }
    let found = incidents::store::list(&app.db, state, listing.cursor.as_deref(), listing.limit()).await?;
    Ok(listing.page(found.into_iter().map(view).collect(), |incident: &Incident| incident.id.to_string()))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Incident>, Refusal> {
    let id = IncidentId::parse(&id).map_err(|_| AppError::NotFound)?;
    Ok(axum::Json(view(incidents::store::find(&app.db, id).await?.ok_or(AppError::NotFound)?)))
}

pub(crate) async fn open(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewIncident>,
) -> Result<axum::Json<Incident>, Refusal> {
    let unknown = |error: domain::UnknownIncidentWord| refused(422, &error.to_string(), CHOOSE);
    let components = new.components.iter().map(|word| Component::parse(word).map_err(unknown));
    let new = incidents::NewIncident {
        title: new.title,
        impact: Impact::parse(&new.impact).map_err(unknown)?,
        components: components.collect::<Result<_, _>>()?,
        text: new.text,
    };
    Ok(axum::Json(view(incidents::open(&app, &new, Program::NAME).await?)))
}

pub(crate) async fn update(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(update): Json<NewIncidentUpdate>,
) -> Result<axum::Json<Incident>, Refusal> {
    let state = IncidentState::parse(&update.state).map_err(|error| refused(422, &error.to_string(), CHOOSE))?;
    Ok(axum::Json(view(incidents::update(&app, &id, state, &update.text, Program::NAME).await?)))
}

fn view(incident: incidents::Incident) -> Incident {
    let update = |update: incidents::Update| IncidentUpdate {
        state: update.state.as_str().to_owned(),
        text: update.text,
        at: update.at,
        author: update.by,
    };
    Incident {
        id: incident.id,
        title: incident.title,
        impact: incident.impact.as_str().to_owned(),
        components: incident.components.iter().map(|component| component.as_str().to_owned()).collect(),
        state: incident.state.as_str().to_owned(),
        opened_at: incident.opened_at,
        resolved_at: incident.resolved_at,
        updates: incident.updates.into_iter().map(update).collect(),
    }
}
