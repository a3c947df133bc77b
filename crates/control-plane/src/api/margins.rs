use api::{CostsByKind, CustomerMargin, Margin, MarginBasis, Margins, SpendLimit};
use axum::extract::State;
use domain::{Micros, Month};
use serde::Deserialize;

use super::{Query, Refusal};
use crate::app::App;
use crate::costs::margins::{self, Basis, Costs};
use crate::costs::spend;
use crate::customers;
use crate::error::AppError;
use crate::person::Program;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    month: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Margins>, Refusal> {
    let month = margins::wanted(&app, wanted.month.as_deref())?;
    Ok(axum::Json(view(&app, month).await?))
}

async fn view(app: &App, month: Month) -> Result<Margins, AppError> {
    let found = margins::of_month(app, month).await?;
    let mut customers = Vec::with_capacity(found.customers.len());
    for row in &found.customers {
        customers.push(CustomerMargin {
            customer_id: row.customer,
            name: customers::name(app, row.customer).await?,
            instances: row.instances as u64,
            costs: kinds(row.costs),
            margin: margin(&row.margin)?,
        });
    }
    Ok(Margins {
        month,
        currency: app.settings.plan.currency.clone(),
        target_permille: app.settings.billing.costs.target_permille(),
        customers,
        nobody: kinds(found.nobody),
        total: margin(&found.total)?,
        basis: found.basis.into_iter().map(basis).collect(),
        limits: limits(app).await?,
    })
}

fn kinds(costs: Costs) -> CostsByKind {
    CostsByKind {
        compute_micros: costs.compute.map(Micros::get),
        fees_micros: costs.fees.map(Micros::get),
        model_micros: costs.model.map(Micros::get),
        shared_micros: costs.shared.map(Micros::get),
    }
}

fn margin(margin: &billing::Margin) -> Result<Margin, AppError> {
    Ok(Margin {
        revenue: margin.revenue,
        cost_micros: margin.costs.map(Micros::get),
        profit_micros: margin.profit().map_err(AppError::internal)?.map(Micros::get),
        margin_permille: margin.permille().map_err(AppError::internal)?,
    })
}

fn basis(basis: Basis) -> MarginBasis {
    let Basis { what, how, observed_at, is_known } = basis;
    MarginBasis { what: what.to_owned(), how, is_known, observed_at }
}

async fn limits(app: &App) -> Result<Vec<SpendLimit>, AppError> {
    let now = app.clock.now();
    let view = |(known, notices): (spend::Known, Vec<(spend::Notice, jiff::Timestamp)>)| SpendLimit {
        name: known.called(),
        unit: known.unit.as_str().to_owned(),
        used: known.seen.map(|seen| seen.used),
        limit: known.seen.and_then(|seen| seen.limit),
        period_end: known.seen.map(|seen| seen.until),
        reached_at: known.allowance().and_then(|allowance| allowance.reached_at(now)),
        observed_at: known.observed_at,
        notices: notices.iter().map(|(notice, _)| notice.to_string()).collect(),
        trouble: known.trouble,
    };
    Ok(spend::store::list(&app.db).await?.into_iter().map(view).collect())
}
