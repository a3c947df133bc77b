use std::collections::BTreeMap;

use api::{Ledger, LedgerEntry, NewCredit};
use axum::extract::{Path, State};
use billing::ledger::{Ledger as Book, LedgerError, StatementLine};
use domain::{CustomerId, Email};
use jiff::Timestamp;

use super::{Json, Refusal};
use crate::app::App;
use crate::billing::accounts;
use crate::billing::payments::{self, Credit};
use crate::customers;
use crate::error::{AppError, refused};
use crate::person::Program;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Ledger>, Refusal> {
    let customer = known(&app, &id).await?;
    Ok(axum::Json(view(&app, customer).await?))
}

pub(crate) async fn give_credit(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(new): Json<NewCredit>,
) -> Result<axum::Json<Ledger>, Refusal> {
    let customer = known(&app, &id).await?;
    let credit = Credit { amount: new.amount, reference: &new.reference, reason: &new.reason };
    payments::give_credit(&app, customer, &credit, Program::NAME).await?;
    Ok(axum::Json(view(&app, customer).await?))
}

/// The customer of this id or e-mail address.
pub(super) async fn known(app: &App, reference: &str) -> Result<CustomerId, AppError> {
    let found = match (CustomerId::parse(reference), Email::parse(reference)) {
        (Ok(id), _) => customers::store::find(&app.db, id).await?,
        (_, Ok(email)) => customers::store::find_by_email(&app.db, &email).await?,
        _ => None,
    };
    found.map(|found| found.id).ok_or_else(|| {
        refused(404, &format!("There is no customer {reference}"), "`spinoff customers list` shows all.")
    })
}

async fn view(app: &App, customer: CustomerId) -> Result<Ledger, AppError> {
    let mut connection = app.db.read().acquire().await?;
    let transactions = accounts::store::transactions(&mut connection, customer).await?;
    drop(connection);
    let book = Book::replay(transactions).map_err(AppError::internal)?;
    let notes = accounts::store::notes(&app.db, customer).await?;
    let notes: BTreeMap<_, _> = notes.into_iter().map(|(id, author, reason)| (id, (author, reason))).collect();
    let lines = all(&book).map_err(AppError::internal)?;
    let entry = |line: StatementLine| {
        let (author, reason) = notes.get(line.id.as_str()).cloned().unwrap_or_default();
        LedgerEntry {
            id: line.id.to_string(),
            at: line.at,
            description: line.description,
            owed: line.owed,
            credit: line.credit,
            owed_after: line.owed_after,
            author,
            reason,
        }
    };
    Ok(Ledger {
        customer_id: customer,
        currency: app.settings.plan.currency.clone(),
        owed: book.owed(),
        credit: book.credit().map_err(AppError::internal)?,
        entries: lines.into_iter().map(entry).collect(),
    })
}

fn all(book: &Book) -> Result<Vec<StatementLine>, LedgerError> {
    Ok(book.statement(Timestamp::MIN, Timestamp::MAX)?.lines)
}
