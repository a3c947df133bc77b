use api::{
    ChargeFailure, Invoice, InvoiceCredit, InvoiceLine, InvoiceState, NewPayment, NewRefund, Refund, WorkflowAccepted,
    WriteOff,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::CustomerId;
use serde::Deserialize;

use super::{Json, Listing, Query, Refusal, instances};
use crate::app::App;
use crate::billing::collection;
use crate::billing::invoices::store::Filter;
use crate::billing::invoices::{self, Issued};
use crate::billing::paper;
use crate::billing::payments::{self, Payment};
use crate::billing::refunds;
use crate::error::{AppError, refused};
use crate::person::Program;

/// Whose invoices, beside which part of the list.
#[derive(Deserialize)]
pub(crate) struct Whose {
    instance: Option<String>,
    customer: Option<String>,
}

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(whose): Query<Whose>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Invoice>>, Refusal> {
    let state = match listing.state.as_deref() {
        Some(word) => Some(invoices::InvoiceState::parse(word).ok_or_else(|| {
            let next = "Use open, overdue, paid or written_off.";
            refused(422, &format!("{word:?} is not the state of an invoice"), next)
        })?),
        None => None,
    };
    let instance = match &whose.instance {
        Some(reference) => Some(instances::find(&app, reference).await?.id),
        None => None,
    };
    let customer = whose.customer.as_deref().map(CustomerId::parse).transpose().map_err(|error| {
        refused(422, &error.to_string(), "Give a customer's id; `spinoff customers list` shows all.")
    })?;
    let filter = Filter { instance, customer, state, before: listing.cursor.clone() };
    let today = invoices::day_of(app.clock.now());
    let found = invoices::store::list(&app.db, &filter, today, listing.limit()).await?;
    let data = found.into_iter().map(|issued| summary(&app, issued)).collect();
    Ok(listing.page(data, |invoice: &Invoice| invoice.number.clone()))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(number): Path<String>,
) -> Result<axum::Json<Invoice>, Refusal> {
    let (issued, document) = find(&app, &number).await?;
    let (lines, credits) = (lines(&document), credits(&document));
    let document = serde_json::to_value(&document).map_err(AppError::internal)?;
    let failures = collection::store::failures(&app.db, issued.customer, &number).await?;
    let charge_failures = failures.into_iter().map(failure).collect();
    Ok(axum::Json(Invoice { lines, credits, charge_failures, document: Some(document), ..summary(&app, issued) }))
}

pub(crate) async fn pdf(State(app): State<App>, _: Program, Path(number): Path<String>) -> Result<Response, Refusal> {
    let (issued, document) = find(&app, &number).await?;
    let instance = instances::find(&app, &issued.instance.to_string()).await?;
    Ok(paper::pdf(&app, &instance, &issued, &document).await?)
}

pub(crate) async fn csv(State(app): State<App>, _: Program, Path(number): Path<String>) -> Result<Response, Refusal> {
    Ok(paper::csv(&find(&app, &number).await?.1))
}

async fn find(app: &App, number: &str) -> Result<(Issued, billing::Invoice), AppError> {
    let mut connection = app.db.read().acquire().await?;
    let found = invoices::store::find(&mut connection, number).await?;
    found.ok_or_else(|| payments::no_invoice(number))
}

fn failure(failed: collection::ChargeFailure) -> ChargeFailure {
    ChargeFailure { amount: failed.amount, reason: failed.reason, failed_at: failed.failed_at }
}

pub(crate) async fn charge(
    State(app): State<App>,
    _: Program,
    Path(number): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let workflow_id = collection::again(&app, &number, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn pay(
    State(app): State<App>,
    _: Program,
    Path(number): Path<String>,
    Json(new): Json<NewPayment>,
) -> Result<axum::Json<Invoice>, Refusal> {
    let payment = Payment { amount: new.amount, reference: &new.reference, received: new.received_on };
    let issued = payments::pay(&app, &number, &payment, Program::NAME).await?;
    Ok(axum::Json(summary(&app, issued)))
}

pub(crate) async fn give_back(
    State(app): State<App>,
    _: Program,
    Path(number): Path<String>,
    Json(new): Json<NewRefund>,
) -> Result<axum::Json<Refund>, Refusal> {
    let wanted = refunds::NewRefund { amount: new.amount, reference: &new.reference, reason: &new.reason };
    Ok(axum::Json(refund(refunds::give_back(&app, &number, &wanted, Program::NAME).await?)))
}

pub(crate) async fn given_back(
    State(app): State<App>,
    _: Program,
    Path(number): Path<String>,
) -> Result<axum::Json<api::Page<Refund>>, Refusal> {
    let (issued, _) = find(&app, &number).await?;
    let all = refunds::store::of(&app.db, issued.customer, &number).await?;
    Ok(axum::Json(api::Page::whole(all.into_iter().map(refund).collect())))
}

fn refund(kept: refunds::Refund) -> Refund {
    Refund {
        reference: kept.reference,
        invoice: kept.invoice,
        amount: kept.amount,
        tax: kept.tax,
        reason: kept.reason,
        author: kept.author,
        requested_at: kept.requested_at,
        booked_at: kept.booked_at,
        withdrawn_at: kept.withdrawn_at,
        returned_at: kept.returned_at,
    }
}

pub(crate) async fn write_off(
    State(app): State<App>,
    _: Program,
    Path(number): Path<String>,
    Json(why): Json<WriteOff>,
) -> Result<axum::Json<Invoice>, Refusal> {
    let issued = payments::write_off(&app, &number, &why.reason, Program::NAME).await?;
    Ok(axum::Json(summary(&app, issued)))
}

fn summary(app: &App, issued: Issued) -> Invoice {
    let state = state(issued.state(invoices::day_of(app.clock.now())));
    Invoice {
        number: issued.number,
        customer_id: issued.customer,
        instance_id: issued.instance,
        period_start: issued.period.start().start(),
        period_end: issued.period.end().start(),
        issued_on: issued.issued,
        due_on: issued.due,
        currency: issued.currency,
        total: issued.total,
        amount_due: issued.amount_due,
        outstanding: issued.outstanding,
        state,
        lines: Vec::new(),
        credits: Vec::new(),
        charge_failures: Vec::new(),
        document: None,
    }
}

fn state(stands: invoices::InvoiceState) -> InvoiceState {
    match stands {
        invoices::InvoiceState::Open => InvoiceState::Open,
        invoices::InvoiceState::Overdue => InvoiceState::Overdue,
        invoices::InvoiceState::Paid => InvoiceState::Paid,
        invoices::InvoiceState::WrittenOff => InvoiceState::WrittenOff,
    }
}

pub(super) fn lines(document: &billing::Invoice) -> Vec<InvoiceLine> {
    document.lines.iter().map(line).collect()
}

pub(super) fn credits(document: &billing::Invoice) -> Vec<InvoiceCredit> {
    let credit = |it: &billing::CreditLine| InvoiceCredit { description: it.description.clone(), amount: it.amount };
    document.credits.iter().map(credit).collect()
}

fn line(line: &billing::Line) -> InvoiceLine {
    use billing::LineKind;
    let kind = match line.kind {
        LineKind::BaseFee => "base_fee",
        LineKind::TrialHours => "trial_hours",
        LineKind::Hours => "hours",
        LineKind::LateHours => "late_hours",
    };
    InvoiceLine {
        kind: kind.to_owned(),
        description: line.description.clone(),
        quantity: line.quantity,
        unit: line.unit,
        amount: line.net,
        hours: line.hours.iter().map(|hour| hour.start()).collect(),
    }
}
