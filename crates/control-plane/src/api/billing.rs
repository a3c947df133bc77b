use api::{
    BillPreview, BooksCheck, ChargeDifference, ClosePeriods, Closing, DryRun, InvoicePreview, Page, WorkflowAccepted,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::Cents;

use super::{Json, Listing, Query, Refusal, instances, invoices};
use crate::app::App;
use crate::billing::preview::Preview;
use crate::billing::{books, closing, comparison, preview};
use crate::error::{AppError, refused};
use crate::person::Program;

pub(crate) async fn close(
    State(app): State<App>,
    _: Program,
    Json(wanted): Json<ClosePeriods>,
) -> Result<(StatusCode, axum::Json<Closing>), Refusal> {
    if wanted.dry_run {
        let found = preview::preview(&app, wanted.month).await?;
        return Ok((StatusCode::OK, axum::Json(Closing::DryRun(dry_run(&app, &found)?))));
    }
    let workflow_id = closing::request(&app, wanted.month, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Closing::Begun(WorkflowAccepted { workflow_id }))))
}

pub(crate) async fn preview_bill(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<BillPreview>, Refusal> {
    let instance = instances::find(&app, &reference).await?;
    let found = preview::of_running(&app, instance.id).await?.ok_or_else(|| {
        let next = format!("`spinoff invoices list --instance {reference}` shows what was.");
        refused(409, "Nothing is charged for this instance now", &next)
    })?;
    let computed = found.invoice.as_ref().ok();
    Ok(axum::Json(BillPreview {
        currency: computed.map_or_else(|| app.settings.plan.currency.clone(), |it| it.currency.to_string()),
        lines: computed.map(invoices::lines).unwrap_or_default(),
        credits: computed.map(invoices::credits).unwrap_or_default(),
        invoice: view(&found),
    }))
}

pub(crate) async fn check(State(app): State<App>, _: Program) -> Result<axum::Json<BooksCheck>, Refusal> {
    let found = books::check(&app).await?;
    Ok(axum::Json(BooksCheck {
        invoices: found.invoices,
        transactions: found.transactions,
        owed: found.owed,
        currency: app.settings.plan.currency.clone(),
        problems: found.problems,
    }))
}

pub(crate) async fn differences(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<ChargeDifference>>, Refusal> {
    let is_open = match listing.state.as_deref() {
        None | Some("open") => true,
        Some("closed") => false,
        Some(word) => {
            let next = "Use open or closed.";
            return Err(refused(422, &format!("{word:?} is not the state of a difference"), next).into());
        }
    };
    let found = comparison::store::list(&app.db, is_open, super::MOST).await?;
    Ok(axum::Json(Page::whole(found.into_iter().map(difference).collect())))
}

fn difference(kept: comparison::Difference) -> ChargeDifference {
    ChargeDifference {
        invoice: kept.invoice,
        customer_id: kept.customer,
        what: kept.what,
        ours: kept.ours,
        theirs: kept.theirs,
        reason: kept.reason,
        since: kept.since,
        closed_at: kept.closed_at,
    }
}

fn dry_run(app: &App, found: &[Preview]) -> Result<DryRun, AppError> {
    let invoices: Vec<InvoicePreview> = found.iter().map(view).collect();
    let total = invoices.iter().try_fold(Cents::ZERO, |sum, invoice| sum.checked_add(invoice.total));
    let total = total.ok_or_else(|| AppError::internal(billing::OutOfRange))?;
    Ok(DryRun { invoices, total, currency: app.settings.plan.currency.clone() })
}

fn view(preview: &Preview) -> InvoicePreview {
    let invoice = preview.invoice.as_ref().ok();
    let previous = preview.previous.as_ref();
    InvoicePreview {
        customer_id: preview.service.customer,
        instance_id: preview.service.instance,
        period_start: invoice.map(|invoice| invoice.period.start().start()),
        period_end: invoice.map(|invoice| invoice.period.end().start()),
        hours: invoice.map_or(0, |invoice| invoice.hours().count()),
        total: invoice.map_or(Cents::ZERO, |invoice| invoice.total),
        amount_due: invoice.map_or(Cents::ZERO, |invoice| invoice.amount_due),
        previous_total: previous.map(|invoice| invoice.total),
        previous_hours: previous.map(|invoice| invoice.hours().count()),
        problem: preview.invoice.as_ref().err().cloned(),
    }
}
