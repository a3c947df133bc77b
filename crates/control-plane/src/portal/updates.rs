//! What a customer sees, and decides, of the updates of a workspace.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::InstanceState;
use fleet::{Stage, UpdateRules, Window};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use pages::{ComingUpdate, PastUpdateRow, UpdatesView, WEEKDAYS, WindowForm};
use serde::Deserialize;

use super::{Around, owned, portal_url};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::instances::Instance;
use crate::person::Person;
use crate::releases;
use crate::rollouts::agreement::{self, Changes};
use crate::rollouts::{store, units};
use crate::site::PageError;

/// So many of the updates that are over are shown.
const PAST: u32 = 6;

/// A form that was refused, as it was filled in.
#[derive(Debug)]
pub(crate) enum Refused {
    Window { days: Vec<Weekday>, from: String, hours: String, error: String },
    Deferral(String),
}

/// What the page of an instance says of its updates.
pub(super) async fn view(
    app: &App,
    instance: &Instance,
    refused: Option<Refused>,
) -> Result<Option<UpdatesView>, AppError> {
    if !matches!(instance.state, InstanceState::Active | InstanceState::Suspended) {
        return Ok(None);
    }
    let now = app.clock.now();
    let agreed = agreement::find(&app.db, instance.id).await?;
    let run = releases::store::run_since(&app.db, instance.id).await?;
    let (mut coming, mut past) = (None, Vec::new());
    for (rollout, unit) in store::of_instance(&app.db, instance.id, PAST).await? {
        let (version, state) = (rollout.version.to_string(), unit.state);
        if state.is_settled() {
            past.push(PastUpdateRow { version, state, at: unit.settled_at });
        } else {
            let release = releases::store::find(&app.db, rollout.release).await?;
            let notes = release.map_or_else(String::new, |release| release.made.notes);
            coming = Some(ComingUpdate { version, notes, state, opens_at: unit.opens_at.filter(|at| *at > now) });
        }
    }
    // Of our own instances nobody is told, so nothing counts from that.
    let announced =
        units::store::announced_at(&app.db, instance.id).await?.filter(|_| agreed.stage == Stage::Customers);
    let (mut window, mut defer_error) = (form(agreed.rules.window.clone()), None);
    match refused {
        Some(Refused::Window { days, from, hours, error }) => {
            window = WindowForm { days, from, hours, error: Some(error), ..window };
        }
        Some(Refused::Deferral(error)) => defer_error = Some(error),
        None => {}
    }
    Ok(Some(UpdatesView {
        runs: run.map(|(version, since)| (version.to_string(), since)),
        coming,
        deferred_until: agreed.rules.deferred_until.filter(|until| *until > now),
        most_days: most_days(announced, now),
        pinned_until: agreed.rules.pinned(now).map(|pin| pin.until),
        window,
        past,
        defer_error,
    }))
}

/// For how many whole days more updates can be put off.
fn most_days(announced: Option<Timestamp>, now: Timestamp) -> u8 {
    let end = announced.unwrap_or(now).min(now) + UpdateRules::LONGEST_DEFERRAL;
    u8::try_from(end.duration_since(now).as_hours() / 24).unwrap_or(0)
}

fn form(now: Option<Window>) -> WindowForm {
    let (days, from, hours) = match &now {
        Some(window) => (window.days().to_vec(), window.from_hour(), window.hours()),
        // What most would choose.
        None => (vec![Weekday::Saturday, Weekday::Sunday], 2, 4),
    };
    WindowForm { days, from: from.to_string(), hours: hours.to_string(), error: None, now }
}

/// Pairs, since each day that is ticked is sent as one of its own.
pub(crate) async fn choose_window(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned());
    let ticked = |(name, value): &(String, String)| {
        let day = WEEKDAYS.iter().find(|(word, ..)| word == value).map(|(.., day)| *day);
        day.filter(|_| name == "day")
    };
    let days: Vec<Weekday> = fields.iter().filter_map(ticked).collect();
    let (from, hours) = (field("from").unwrap_or_default(), field("hours").unwrap_or_default());
    let window = if field("at_any_time").is_some() { Ok(None) } else { read(&days, &from, &hours).map(Some) };
    let agreed = match window {
        Ok(window) => {
            let changes = Changes { window: Some(window), ..Changes::default() };
            agreement::agree(&app, &instance, changes, person.email.as_str()).await
        }
        Err(error) => Err(error),
    };
    match agreed {
        Ok(()) => Ok(back(&instance)),
        Err(error) => {
            let error = error.about_what_was_entered()?;
            again(&app, &person, &instance, Refused::Window { days, from, hours, error }).await
        }
    }
}

fn read(days: &[Weekday], from: &str, hours: &str) -> Result<Window, AppError> {
    let number = |text: &str, next: &str| {
        text.parse::<u8>().map_err(|_| refused(422, &format!("{text:?} is no number of hours"), next))
    };
    let from = number(from, "Enter the hour at which updates may begin, 0 to 23.")?;
    let hours = number(hours, "Enter for how many hours, 2 to 24.")?;
    Window::new(days, from, hours).map_err(|error| refused(422, &error.to_string(), "Choose other hours."))
}

/// For how many days updates are put off.
#[derive(Deserialize)]
pub(crate) struct PutOff {
    #[serde(default)]
    days: String,
}

pub(crate) async fn defer(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(form): Form<PutOff>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let until = match form.days.trim().parse::<u8>() {
        Ok(0) => Ok(None),
        Ok(days) => Ok(Some(app.clock.now() + SignedDuration::from_hours(24 * i64::from(days)))),
        Err(_) => Err(refused(422, &format!("{:?} is no number of days", form.days), "Choose one of the list.")),
    };
    let agreed = match until {
        Ok(until) => {
            let changes = Changes { deferred_until: Some(until), ..Changes::default() };
            agreement::agree(&app, &instance, changes, person.email.as_str()).await
        }
        Err(error) => Err(error),
    };
    match agreed {
        Ok(()) => Ok(back(&instance)),
        Err(error) => {
            let error = error.about_what_was_entered()?;
            again(&app, &person, &instance, Refused::Deferral(error)).await
        }
    }
}

fn back(instance: &Instance) -> Response {
    Redirect::to(&format!("{}#updates", portal_url(instance))).into_response()
}

async fn again(app: &App, person: &Person, instance: &Instance, refused: Refused) -> Result<Response, PageError> {
    let around = Around { updates: Some(refused), ..Around::default() };
    let html = super::page(app, person, instance, around).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
}
