//! What came in, what is owed, and which hours are contested.

pub(crate) mod close;
pub(crate) mod invoice;
pub(crate) mod margins;
pub(crate) mod refund;

use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, Redirect};
use domain::{CustomerId, Month};
use pages::console::{
    ConsoleInvoiceRow, ConsoleInvoices, ConsoleMoney, ContestRow, CreditRow, DifferenceRow, DisputeRow,
    FailedPaymentRow, IssuedRow, MoneyFigures, OverdueRow,
};
use serde::Deserialize;

use super::{Listing, PAGE, console_shell, next};
use crate::app::App;
use crate::billing::collection::{self, ChargeFailure};
use crate::billing::contests::{self, ContestState};
use crate::billing::disputes::{self, words};
use crate::billing::dunning::{self, view::DunningView};
use crate::billing::figures::{self, Booked};
use crate::billing::invoices::store::Filter;
use crate::billing::invoices::{self, InvoiceState, Issued, day_of};
use crate::billing::{comparison, paper};
use crate::customers::name;
use crate::error::{AppError, refused};
use crate::person::{Reader, Supporter};
use crate::site::PageError;
use crate::{instances, usage};

/// So many days with invoices are shown.
const DAYS: u32 = 12;
/// So many disputes are shown that are over.
const ENDED: u32 = 10;
/// Where all invoices are listed; each is below it.
const HERE: &str = "/admin/money/invoices";

pub(crate) async fn index(State(app): State<App>, Reader(person): Reader) -> Result<Html<String>, PageError> {
    let now = app.clock.now();
    let (month, today) = (Month::of(now), day_of(now));
    let (figures, booked) = figures::of_month(&app.db, month, today).await.map_err(AppError::from)?;
    let overdue = Filter { state: Some(InvoiceState::Overdue), ..Filter::default() };
    let overdue = invoices::store::list(&app.db, &overdue, today, PAGE).await.map_err(AppError::from)?;
    let contested = contests::store::waiting(&app.db, PAGE).await.map_err(AppError::from)?;
    let issued = figures::store::issued_days(&app.db, DAYS).await.map_err(AppError::from)?;
    let page = ConsoleMoney {
        shell: console_shell(&app, "Money", &person),
        month,
        currency: app.settings.plan.currency.clone(),
        figures: MoneyFigures {
            invoiced: figures.invoiced,
            invoiced_before: figures.invoiced_before,
            received: figures.received,
            receivable: figures.receivable,
            overdue: figures.overdue,
        },
        contests: each(&app, contested, contest).await?,
        failed: failed(&app).await?,
        disputes: questioned(&app).await?,
        differences: differences(&app).await?,
        overdue: each(&app, overdue, late).await?,
        credits: each(&app, booked, credit).await?,
        issued: issued.into_iter().map(|(day, invoices, total)| IssuedRow { day, invoices, total }).collect(),
        close_url: "/admin/money/close".to_owned(),
    };
    Ok(Html(page.render()))
}

/// Turns everything that was found into a row of its own.
async fn each<Found, Row>(
    app: &App,
    found: Vec<Found>,
    row: impl AsyncFn(&App, Found) -> Result<Row, AppError>,
) -> Result<Vec<Row>, AppError> {
    let mut rows = Vec::with_capacity(found.len());
    for one in found {
        rows.push(row(app, one).await?);
    }
    Ok(rows)
}

async fn contest(app: &App, contest: contests::Contest) -> Result<ContestRow, AppError> {
    let instance = instances::store::find(&app.db, contest.instance).await?.ok_or(AppError::NotFound)?;
    let evidence = usage::store::evidence(&app.db, instance.id, contest.hour.month()).await?;
    let clock = |at: jiff::Timestamp| at.strftime("%H:%M").to_string();
    let seen = evidence.into_iter().filter(|entry| entry.hour == contest.hour).map(|entry| {
        let (first, last) = (clock(entry.first), clock(entry.last));
        format!("{}, {first} to {last}, seen {} times", entry.signal.in_words(), entry.count)
    });
    let seen: Vec<_> = seen.collect();
    let mut connection = app.db.read().acquire().await?;
    let billed = invoices::store::latest(&mut connection, instance.id, PAGE).await?;
    drop(connection);
    let lines = billed.iter().flat_map(|invoice| &invoice.lines);
    Ok(ContestRow {
        hour: contest.hour,
        customer: name(app, instance.customer).await?,
        customer_url: customer_url(instance.customer),
        hostname: app.shown_hostname(&instance.subdomain),
        evidence: if seen.is_empty() { "none is kept".to_owned() } else { seen.join("; ") },
        reason: contest.reason,
        at: contest.opened_at,
        worth: lines.clone().find(|line| line.hours.contains(contest.hour)).map(|line| line.unit),
        action: format!("/admin/money/contests/{}", contest.id),
    })
}

/// None where customers pay by hand.
async fn failed(app: &App) -> Result<Option<Vec<FailedPaymentRow>>, AppError> {
    if !app.drivers.payments.charges() {
        return Ok(None);
    }
    let found = collection::store::unsettled(&app.db, PAGE).await?;
    let row = async |app: &App, (customer, failure): (CustomerId, ChargeFailure)| {
        Ok(FailedPaymentRow {
            customer: name(app, customer).await?,
            customer_url: customer_url(customer),
            invoice_url: invoice_url(&failure.invoice),
            number: failure.invoice,
            amount: failure.amount,
            reason: failure.reason,
            at: failure.failed_at,
            next: match dunning::view(app, customer).await? {
                Some(view) if view.paused => "Paused by you.".to_owned(),
                Some(view) if view.disputed => "Waits for a bank to decide a dispute.".to_owned(),
                Some(DunningView { next: Some((what, Some(at))), .. }) => format!("{}: {what}", day_of(at)),
                _ => "Nothing by itself.".to_owned(),
            },
        })
    };
    each(app, found, row).await.map(Some)
}

