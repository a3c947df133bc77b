//! What the business is run by: numbers with their definitions, and what was spent to win customers.

pub(crate) mod spend;

use ::api::{Analytics, AnalyticsMonth, Figure, FunnelStep, LeavingComment, ReasonCount, SignupCohort};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use domain::Month;
use pages::console::{
    AnalyticsFigure, AnalyticsMonthRow, CohortRow, CommentRow, ConsoleAnalytics, FunnelRow, ReasonRow,
};
use serde::Deserialize;

use super::console_shell;
use crate::analytics::{csv, report};
use crate::app::App;
use crate::costs::margins;
use crate::customers::name;
use crate::error::AppError;
use crate::person::Reader;
use crate::site::PageError;

/// So many of the latest cohorts are shown.
const COHORTS: usize = 12;

/// Which month.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, PageError> {
    let found = read(&app, &wanted).await?;
    let mut comments = Vec::with_capacity(found.comments.len());
    for said in found.comments {
        comments.push(comment(&app, said).await?);
    }
    let later = found.cohorts.len().saturating_sub(COHORTS);
    let page = ConsoleAnalytics {
        shell: console_shell(&app, "Analytics", &person),
        month: found.month,
        is_running: found.month == Month::of(app.clock.now()),
        is_complete: found.is_complete,
        currency: found.currency,
        figures: found.figures.into_iter().map(figure).collect(),
        months: found.months.into_iter().map(month_row).collect(),
        funnel: found.funnel.into_iter().map(step).collect(),
        cohorts: found.cohorts.into_iter().skip(later).map(cohort).collect(),
        reasons: found.reasons.into_iter().map(reason).collect(),
        comments,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn as_csv(
    State(app): State<App>,
    _: Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let found = read(&app, &wanted).await?;
    let name = format!("attachment; filename=\"analytics-{}.csv\"", found.month);
    let headers = [(header::CONTENT_TYPE, csv::CONTENT_TYPE.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, csv::of(&found)).into_response())
}

pub(crate) async fn as_json(
    State(app): State<App>,
    _: Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let found = read(&app, &wanted).await?;
    let name = format!("attachment; filename=\"analytics-{}.json\"", found.month);
    Ok(([(header::CONTENT_DISPOSITION, name)], axum::Json(found)).into_response())
}

async fn read(app: &App, wanted: &Wanted) -> Result<Analytics, AppError> {
    report::of_month(app, margins::wanted(app, wanted.month.as_deref())?).await
}

fn figure(figure: Figure) -> AnalyticsFigure {
    let Figure { label, definition, shown, target, is_met, unknown_because, .. } = figure;
    AnalyticsFigure { label, definition, shown, target, is_met, unknown_because }
}

fn month_row(month: AnalyticsMonth) -> AnalyticsMonthRow {
    AnalyticsMonthRow {
        month: month.month,
        is_complete: month.is_complete,
        recurring: month.recurring,
        new: month.new,
        returned: month.returned,
        grown: month.grown,
        shrunk: month.shrunk,
        lost: month.lost,
        revenue: month.revenue,
        customers: month.customers,
        customers_lost: month.customers_lost,
        signups: month.signups,
        visits: month.visits,
        spend: month.spend,
    }
}

fn step(step: FunnelStep) -> FunnelRow {
    let FunnelStep { label, definition, count, of_previous_permille, .. } = step;
    FunnelRow { label, definition, count, of_previous_permille }
}

fn cohort(cohort: SignupCohort) -> CohortRow {
    let paying = cohort.later.iter().map(|kept| kept.paying).collect();
    CohortRow { month: cohort.month, customers: cohort.customers, paying }
}

fn reason(reason: ReasonCount) -> ReasonRow {
    ReasonRow { label: reason.label, count: reason.count }
}

async fn comment(app: &App, said: LeavingComment) -> Result<CommentRow, AppError> {
    Ok(CommentRow {
        customer: name(app, said.customer_id).await?,
        customer_url: format!("/admin/customers/{}", said.customer_id),
        at: said.at,
        reason: said.reason.map(|reason| reason.in_words().to_owned()),
        comment: said.comment,
    })
}
