//! The page on which customers say to whom their invoices are made out. It is reached from a workspace, and holds for all.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use pages::{Area, BillingDetailsErrors, BillingDetailsPage, BillingDetailsValues};
use serde::Deserialize;

use super::{owned, portal_url};
use crate::app::App;
use crate::billing::details::{self, Entered, Wrong};
use crate::customers;
use crate::error::AppError;
use crate::instances::Instance;
use crate::person::Person;
use crate::site::{PageError, shell};

/// The form as sent.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct Filled {
    name: String,
    address: String,
    country: String,
    tax_id: String,
    mail_to: String,
}

pub(crate) async fn form(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let values = match details::find(&app, instance.customer).await.map_err(AppError::from)? {
        Some((set, _)) => BillingDetailsValues {
            name: set.name,
            address: set.address.join("\n"),
            country: set.country.to_string(),
            tax_id: set.tax_id.map_or(String::new(), |id| id.to_string()),
            mail_to: set.mail_to.map_or(String::new(), |email| email.to_string()),
        },
        None => {
            let customer = customers::store::find(&app.db, instance.customer).await.map_err(AppError::from)?;
            let name = customer.map(|customer| customer.company.unwrap_or(customer.name));
            BillingDetailsValues { name: name.unwrap_or_default(), ..BillingDetailsValues::default() }
        }
    };
    Ok(Html(page(&app, &person, &instance, values, BillingDetailsErrors::default())))
}

pub(crate) async fn submit(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(filled): Form<Filled>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let entered = Entered {
        name: filled.name.clone(),
        address: filled.address.lines().map(str::to_owned).collect(),
        country: filled.country.clone(),
        tax_id: filled.tax_id.clone(),
        mail_to: filled.mail_to.clone(),
    };
    match details::read(&entered) {
        Ok(details) => {
            details::set(&app, instance.customer, &details, person.email.as_str()).await?;
            Ok(Redirect::to(&format!("{}/bills#details", portal_url(&instance))).into_response())
        }
        Err(Wrong { name, address, country, tax_id, mail_to }) => {
            let errors = BillingDetailsErrors { name, address, country, tax_id, mail_to };
            let Filled { name, address, country, tax_id, mail_to } = filled;
            let values = BillingDetailsValues { name, address, country, tax_id, mail_to };
            let html = page(&app, &person, &instance, values, errors);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
        }
    }
}

fn page(
    app: &App,
    person: &Person,
    instance: &Instance,
    values: BillingDetailsValues,
    errors: BillingDetailsErrors,
) -> String {
    let bills_url = format!("{}/bills", portal_url(instance));
    BillingDetailsPage {
        shell: shell(app, Area::Portal, "Billing details", Some(person)),
        hostname: app.shown_hostname(&instance.subdomain),
        action: format!("{bills_url}/details"),
        bills_url,
        values,
        errors,
    }
    .render()
}
