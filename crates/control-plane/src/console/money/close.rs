use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use billing::LineKind;
use domain::{Cents, Month, UsageHour};
use pages::console::{CloseInvoiceRow, CloseState, ConsoleClose};
use serde::Deserialize;

use super::super::console_shell;
use super::{customer_url, name};
use crate::app::App;
use crate::billing::closing;
use crate::billing::preview::{Preview, preview};
use crate::error::{AppError, refused};
use crate::instances;
use crate::person::{Owner, Person, Reader};
use crate::site::PageError;

/// So many invoices stand on a page.
const ROWS: usize = 100;

/// Which month, and where in the list of its invoices.
#[derive(Deserialize)]
pub(crate) struct Which {
    month: Option<String>,
    #[serde(default)]
    skip: usize,
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Query(which): Query<Which>,
) -> Result<Html<String>, PageError> {
    let month = match which.month.as_deref() {
        Some(text) => parse(text)?,
        None => Month::of(app.clock.now()).previous(),
    };
    let found = preview(&app, Some(month)).await.map_err(AppError::from)?;
    Ok(Html(page(&app, &person, month, found, which.skip, None).await?))
}

/// A month as it was shown.
#[derive(Deserialize)]
pub(crate) struct AsShown {
    month: String,
    digest: String,
}

pub(crate) async fn close(
    State(app): State<App>,
    Owner(person): Owner,
    Form(shown): Form<AsShown>,
) -> Result<Response, PageError> {
    let month = parse(&shown.month)?;
    let found = preview(&app, Some(month)).await.map_err(AppError::from)?;
    if name_of(&found)? != shown.digest {
        let error = "Something changed since you looked, such as hours reported late. Nothing was closed; this is how \
                     it is now.";
        let html = page(&app, &person, month, found, 0, Some(error.to_owned())).await?;
        return Ok((StatusCode::CONFLICT, Html(html)).into_response());
    }
    let workflow = closing::request(&app, Some(month), person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")).into_response())
}

fn parse(month: &str) -> Result<Month, AppError> {
    Month::parse(month).map_err(|error| refused(422, &error.to_string(), "Name a month such as 2026-11."))
}

/// The same invoices, to the byte, have the same name.
fn name_of(found: &[Preview]) -> Result<String, AppError> {
    let mut all = Vec::new();
    for one in found {
        match &one.invoice {
            Ok(invoice) => all.extend(invoice.to_bytes().map_err(AppError::internal)?),
            Err(problem) => all.extend(problem.as_bytes()),
        }
        all.push(0);
    }
    let mut name = String::new();
    for byte in digest(&SHA256, &all).as_ref() {
        let _ = write!(name, "{byte:02x}");
    }
    Ok(name)
}

async fn page(
    app: &App,
    person: &Person,
    month: Month,
    mut found: Vec<Preview>,
    skip: usize,
    error: Option<String>,
) -> Result<String, AppError> {
    let digest = name_of(&found)?;
    let sum = sum(found.iter().filter_map(|one| one.invoice.as_ref().ok()).map(|invoice| invoice.total))?;
    let before = found.iter().filter_map(|one| one.previous.as_ref());
    // Several periods of one service may be due: each invoice before is counted once.
    let before: BTreeMap<_, _> = before.map(|invoice| (invoice.number.clone(), invoice.total)).collect();
    let sum_before = if before.is_empty() { None } else { Some(self::sum(before.into_values())?) };
    let state = state(app, month, found.is_empty()).await?;
    found.sort_by_key(|one| std::cmp::Reverse(change(one)));
    let invoices = found.len();
    let mut rows = Vec::new();
    for one in found.iter().skip(skip).take(ROWS) {
        rows.push(row(app, one).await?);
    }
    let end = skip.saturating_add(ROWS);
    let page = ConsoleClose {
        shell: console_shell(app, "Close", person),
        month,
        currency: app.settings.plan.currency.clone(),
        state,
        invoices,
        sum,
        sum_before,
        rows,
        next: (end < invoices).then(|| format!("/admin/money/close?month={month}&skip={end}")),
        error,
        digest,
        action: "/admin/money/close".to_owned(),
    };
    Ok(page.render())
}

fn sum(mut amounts: impl Iterator<Item = Cents>) -> Result<Cents, AppError> {
    let sum = amounts.try_fold(Cents::ZERO, |sum, amount| sum.checked_add(amount));
    sum.ok_or_else(|| AppError::internal(billing::OutOfRange))
}

async fn state(app: &App, month: Month, is_empty: bool) -> Result<CloseState, AppError> {
    let end = month.next().first_hour();
    if end > UsageHour::of(app.clock.now()) {
        return Ok(CloseState::TooEarly { from: end.start() });
    }
    let mut tx = app.db.begin().await?;
    let under_way = workflow::under_way(&mut tx, closing::KIND, &month.to_string()).await?;
    drop(tx);
    Ok(match under_way {
        Some((id, _)) => CloseState::UnderWay { url: format!("/admin/workflows/{id}") },
        None if is_empty => CloseState::Done,
        None => CloseState::Ready,
    })
}

/// Problems come first, then the largest change, whichever way.
fn change(one: &Preview) -> (bool, u64) {
    let Ok(invoice) = &one.invoice else { return (true, 0) };
    let before = one.previous.as_ref().map_or(0, |before| before.total.get());
    (false, invoice.total.get().abs_diff(before))
}

async fn row(app: &App, one: &Preview) -> Result<CloseInvoiceRow, AppError> {
    let instance = instances::store::find(&app.db, one.service.instance).await?.ok_or(AppError::NotFound)?;
    let invoice = one.invoice.as_ref().ok();
    let mut remarks = Vec::new();
    if one.previous.is_none() && invoice.is_some() {
        remarks.push("first invoice".to_owned());
    }
    if let Some(invoice) = invoice {
        let late = invoice.lines.iter().filter(|line| line.kind == LineKind::LateHours).map(|line| line.hours.count());
        let credited = invoice.credits.len();
        remarks.extend(counted(late.sum(), "late hour", "late hours"));
        remarks.extend(counted(u32::try_from(credited).unwrap_or(u32::MAX), "credit", "credits"));
        remarks.push(invoice.period.to_string());
    }
    Ok(CloseInvoiceRow {
        customer: name(app, one.service.customer).await?,
        customer_url: customer_url(one.service.customer),
        hostname: app.shown_hostname(&instance.subdomain),
        hours: invoice.map_or(0, |invoice| invoice.hours().count()),
        total: invoice.map_or(Cents::ZERO, |invoice| invoice.total),
        before: one.previous.as_ref().map(|before| before.total),
        remarks,
        problem: one.invoice.as_ref().err().cloned(),
    })
}

fn counted(number: u32, one: &str, many: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {many}")),
    }
}
