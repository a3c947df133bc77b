//! What was spent to win customers: entered by whoever may act, read by every operator.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::{Cents, Month, OperatorRole};
use pages::console::{ConsoleSpend, SpendForm, SpendRow};
use serde::Deserialize;

use super::super::console_shell;
use crate::analytics::spend::{self, Entry, NewEntry};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::{Person, Reader, Supporter};
use crate::site::PageError;

const HERE: &str = "/admin/analytics/spend";

/// The form as sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Entered {
    #[serde(default)]
    key: String,
    #[serde(default)]
    month: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    purpose: String,
}

pub(crate) async fn index(State(app): State<App>, Reader(person): Reader) -> Result<Html<String>, PageError> {
    let month = Month::of(app.clock.now()).to_string();
    let form = SpendForm { key: new_key(&app), month, ..SpendForm::default() };
    Ok(Html(page(&app, &person, form, None).await?.render()))
}

/// Who sends the form twice has entered it once.
pub(crate) async fn add(
    State(app): State<App>,
    Supporter(person): Supporter,
    Form(entered): Form<Entered>,
) -> Result<Response, PageError> {
    let added = match read(&entered) {
        Ok(new) => spend::add(&app, &new, person.email.as_str()).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(_) => Ok(Redirect::to(HERE).into_response()),
        Err(error) => {
            let why = error.about_what_was_entered()?;
            let Entered { month, amount, purpose, .. } = entered;
            let form = SpendForm { key: new_key(&app), month, amount, purpose };
            let page = page(&app, &person, form, Some(why)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
    }
}

pub(crate) async fn take_back(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    spend::take_back(&app, &id, person.email.as_str()).await?;
    Ok(Redirect::to(HERE))
}

fn read(entered: &Entered) -> Result<NewEntry, AppError> {
    let month = Month::parse(entered.month.trim());
    let month = month.map_err(|error| refused(422, &error.to_string(), "Write it as 2026-11."))?;
    let amount = Cents::parse(&entered.amount);
    let amount = amount.map_err(|error| refused(422, &error.to_string(), "Enter 0 where nothing was spent."))?;
    let key = Some(entered.key.clone()).filter(|key| !key.is_empty());
    Ok(NewEntry { month, amount, purpose: entered.purpose.clone(), key })
}

async fn page(app: &App, person: &Person, form: SpendForm, error: Option<String>) -> Result<ConsoleSpend, AppError> {
    let found = spend::store::list(&app.db, None).await?;
    Ok(ConsoleSpend {
        shell: console_shell(app, "What was spent", person),
        currency: app.settings.plan.currency.clone(),
        may_act: person.role >= Some(OperatorRole::Support),
        form,
        error,
        entries: found.into_iter().map(row).collect(),
    })
}

fn row(entry: Entry) -> SpendRow {
    SpendRow {
        take_back_url: format!("{HERE}/{}/take-back", entry.id),
        month: entry.month,
        amount: entry.amount,
        purpose: entry.purpose,
        by: entry.entered_by,
        at: entry.entered_at,
        taken_back: entry.taken_back,
    }
}

fn new_key(app: &App) -> String {
    hex::encode(app.entropy.bytes::<16>())
}
