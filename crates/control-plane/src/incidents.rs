//! What customers are told when something does not work: incidents with their updates, which are only ever added to.
//! Nothing about a single customer is named in them; that is for whoever writes them to see to.

pub(crate) mod store;
pub(crate) mod subscribers;
pub(crate) mod tell;

use axum::http::StatusCode;
use domain::{Component, Impact, IncidentId, IncidentState};
use jiff::Timestamp;

use crate::app::Core;
use crate::audit;
use crate::error::{AppError, refused};

const LONGEST_TITLE: usize = 120;
const LONGEST_TEXT: usize = 2000;

/// An incident with its updates, earliest first.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub id: IncidentId,
    pub title: String,
    pub impact: Impact,
    pub components: Vec<Component>,
    pub state: IncidentState,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub updates: Vec<Update>,
}

/// What was said at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub state: IncidentState,
    pub text: String,
    pub at: Timestamp,
    pub by: String,
}

/// What is said when an incident is opened.
#[derive(Debug, Clone)]
pub(crate) struct NewIncident {
    pub title: String,
    pub impact: Impact,
    pub components: Vec<Component>,
    pub text: String,
}

/// Opens an incident with its first update.
pub(crate) async fn open(core: &Core, new: &NewIncident, by: &str) -> Result<Incident, AppError> {
    let title = line(&new.title, LONGEST_TITLE, "A title")?;
    let text = line(&new.text, LONGEST_TEXT, "An update")?;
    let mut components = new.components.clone();
    components.sort();
    components.dedup();
    if components.is_empty() {
        let next = format!("Name one or more of {}.", Component::ALL.map(Component::as_str).join(", "));
        return Err(refused(422, "An incident is about something", &next));
    }
    let now = core.clock.now();
    let state = IncidentState::Investigating;
    let incident = Incident {
        id: IncidentId::new(now, core.entropy.bytes()),
        title,
        impact: new.impact,
        components,
        state,
        opened_at: now,
        resolved_at: None,
        updates: vec![Update { state, text, at: now, by: by.to_owned() }],
    };
    let mut tx = core.db.begin().await?;
    store::insert(&mut tx, &incident).await?;
    audit::record(&mut tx, core, by, "incident.opened", &incident.id.to_string(), &incident.title).await?;
    tx.commit().await?;
    Ok(incident)
}

/// Adds an update: how far it has come, and what is known.
pub(crate) async fn update(
    core: &Core,
    id: &str,
    told: IncidentState,
    text: &str,
    by: &str,
) -> Result<Incident, AppError> {
    let id = IncidentId::parse(id).map_err(|_| AppError::NotFound)?;
    let text = line(text, LONGEST_TEXT, "An update")?;
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let (before, number) = store::hold(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let state = before.after(told).map_err(|error| {
        refused(StatusCode::CONFLICT.as_u16(), &error.to_string(), "Open another one for what comes back.")
    })?;
    let update = Update { state, text, at: now, by: by.to_owned() };
    store::add(&mut tx, id, number, &update).await?;
    let action = if state.is_over() { "incident.resolved" } else { "incident.updated" };
    audit::record(&mut tx, core, by, action, &id.to_string(), &update.text).await?;
    tx.commit().await?;
    store::find(&core.db, id).await?.ok_or(AppError::NotFound)
}

fn line(text: &str, longest: usize, what: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > longest {
        let title = format!("{what} has from 1 to {longest} characters");
        return Err(refused(422, &title, "Say in a few plain words what customers notice."));
    }
    Ok(text.to_owned())
}
