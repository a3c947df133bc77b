//! Money that goes back, from the console: by owners alone, and after a second look.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::{Cents, OperatorRole, WorkflowId};
use pages::console::{ConfirmRefund, HistoryRow};
use serde::Deserialize;

use super::super::console_shell;
use super::invoice::{cents, find};
use super::{invoice_url, name};
use crate::app::App;
use crate::billing::accounts;
use crate::billing::disputes::{self, words};
use crate::billing::invoices::Issued;
use crate::billing::refunds::{self, NewRefund, Refund};
use crate::error::{AppError, refused};
use crate::person::{Owner, Person};
use crate::site::PageError;

/// What is entered to give money back.
#[derive(Deserialize)]
pub(crate) struct Entered {
    amount: String,
    reason: String,
    reference: String,
    confirmation: String,
}

/// Whether the reader can give anything back of an invoice.
pub(super) async fn is_possible(app: &App, person: &Person, issued: &Issued) -> Result<bool, AppError> {
    Ok(person.role >= Some(OperatorRole::Owner) && most(app, issued).await?.1 > Cents::ZERO)
}

/// Whether the card gets it, and how much can be given back.
async fn most(app: &App, issued: &Issued) -> Result<(bool, Cents), AppError> {
    let ledger = accounts::read(&app.db, issued.customer).await?;
    let mut tx = app.db.begin().await?;
    let (_, to_card, most) = refunds::most(&mut tx, app, &ledger, issued).await?;
    Ok((to_card, most))
}

pub(crate) async fn confirm(
    State(app): State<App>,
    Owner(person): Owner,
    Path(number): Path<String>,
) -> Result<Html<String>, PageError> {
    let issued = find(&app, &number).await?.issued;
    let entered = Entered {
        amount: most(&app, &issued).await?.1.to_string(),
        reason: String::new(),
        reference: WorkflowId::new(app.clock.now(), app.entropy.bytes()).to_string(),
        confirmation: String::new(),
    };
    Ok(Html(question(&app, &person, &issued, entered, None).await?))
}

pub(crate) async fn give_back(
    State(app): State<App>,
    Owner(person): Owner,
    Path(number): Path<String>,
    Form(entered): Form<Entered>,
) -> Result<Response, PageError> {
    let given = async {
        if entered.confirmation.trim() != number {
            let next = "Nothing was given back; type it as it stands.";
            return Err(refused(422, "That is not the number of the invoice", next));
        }
        let (amount, reason) = (cents(&entered.amount)?, &entered.reason);
        let wanted = NewRefund { amount, reference: &entered.reference, reason };
        refunds::give_back(&app, &number, &wanted, person.email.as_str()).await
    };
    match given.await {
        Ok(_) => Ok(Redirect::to(&format!("{}#history", invoice_url(&number))).into_response()),
        Err(error) => {
            let error = error.about_what_was_entered()?;
            let issued = find(&app, &number).await?.issued;
            let html = question(&app, &person, &issued, entered, Some(error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
        }
    }
}

async fn question(
    app: &App,
    person: &Person,
    issued: &Issued,
    entered: Entered,
    error: Option<String>,
) -> Result<String, AppError> {
    let (to_card, most) = most(app, issued).await?;
    let url = invoice_url(&issued.number);
    let page = ConfirmRefund {
        shell: console_shell(app, "Give money back", person),
        number: issued.number.clone(),
        customer: name(app, issued.customer).await?,
        most: most.priced(&issued.currency),
        to_card,
        amount: entered.amount,
        reason: entered.reason,
        reference: entered.reference,
        error,
        action: format!("{url}/refund"),
        back_url: url,
    };
    Ok(page.render())
}

/// What became of what was given back, a row for each thing that happened.
pub(in super::super) fn history(given: &[Refund], currency: &str) -> Vec<HistoryRow> {
    let mut rows = Vec::new();
    for refund in given {
        let what = format!(
            "{} of {}, {}: {}",
            refund.amount.priced(currency),
            refund.invoice,
            refund.reference,
            refund.reason
        );
        let mut row =
            |at, how: &str| rows.push(HistoryRow { at, what: format!("{how}: {what}"), by: refund.author.clone() });
        match refund.booked_at {
            Some(at) => row(at, "Given back"),
            None if refund.withdrawn_at.is_none() => row(refund.requested_at, "On its way back"),
            None => {}
        }
        refund.withdrawn_at.into_iter().for_each(|at| row(at, "Given up, nothing went back"));
        refund.returned_at.into_iter().for_each(|at| row(at, "Came back, the card did not take it"));
    }
    rows
}

/// A payment that a bank questions.
pub(in super::super) fn questioned(app: &App, kept: &disputes::Kept) -> HistoryRow {
    HistoryRow {
        at: kept.ended_at.unwrap_or(kept.dispute.opened_at),
        what: words::history(&kept.dispute),
        by: app.drivers.payments.name().to_owned(),
    }
}
