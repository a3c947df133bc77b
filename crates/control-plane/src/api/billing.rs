use api::{BooksCheck, ClosePeriods, Closing, DryRun, InvoicePreview, WorkflowAccepted};
use axum::extract::State;
use axum::http::StatusCode;
use domain::Cents;

use super::{Json, Refusal};
use crate::app::App;
use crate::billing::preview::Preview;
use crate::billing::{books, closing, preview};
use crate::error::AppError;
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
