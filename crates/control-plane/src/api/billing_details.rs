use api::{BillingDetails, NewBillingDetails};
use axum::extract::{Path, State};
use domain::CustomerId;

use super::ledgers::known;
use super::{Json, Refusal};
use crate::app::App;
use crate::billing::details::{self, Entered};
use crate::customers;
use crate::error::{AppError, refused};
use crate::person::Program;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<BillingDetails>, Refusal> {
    let customer = known(&app, &id).await?;
    Ok(axum::Json(view(&app, customer).await?))
}

pub(crate) async fn set(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(new): Json<NewBillingDetails>,
) -> Result<axum::Json<BillingDetails>, Refusal> {
    let customer = known(&app, &id).await?;
    let NewBillingDetails { name, address, country, tax_id, mail_to } = new;
    let entered = Entered {
        name,
        address,
        country: country.to_string(),
        tax_id: tax_id.map_or(String::new(), |id| id.to_string()),
        mail_to: mail_to.map_or(String::new(), |email| email.to_string()),
    };
    let details = details::read(&entered).map_err(|wrong| {
        let next = "Nothing was changed. Correct it and send all details again.";
        refused(422, &wrong.all().join("; "), next)
    })?;
    details::set(&app, customer, &details, Program::NAME).await?;
    Ok(axum::Json(view(&app, customer).await?))
}

async fn view(app: &App, id: CustomerId) -> Result<BillingDetails, AppError> {
    let customer = customers::store::find(&app.db, id).await?.ok_or(AppError::NotFound)?;
    let found = details::find(app, id).await?;
    let changed_at = found.as_ref().map(|(_, at)| *at);
    let set = found.map(|(details, _)| details);
    let buyer = details::buyer(customer, set.as_ref());
    Ok(BillingDetails {
        customer_id: id,
        name: buyer.name,
        address: buyer.address,
        country: set.as_ref().map(|details| details.country),
        tax_id: set.as_ref().and_then(|details| details.tax_id.clone()),
        mail_to: set.and_then(|details| details.mail_to),
        changed_at,
    })
}
