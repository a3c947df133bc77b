//! The public status page: what was seen of each part and when, what is wrong, what was, and how to hear of it.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::{Component, Impact, Verdict};
use jiff::{SignedDuration, Timestamp};
use pages::{Area, ComponentRow, Condition, IncidentView, Status, StatusCounts, StatusFeed, Subscription, UpdateView};
use providers::status_feed;
use serde::Deserialize;
use workflow::{Filter, WorkflowState};

use super::{PageError, shell};
use crate::app::App;
use crate::error::AppError;
use crate::health::{self, uptime, view};
use crate::incidents::subscribers::{self, Link};
use crate::incidents::{self, Incident};
use crate::instances::provision;
use crate::inventory::{self, Role, store::What};
use crate::mail;
use crate::person::Person;
use crate::pool::claim;
use crate::provider_status::{self, FRESH};

/// How long incidents are shown.
const SHOWN: SignedDuration = SignedDuration::from_hours(90 * 24);
const MOST_SHOWN: u32 = 100;
/// A watch that was kept no later than this says nothing about the present.
const WATCH_FRESH: SignedDuration = SignedDuration::from_mins(2);

pub(crate) async fn show(State(app): State<App>, person: Option<Person>) -> Result<Html<String>, PageError> {
    Ok(Html(page(&app, person.as_ref(), String::new(), None).await?.render()))
}

async fn page(app: &App, person: Option<&Person>, entered: String, error: Option<String>) -> Result<Status, AppError> {
    let incidents = incidents::store::shown(&app.db, app.clock.now() - SHOWN, MOST_SHOWN).await?;
    let counts = counts(app).await?;
    let components = components(app, counts, &incidents).await?;
    let (past, open): (Vec<_>, Vec<_>) =
        incidents.into_iter().map(incident_view).partition(|incident| incident.state.is_over());
    let uptime = view::table(uptime::of_all(app).await?);
    Ok(Status {
        shell: shell(app, Area::Site, "Status", person),
        components,
        open,
        past,
        counts,
        uptime,
        entered,
        error,
    })
}

/// How many instances are how; none where nobody watched lately.
async fn counts(app: &App) -> Result<Option<StatusCounts>, AppError> {
    let watched = health::store::last_watch(&app.db).await?;
    let watched = watched.filter(|at| app.clock.now().duration_since(*at) <= WATCH_FRESH);
    let Some(observed_at) = watched else { return Ok(None) };
    let all = health::store::counts(&app.db).await?;
    let number =
        |of: &[Verdict]| all.iter().filter(|(verdict, _)| of.contains(verdict)).map(|(_, number)| number).sum();
    Ok(Some(StatusCounts {
        answering: number(&[Verdict::Up, Verdict::Asleep]),
        starting: number(&[Verdict::Starting]),
        not_answering: number(&[Verdict::Down, Verdict::Unreachable]),
        unknown: number(&[Verdict::Unknown, Verdict::Suspended]),
        observed_at,
    }))
}

/// Each part as it was seen; what an open incident says of it is believed as well.
async fn components(
    app: &App,
    counts: Option<StatusCounts>,
    incidents: &[Incident],
) -> Result<Vec<ComponentRow>, AppError> {
    let mut rows = Vec::new();
    for component in Component::ALL {
        let told = incidents.iter().filter(|it| !it.state.is_over() && it.components.contains(&component));
        let told = told.map(|incident| match incident.impact {
            Impact::Minor => Condition::Degraded,
            Impact::Major | Impact::Critical => Condition::Broken,
        });
        let told = told.max();
        // Where nobody's status page is read, there is nothing to say of it but what an operator says.
        if component == Component::Providers && app.settings.watch.status_feeds.is_empty() && told.is_none() {
            continue;
        }
        let (seen, note, observed_at) = seen(app, component, counts).await?;
        let condition = told.map_or(seen, |told| told.max(seen));
        rows.push(ComponentRow { name: component.in_words().to_owned(), condition, note, observed_at });
    }
    Ok(rows)
}

/// What was seen of a part, and when.
type Glance = (Condition, Option<String>, Option<Timestamp>);

async fn seen(app: &App, component: Component, counts: Option<StatusCounts>) -> Result<Glance, AppError> {
    let now = app.clock.now();
    Ok(match component {
        // Whoever reads this was answered, from the store.
        Component::Site => (Condition::Fine, None, Some(now)),
        // Codes are mailed, so who can't get mail can't sign in.
        Component::SignIn | Component::Mail => {
            let refused = mail::store::refused_server(&app.db).await?.is_some();
            (if refused { Condition::Broken } else { Condition::Fine }, None, Some(now))
        }
        Component::Instances => of_instances(counts),
        Component::Provisioning => {
            let filter = Filter { state: Some(WorkflowState::Stuck), before: None, limit: 200 };
            let stuck = workflow::list(&app.db, &filter).await?;
            let is_stuck = stuck.iter().any(|record| [provision::KIND, claim::KIND].contains(&record.kind.as_str()));
            (if is_stuck { Condition::Degraded } else { Condition::Fine }, None, Some(now))
        }
        Component::Payments => {
            let looked = inventory::store::look(&app.db, Role::Payments, What::Inventory).await?;
            let condition = match (&looked.trouble, looked.seen_at) {
                (Some(_), _) => Condition::Degraded,
                (None, Some(_)) => Condition::Fine,
                (None, None) => Condition::Unknown,
            };
            (condition, None, looked.seen_at)
        }
        Component::Providers => of_providers(app).await?,
    })
}

