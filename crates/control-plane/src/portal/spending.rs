//! How much a customer wants to spend: the forms on the page of bills, and what they do.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use billing::Cap;
use domain::{Cents, InstanceId};
use pages::{Area, BudgetForm, CapChoice, CapForm, ConfirmCap, Threshold};
use serde::Deserialize;

use super::{bills, owned, portal_url};
use crate::app::App;
use crate::billing::running::Running;
use crate::billing::spending::{self, THRESHOLDS};
use crate::error::{AppError, refused};
use crate::instances::Instance;
use crate::person::Person;
use crate::site::{PageError, shell};

/// Forms that were refused, as they were filled in.
#[derive(Default)]
pub(super) struct Refused {
    pub cap: Option<(Chosen, String)>,
    pub budget: Option<BudgetForm>,
    /// A coupon's code, and why it was refused.
    pub coupon: Option<(String, String)>,
}

/// The form for the cap, and the cap that holds.
pub(super) struct CapView {
    pub in_force: Option<Cap>,
    pub form: CapForm,
}

pub(super) async fn cap_form(
    app: &App,
    instance: InstanceId,
    running: Option<&Running>,
    refused: Option<(Chosen, String)>,
) -> Result<CapView, AppError> {
    let mut connection = app.db.read().acquire().await?;
    let in_force = spending::store::caps(&mut connection, instance).await?.now();
    let held = in_force.zip(running);
    let (hours, amount, chosen) = match in_force {
        Some(Cap::Hours(hours)) => (hours.to_string(), String::new(), CapChoice::Hours),
        Some(Cap::Spend(most)) => (String::new(), most.amount().to_string(), CapChoice::Money),
        None => (String::new(), String::new(), CapChoice::Uncapped),
    };
    let mut form = CapForm {
        now: held.map(|(cap, running)| spending::in_a_sentence(cap, &running.terms)),
        reached: held.is_some_and(|(cap, running)| spending::is_reached(cap, running)),
        chosen,
        hours,
        amount,
        error: None,
    };
    if let Some((entered, error)) = refused {
        form.chosen = CapChoice::parse(&entered.cap).unwrap_or(chosen);
        (form.hours, form.amount, form.error) = (entered.hours, entered.amount, Some(error));
    }
    Ok(CapView { in_force, form })
}

pub(super) async fn budget_form(
    app: &App,
    instance: InstanceId,
    refused: Option<BudgetForm>,
) -> Result<BudgetForm, AppError> {
    if let Some(form) = refused {
        return Ok(form);
    }
    let mut connection = app.db.read().acquire().await?;
    let budget = spending::store::budget(&mut connection, instance).await?;
    let told: Vec<u32> = match &budget {
        Some(budget) => budget.thresholds.iter().map(|rate| spending::percent(*rate)).collect(),
        None => THRESHOLDS.to_vec(),
    };
    let amount = budget.map_or_else(String::new, |budget| budget.amount.amount().to_string());
    Ok(form_of(amount, &told, None))
}

fn form_of(amount: String, told: &[u32], error: Option<String>) -> BudgetForm {
    let thresholds = THRESHOLDS.map(|percent| Threshold { percent, told: told.contains(&percent) });
    BudgetForm { amount, thresholds: thresholds.to_vec(), error }
}

/// A cap as it was entered.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    cap: String,
    #[serde(default)]
    hours: String,
    #[serde(default)]
    amount: String,
}

impl Chosen {
    fn value(&self) -> &str {
        match self.cap.as_str() {
            "hours" => self.hours.trim(),
            "money" => self.amount.trim(),
            _ => "",
        }
    }
}

fn read(choice: &str, value: &str) -> Result<Option<Cap>, AppError> {
    match CapChoice::parse(choice) {
        Some(CapChoice::Uncapped) => Ok(None),
        Some(CapChoice::Hours) => spending::hours(value).map(Some),
        Some(CapChoice::Money) => spending::money(value).map(Some),
        None => Err(refused(422, &format!("{choice:?} is no kind of cap"), "Choose hours, money or no cap.")),
    }
}

/// Says what a cap would mean, and sets nothing.
pub(crate) async fn confirm_cap(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let cap = match read(&chosen.cap, chosen.value()) {
        Ok(cap) => cap,
        Err(error) => {
            let refused = Refused { cap: Some((chosen, error.about_what_was_entered()?)), ..Refused::default() };
            return again(&app, &person, &instance, refused).await;
        }
    };
    let Some(running) = Running::of(&app, instance.id).await.map_err(AppError::from)? else {
        return Err(AppError::NotFound.into());
    };
    let bills_url = format!("{}/bills", portal_url(&instance));
    let page = ConfirmCap {
        shell: shell(&app, Area::Portal, "Spending cap", Some(&person)),
        hostname: app.shown_hostname(&instance.subdomain),
        chosen: CapChoice::parse(&chosen.cap).unwrap_or(CapChoice::Uncapped),
        value: chosen.value().to_owned(),
        meaning: match cap {
            Some(cap) => cap.in_words(&running.terms),
            None => "Your workspace stays open for as many hours as you use. You pay for each of them.".to_owned(),
        },
        reached_at_once: cap.is_some_and(|cap| spending::is_reached(cap, &running)),
        action: format!("{bills_url}/cap"),
        back_url: bills_url,
    };
    Ok(Html(page.render()).into_response())
}

/// A cap whose meaning was read.
#[derive(Deserialize)]
pub(crate) struct Confirmed {
    cap: String,
    #[serde(default)]
    value: String,
}

pub(crate) async fn set_cap(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(confirmed): Form<Confirmed>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let cap = read(&confirmed.cap, &confirmed.value)?;
    spending::set_cap(&app, instance.id, cap, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{}/bills#cap", portal_url(&instance))))
}

/// Pairs, since a part of the budget that is ticked is sent as one of its own.
pub(crate) async fn set_budget(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let amount = fields.iter().find(|(name, _)| name == "amount").map(|(_, value)| value.trim().to_owned());
    let amount = amount.unwrap_or_default();
    let told = fields.iter().filter(|(name, _)| name == "threshold").map(|(_, value)| value.parse().unwrap_or(0));
    let told: Vec<u32> = told.collect();
    match save_budget(&app, instance.id, &amount, &told, person.email.as_str()).await {
        Ok(()) => Ok(Redirect::to(&format!("{}/bills#budget", portal_url(&instance))).into_response()),
        Err(error) => {
            let form = form_of(amount, &told, Some(error.about_what_was_entered()?));
            again(&app, &person, &instance, Refused { budget: Some(form), ..Refused::default() }).await
        }
    }
}

async fn save_budget(app: &App, instance: InstanceId, amount: &str, told: &[u32], by: &str) -> Result<(), AppError> {
    let amount = match amount {
        "" => None,
        text => {
            let amount = Cents::parse(text);
            Some(amount.map_err(|error| refused(422, &error.to_string(), "Enter an amount such as 25.00."))?)
        }
    };
    spending::set_budget(app, instance, amount, told, by).await
}

pub(super) async fn again(
    app: &App,
    person: &Person,
    instance: &Instance,
    refused: Refused,
) -> Result<Response, PageError> {
    let html = bills::page(app, person, instance, None, refused).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
}
