use std::collections::BTreeMap;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::{Component, Impact, IncidentId, IncidentState, OperatorRole};
use pages::console::{ConsoleIncident, ConsoleIncidents, IncidentForm};
use serde::Deserialize;

use super::{Listing, PAGE, console_shell, next};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::incidents::{self, NewIncident};
use crate::person::{Person, Reader, Supporter};
use crate::site::PageError;
use crate::site::status::incident_view;

const HERE: &str = "/admin/incidents";

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let page = list(&app, &person, listing.cursor.as_deref(), IncidentForm::default(), None).await?;
    Ok(Html(page.render()))
}

async fn list(
    app: &App,
    person: &Person,
    before: Option<&str>,
    entered: IncidentForm,
    error: Option<String>,
) -> Result<ConsoleIncidents, AppError> {
    let found = incidents::store::list(&app.db, "", before, PAGE).await?;
    let last = found.last().map(|incident| incident.id.to_string());
    let next = next(HERE, None, last, found.len());
    Ok(ConsoleIncidents {
        shell: console_shell(app, "Incidents", person),
        incidents: found.into_iter().map(incident_view).collect(),
        may_act: may_act(person),
        error,
        entered,
        next,
    })
}

/// The form as it was filled in: beside its fields a box for each component.
pub(crate) async fn open(
    State(app): State<App>,
    Supporter(person): Supporter,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let entered = IncidentForm { title: field("title"), text: field("text") };
    let opened = match Impact::parse(&field("impact")) {
        Ok(impact) => {
            let components = Component::ALL.into_iter().filter(|it| fields.contains_key(it.as_str())).collect();
            let new = NewIncident { title: entered.title.clone(), impact, components, text: entered.text.clone() };
            incidents::open(&app, &new, person.email.as_str()).await
        }
        Err(error) => Err(refused(422, &error.to_string(), "Choose one of them.")),
    };
    match opened {
        Ok(incident) => Ok(Redirect::to(&format!("{HERE}/{}", incident.id)).into_response()),
        Err(error) => {
            let why = error.about_what_was_entered()?;
            let page = list(&app, &person, None, entered, Some(why)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    Ok(Html(one(&app, &person, &id, String::new(), None).await?.render()))
}

async fn one(
    app: &App,
    person: &Person,
    id: &str,
    entered: String,
    error: Option<String>,
) -> Result<ConsoleIncident, AppError> {
    let id = IncidentId::parse(id).map_err(|_| AppError::NotFound)?;
    let incident = incidents::store::find(&app.db, id).await?.ok_or(AppError::NotFound)?;
    let shell = console_shell(app, &incident.title, person);
    Ok(ConsoleIncident { shell, may_act: may_act(person), incident: incident_view(incident), error, entered })
}

/// How far it has come, and what is known.
#[derive(Deserialize)]
pub(crate) struct Said {
    #[serde(default)]
    state: String,
    #[serde(default)]
    text: String,
}

pub(crate) async fn update(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Response, PageError> {
    let told = match IncidentState::parse(&said.state) {
        Ok(state) => incidents::update(&app, &id, state, &said.text, person.email.as_str()).await,
        Err(error) => Err(refused(422, &error.to_string(), "Choose one of them.")),
    };
    match told {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/{id}")).into_response()),
        Err(error) => {
            let (status, ..) = error.describe();
            let why = error.about_what_was_entered()?;
            let page = one(&app, &person, &id, said.text, Some(why)).await?;
            Ok((status, Html(page.render())).into_response())
        }
    }
}

fn may_act(person: &Person) -> bool {
    person.role >= Some(OperatorRole::Support)
}
