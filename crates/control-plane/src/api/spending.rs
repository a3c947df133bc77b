use api::{Budget, Cap, NewBudget, NewCap, Spending};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::InstanceId;

use super::{Json, Refusal, instances::find};
use crate::app::App;
use crate::billing::running::Running;
use crate::billing::spending::{self, THRESHOLDS};
use crate::error::{AppError, refused};
use crate::person::Program;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<Spending>, Refusal> {
    let instance = find(&app, &reference).await?;
    let running = running(&app, instance.id).await?;
    let mut connection = app.db.read().acquire().await?;
    let cap = spending::store::caps(&mut connection, instance.id).await?.now();
    let budget = spending::store::budget(&mut connection, instance.id).await?;
    drop(connection);
    let forecast = running.forecast(cap).map_err(AppError::internal)?;
    let terms = &running.terms;
    Ok(axum::Json(Spending {
        instance_id: instance.id,
        currency: terms.plan.currency.to_string(),
        period_start: terms.period.start().start(),
        period_end: terms.period.end().start(),
        hours: forecast.hours,
        amount: forecast.amount,
        expected_hours: forecast.expected_hours,
        expected_amount: forecast.expected_amount,
        most_hours: forecast.most_hours,
        most_amount: terms.price_of(forecast.most_hours).map_err(AppError::internal)?,
        trial_until: running.trial_until(),
        cap: cap.map(|cap| cap_view(cap, &running)),
        budget: budget.as_ref().map(budget_view),
    }))
}

pub(crate) async fn set_cap(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(new): Json<NewCap>,
) -> Result<axum::Json<Cap>, Refusal> {
    let instance = find(&app, &reference).await?;
    let cap = read(&new)?;
    // What is answered is what was to be read before: the same for both.
    let view = cap_view(cap, &running(&app, instance.id).await?);
    if !new.dry_run {
        spending::set_cap(&app, instance.id, Some(cap), Program::NAME).await?;
    }
    Ok(axum::Json(view))
}

pub(crate) async fn remove_cap(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<StatusCode, Refusal> {
    let instance = find(&app, &reference).await?;
    spending::set_cap(&app, instance.id, None, Program::NAME).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn set_budget(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(new): Json<NewBudget>,
) -> Result<axum::Json<Budget>, Refusal> {
    let instance = find(&app, &reference).await?;
    let thresholds = new.thresholds.unwrap_or_else(|| THRESHOLDS.to_vec());
    spending::set_budget(&app, instance.id, Some(new.amount), &thresholds, Program::NAME).await?;
    let mut connection = app.db.read().acquire().await?;
    let kept = spending::store::budget(&mut connection, instance.id).await?.ok_or(AppError::NotFound)?;
    Ok(axum::Json(budget_view(&kept)))
}

pub(crate) async fn remove_budget(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<StatusCode, Refusal> {
    let instance = find(&app, &reference).await?;
    spending::set_budget(&app, instance.id, None, &[], Program::NAME).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn running(app: &App, instance: InstanceId) -> Result<Running, AppError> {
    Running::of(app, instance).await?.ok_or_else(spending::not_in_use)
}

fn read(new: &NewCap) -> Result<billing::Cap, AppError> {
    match (new.hours, new.amount) {
        (Some(hours), None) => spending::of_hours(hours),
        (None, Some(amount)) => spending::of_money(amount),
        _ => {
            let next = "Give either `hours` or `amount`; delete the cap to have none.";
            Err(refused(422, "A cap is a number of hours or an amount", next))
        }
    }
}

fn cap_view(cap: billing::Cap, running: &Running) -> Cap {
    let (hours, amount) = match cap {
        billing::Cap::Hours(hours) => (Some(hours), None),
        billing::Cap::Spend(most) => (None, Some(most.amount())),
    };
    Cap {
        hours,
        amount,
        hours_allowed: cap.hours_allowed(&running.terms),
        meaning: cap.in_words(&running.terms),
        reached: spending::is_reached(cap, running),
    }
}

fn budget_view(budget: &billing::Budget) -> Budget {
    let thresholds = budget.thresholds.iter().map(|rate| spending::percent(*rate)).collect();
    Budget { amount: budget.amount.amount(), thresholds }
}