/// None where customers pay by hand.
async fn questioned(app: &App) -> Result<Option<Vec<DisputeRow>>, AppError> {
    if !app.drivers.payments.charges() {
        return Ok(None);
    }
    let mut found = disputes::store::list(&app.db, true, PAGE).await?;
    found.extend(disputes::store::list(&app.db, false, ENDED).await?);
    let row = async |app: &App, kept: disputes::Kept| {
        let dispute = &kept.dispute;
        Ok(DisputeRow {
            customer: match kept.customer {
                Some(customer) => Some(name(app, customer).await?),
                None => None,
            },
            customer_url: kept.customer.map(customer_url).unwrap_or_default(),
            invoice_url: kept.invoice.as_deref().map(invoice_url).unwrap_or_default(),
            number: kept.invoice.clone(),
            amount: words::price(dispute),
            reason: words::reason(&dispute.reason),
            standing: words::standing(dispute.state).to_owned(),
            at: dispute.opened_at,
            due: dispute.evidence_due.filter(|_| !dispute.state.is_over()),
            next: words::next(&kept),
            fee: words::fee(dispute),
            url: dispute.url.clone(),
        })
    };
    each(app, found, row).await.map(Some)
}

/// None where customers pay by hand.
async fn differences(app: &App) -> Result<Option<Vec<DifferenceRow>>, AppError> {
    if !app.drivers.payments.charges() {
        return Ok(None);
    }
    let found = comparison::store::list(&app.db, true, PAGE).await?;
    let row = |kept: comparison::Difference| DifferenceRow {
        invoice_url: kept.customer.map(|_| invoice_url(&kept.invoice)),
        number: kept.invoice,
        reason: kept.reason,
        ours: kept.ours,
        theirs: kept.theirs,
        since: kept.since,
    };
    Ok(Some(found.into_iter().map(row).collect()))
}

async fn late(app: &App, issued: Issued) -> Result<OverdueRow, AppError> {
    let days = day_of(app.clock.now()).since(issued.due).map(|late| late.get_days()).unwrap_or_default();
    let late = if days == 1 { "One day late".to_owned() } else { format!("{days} days late") };
    Ok(OverdueRow {
        customer: name(app, issued.customer).await?,
        customer_url: customer_url(issued.customer),
        invoice_url: invoice_url(&issued.number),
        number: issued.number,
        open: issued.outstanding,
        due: issued.due,
        dunning: match dunning::view(app, issued.customer).await? {
            Some(view) if view.paused => format!("{late}. Paused by you."),
            Some(view) if view.disputed => format!("{late}. Waits for a bank to decide a dispute."),
            Some(view) => format!("{late}. {}", view.now),
            None => late,
        },
    })
}

async fn credit(app: &App, booked: Booked) -> Result<CreditRow, AppError> {
    Ok(CreditRow {
        at: booked.transaction.at(),
        customer: name(app, booked.customer).await?,
        customer_url: customer_url(booked.customer),
        amount: figures::credited(&booked.transaction),
        reason: booked.reason,
        by: booked.author,
    })
}

pub(crate) async fn list(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let today = day_of(app.clock.now());
    let state = listing.state.as_deref().and_then(InvoiceState::parse);
    let filter = Filter { state, before: listing.cursor, ..Filter::default() };
    let found = invoices::store::list(&app.db, &filter, today, PAGE).await.map_err(AppError::from)?;
    let last = found.last().map(|last| last.number.clone());
    let page = ConsoleInvoices {
        shell: console_shell(&app, "Invoices", &person),
        state: state.map_or("", InvoiceState::as_str).to_owned(),
        next: next(HERE, state.map(InvoiceState::as_str), last, found.len()),
        invoices: each(&app, found, row).await?,
    };
    Ok(Html(page.render()))
}

async fn row(app: &App, issued: Issued) -> Result<ConsoleInvoiceRow, AppError> {
    Ok(ConsoleInvoiceRow {
        customer: name(app, issued.customer).await?,
        customer_url: customer_url(issued.customer),
        currency: issued.currency.clone(),
        invoice: paper::row(issued, day_of(app.clock.now()), HERE),
    })
}

/// What an operator answers to a customer who contests an hour.
#[derive(Deserialize)]
pub(crate) struct Answer {
    decision: String,
    #[serde(default)]
    answer: String,
}

pub(crate) async fn answer(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(contest): Path<String>,
    Form(answer): Form<Answer>,
) -> Result<Redirect, PageError> {
    let state = match answer.decision.as_str() {
        "accept" => ContestState::Accepted,
        "refuse" => ContestState::Refused,
        other => {
            let what = format!("{other:?} is no answer to a contested hour");
            return Err(refused(422, &what, "Go back and accept or refuse it.").into());
        }
    };
    contests::decide(&app, &contest, state, &answer.answer, person.email.as_str()).await?;
    Ok(Redirect::to("/admin/money#contests"))
}

fn customer_url(customer: CustomerId) -> String {
    format!("/admin/customers/{customer}")
}

fn invoice_url(number: &str) -> String {
    format!("{HERE}/{number}")
}