fn of_instances(counts: Option<StatusCounts>) -> Glance {
    let Some(counts) = counts else { return (Condition::Unknown, None, None) };
    let answering = counts.answering + counts.starting;
    let condition = match (answering, counts.not_answering, counts.unknown) {
        (_, 0, 0) => Condition::Fine,
        (_, 0, _) => Condition::Unknown,
        (0, _, _) => Condition::Broken,
        _ => Condition::Degraded,
    };
    (condition, None, Some(counts.observed_at))
}

/// What the companies say of themselves; where nobody is asked, nothing is said for them.
async fn of_providers(app: &App) -> Result<Glance, AppError> {
    let now = app.clock.now();
    let mut said = provider_status::store::list(&app.db).await?;
    said.retain(|said| now.duration_since(said.at) <= FRESH);
    let Some(oldest) = said.iter().map(|said| said.at).min() else { return Ok((Condition::Unknown, None, None)) };
    let worst = said.iter().map(|said| said.condition).max();
    let condition = match worst {
        Some(status_feed::Condition::Fine | status_feed::Condition::Maintenance) | None => Condition::Fine,
        Some(status_feed::Condition::Minor) => Condition::Degraded,
        Some(status_feed::Condition::Major) => Condition::Broken,
    };
    let words: Vec<String> = said.iter().map(|said| format!("{}: {}", said.name, said.words)).collect();
    Ok((condition, Some(words.join("; ")), Some(oldest)))
}

/// An incident as visitors read it: without who wrote it.
pub(crate) fn incident_view(incident: Incident) -> IncidentView {
    let update = |update: incidents::Update| UpdateView { state: update.state, text: update.text, at: update.at };
    IncidentView {
        id: incident.id.to_string(),
        title: incident.title,
        impact: incident.impact,
        components: incident.components.iter().map(|component| component.in_words().to_owned()).collect(),
        state: incident.state,
        opened_at: incident.opened_at,
        resolved_at: incident.resolved_at,
        updates: incident.updates.into_iter().rev().map(update).collect(),
    }
}

pub(crate) async fn feed(State(app): State<App>) -> Result<Response, PageError> {
    let incidents = incidents::store::shown(&app.db, app.clock.now() - SHOWN, MOST_SHOWN).await?;
    let changed = incidents.iter().flat_map(|incident| incident.updates.iter().map(|update| update.at)).max();
    let feed = StatusFeed {
        product: app.settings.product.clone(),
        url: app.site_url("/status"),
        feed_url: app.site_url("/status/feed.atom"),
        updated_at: changed.unwrap_or(app.started_at),
        incidents: incidents.into_iter().map(incident_view).collect(),
    };
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed.render()).into_response())
}

/// Who wants to be told.
#[derive(Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    email: String,
}

pub(crate) async fn subscribe(
    State(app): State<App>,
    person: Option<Person>,
    Form(wish): Form<Wish>,
) -> Result<Response, PageError> {
    if let Err(error) = subscribers::ask(&app, &wish.email).await {
        let (status, ..) = error.describe();
        let why = error.about_what_was_entered()?;
        let page = page(&app, person.as_ref(), wish.email, Some(why)).await?;
        return Ok((status, Html(page.render())).into_response());
    }
    let text =
        "If that address was not written to lately, a mail is on its way to it. Confirm there that you meant it.";
    Ok(word(&app, person.as_ref(), "Look into your mailbox", text, None).into_response())
}

pub(crate) async fn confirm_subscription(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
) -> Result<Html<String>, PageError> {
    subscribers::find(&app, Link::Confirm, &token).await?.ok_or(AppError::NotFound)?;
    let action = ("Tell me".to_owned(), format!("/status/confirm/{token}"));
    let text = "You get a mail with each update of an incident, until you ask for no more.";
    Ok(word(&app, person.as_ref(), "Do you want to hear of incidents?", text, Some(action)))
}

pub(crate) async fn subscribed(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
) -> Result<Html<String>, PageError> {
    let subscriber = subscribers::find(&app, Link::Confirm, &token).await?.ok_or(AppError::NotFound)?;
    subscribers::confirm(&app, &subscriber).await?;
    Ok(word(&app, person.as_ref(), "You will hear of it", "Each mail has a link with which you stop them.", None))
}

pub(crate) async fn confirm_leaving(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
) -> Result<Html<String>, PageError> {
    let known = subscribers::find(&app, Link::Leave, &token).await?;
    let action = known.map(|_| ("No more mails".to_owned(), format!("/status/unsubscribe/{token}")));
    let text =
        if action.is_some() { "Your address is then forgotten." } else { "This address gets no mails from here." };
    Ok(word(&app, person.as_ref(), "No more mails about incidents?", text, action))
}

/// Also what mail programs post by themselves. Whoever left already has left.
pub(crate) async fn leave(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
) -> Result<(StatusCode, Html<String>), PageError> {
    if let Some(subscriber) = subscribers::find(&app, Link::Leave, &token).await? {
        subscribers::leave(&app, &subscriber).await?;
    }
    let text = "Your address was forgotten. You can ask for them again on the status page.";
    Ok((StatusCode::OK, word(&app, person.as_ref(), "You get no more mails", text, None)))
}

fn word(app: &App, person: Option<&Person>, title: &str, text: &str, action: Option<(String, String)>) -> Html<String> {
    let shell = shell(app, Area::Site, title, person);
    Html(Subscription { shell, title: title.to_owned(), text: text.to_owned(), action }.render())
}
