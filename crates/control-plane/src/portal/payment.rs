//! The way to the payment provider's pages: where the means of payment and past invoices are, and where one is paid.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use jiff::SignedDuration;
use pages::{Area, Onward};
use providers::payments::Collects;
use secrecy::ExposeSecret as _;
use workflow::WorkflowState;

use crate::app::App;
use crate::billing::{invoices, pay_page};
use crate::customers::{self, Customer, payment_portal};
use crate::error::{AppError, refused};
use crate::person::Person;
use crate::site::{PageError, shell};
use crate::text::capital;
use crate::workflows;

/// How long an answer waits for the page's address. Should it take longer, the answer looks again by itself.
const TO_OPEN: Duration = Duration::from_secs(8);
/// The provider's page closes when nobody comes for a few minutes.
const OF_USE: SignedDuration = SignedDuration::from_mins(4);

/// Who looks after a customer's means of payment, if that is somebody else.
pub(super) async fn kept_by(app: &App, person: &Person) -> Result<Option<String>, AppError> {
    let payments = &app.drivers.payments;
    if payments.collects() == Collects::Form {
        return Ok(None);
    }
    let customer = customers::store::find_by_email(&app.db, &person.email).await?;
    let Some(customer) = customer else { return Ok(None) };
    let known = customers::store::card(&app.db, customer.id).await?.is_some();
    Ok(known.then(|| capital(payments.name())))
}

pub(crate) async fn open(State(app): State<App>, person: Person) -> Result<Redirect, PageError> {
    let customer = customer(&app, &person).await?;
    let workflow = payment_portal::open(&app, customer.id).await?;
    Ok(Redirect::to(&format!("/portal/payment/{workflow}")))
}

pub(crate) async fn onward(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let customer = customer(&app, &person).await?;
    let record = workflow::find(&app.db, &id).await?.ok_or(AppError::NotFound)?;
    let is_theirs = match record.kind.as_str() {
        payment_portal::KIND => record.subject == customer.id.to_string(),
        pay_page::KIND => invoices::store::is_of(&app.db, &record.subject, customer.id).await?,
        _ => false,
    };
    if !is_theirs {
        return Err(AppError::NotFound.into());
    }
    // Of no use any more: whoever comes back to this page wants the portal.
    if record.finished_at.is_some_and(|at| at + OF_USE < app.clock.now()) {
        return Ok(Redirect::to("/portal").into_response());
    }
    let output: Option<String> = workflows::given(&app, &id, payment_portal::OPEN, TO_OPEN).await?;
    if output.is_none() && matches!(record.state, WorkflowState::Undoing | WorkflowState::Failed) {
        let next = "Try again in a moment. Nothing has changed.";
        return Err(refused(503, "The page for your payment can't be opened now", next).into());
    }
    let url = output.map(|output| payment_portal::unsealed(&app, &id, &output)).transpose()?;
    let page = Onward {
        shell: shell(&app, Area::Portal, "Payment", Some(&person)),
        to: format!("{}'s page", capital(app.drivers.payments.name())),
        url: url.map(|url| url.expose_secret().to_owned()),
        back_url: "/portal".to_owned(),
    };
    Ok(Html(page.render()).into_response())
}

async fn customer(app: &App, person: &Person) -> Result<Customer, AppError> {
    if app.drivers.payments.collects() == Collects::Form {
        return Err(AppError::NotFound);
    }
    customers::store::find_by_email(&app.db, &person.email).await?.ok_or(AppError::NotFound)
}
