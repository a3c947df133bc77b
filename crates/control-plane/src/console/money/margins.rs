//! What is left of each customer's revenue, and how near the providers are to where they stop.

use axum::extract::{Query, State};
use axum::response::Html;
use domain::{Micros, Month};
use jiff::Timestamp;
use pages::console::{BasisRow, ConsoleMargins, CostsView, LimitRow, MarginFigure, MarginOrder, MarginRow};
use serde::Deserialize;

use super::{console_shell, customer_url};
use crate::app::App;
use crate::costs::margins::{self, Costs};
use crate::costs::spend;
use crate::customers;
use crate::error::AppError;
use crate::person::Reader;
use crate::site::PageError;
use crate::text::capital;

/// Which month, in which order.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
    order: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, PageError> {
    let month = margins::wanted(&app, wanted.month.as_deref())?;
    let order = wanted.order.as_deref().and_then(MarginOrder::parse).unwrap_or(MarginOrder::Margin);
    let found = margins::of_month(&app, month).await.map_err(AppError::from)?;
    let mut customers = Vec::with_capacity(found.customers.len());
    for row in &found.customers {
        customers.push(MarginRow {
            customer: customers::name(&app, row.customer).await?,
            customer_url: customer_url(row.customer),
            instances: row.instances as u64,
            costs: costs(row.costs),
            figure: figure(&row.margin)?,
        });
    }
    sort(&mut customers, order);
    let zero = Some(Micros::ZERO);
    let nothing = Costs { compute: zero, fees: zero, model: zero, shared: zero };
    let page = ConsoleMargins {
        shell: console_shell(&app, "Money", &person),
        month,
        is_running: month == Month::of(app.clock.now()),
        currency: app.settings.plan.currency.clone(),
        target_percent: app.settings.billing.costs.target_percent,
        order,
        customers,
        nobody: (found.nobody != nothing).then(|| costs(found.nobody)),
        total: figure(&found.total)?,
        basis: found.basis.into_iter().map(basis).collect(),
        limits: limits(&app).await?,
    };
    Ok(Html(page.render()))
}

/// What is not known stands last. Where it is the same, the worst margin stays first.
fn sort(rows: &mut [MarginRow], order: MarginOrder) {
    match order {
        MarginOrder::Margin => {}
        MarginOrder::Cost => rows.sort_by_key(|row| std::cmp::Reverse(row.figure.costs)),
        MarginOrder::Revenue => rows.sort_by_key(|row| std::cmp::Reverse(row.figure.revenue)),
        MarginOrder::Name => rows.sort_by_key(|row| row.customer.to_lowercase()),
    }
}

fn costs(costs: Costs) -> CostsView {
    CostsView { compute: costs.compute, fees: costs.fees, model: costs.model, shared: costs.shared }
}

fn figure(margin: &billing::Margin) -> Result<MarginFigure, AppError> {
    Ok(MarginFigure {
        revenue: margin.revenue,
        costs: margin.costs,
        profit: margin.profit().map_err(AppError::internal)?,
        permille: margin.permille().map_err(AppError::internal)?,
    })
}

fn basis(basis: margins::Basis) -> BasisRow {
    BasisRow { what: basis.what.to_owned(), how: basis.how, observed_at: basis.observed_at, is_known: basis.is_known }
}

async fn limits(app: &App) -> Result<Vec<LimitRow>, AppError> {
    let view = |(known, notices): (spend::Known, Vec<(spend::Notice, Timestamp)>)| LimitRow {
        name: capital(&known.called()),
        used: known.seen.map(|seen| known.amount(seen.used)),
        limit: known.seen.and_then(|seen| seen.limit).map(|limit| known.amount(limit)),
        percent: known.allowance().map(|allowance| allowance.percent()),
        period_end: known.seen.map(|seen| seen.until),
        warnings: spend::worth_saying(&notices).map(|(notice, _)| known.headline(*notice)).collect(),
        advice: known.consequence().to_owned(),
        observed_at: known.observed_at,
        trouble: known.trouble,
    };
    Ok(spend::store::list(&app.db).await?.into_iter().map(view).collect())
}
