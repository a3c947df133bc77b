//! What a person books by hand: money that came, credit, money that will not come.

use ::store::{Tx, is_unique_violation};
use billing::ledger::{Account, Kind, LedgerError, Transaction, TransactionError, TransactionId};
use domain::{Cents, CustomerId};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::accounts::{self, AccountError, Entry, Held};
use super::invoices::{self, Issued};
use super::{collection, dunning, letter};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::{audit, customers};

const LONGEST_REFERENCE: usize = 200;

/// Money that came in.
pub(crate) struct Payment<'a> {
    pub amount: Cents,
    /// What the bank calls it. It makes the payment one, however often it is booked.
    pub reference: &'a str,
    /// The day it came; today, if none is given.
    pub received: Option<Date>,
}

/// Credit that is given.
pub(crate) struct Credit<'a> {
    pub amount: Cents,
    /// Names it. It makes the credit one, however often it is booked.
    pub reference: &'a str,
    pub reason: &'a str,
}

/// Books a payment of the customer whom an invoice was made out to. The oldest open invoice is paid first.
pub(crate) async fn pay(app: &App, number: &str, payment: &Payment<'_>, by: &str) -> Result<Issued, AppError> {
    let amount = worth_something(payment.amount)?;
    let reference = named(payment.reference)?;
    let now = app.clock.now();
    if payment.received.is_some_and(|day| day > invoices::day_of(now)) {
        return Err(refused(422, "That day has not come yet", "Give the day on which the money came."));
    }
    let mut tx = app.db.begin().await?;
    let (invoice, mut held) = hold_invoice(&mut tx, number).await?;
    if let Some(known) = held.ledger.find(&TransactionId::of(Kind::Payment, reference)) {
        let same_day = payment.received.is_none_or(|day| day == invoices::day_of(known.at()));
        let same = same_day && known.amount_on(Account::Receivable).checked_add(amount) == Some(Cents::ZERO);
        return if same { Ok(invoice) } else { Err(booked_otherwise("payment", reference)) };
    }
    let at = match payment.received.map(|day| day.to_zoned_datetime(TimeZone::UTC)) {
        Some(midnight) => midnight.map_err(AppError::internal)?.timestamp(),
        None => now,
    };
    let transaction = Transaction::payment(at, reference, amount, Cents::ZERO).map_err(AccountError::from)?;
    let reason = reason_of(number);
    held.record(&mut tx, transaction, Entry { author: by, reason: &reason, now }).await.map_err(elsewhere)?;
    held.settle(&mut tx).await?;
    dunning::settled(&mut tx, app, &held).await?;
    let detail = format!("{reference}: {}", amount.priced(&invoice.currency));
    audit::record(&mut tx, app, by, "payment.recorded", number, &detail).await?;
    let settled = find(&mut tx, number).await?;
    if settled.outstanding == Cents::ZERO {
        collection::withdraw(&mut tx, app, &held.ledger, number).await?;
    }
    let how = format!("reference {reference}");
    let receipt = letter::Receipt { reference, how: &how, amount, on: invoices::day_of(at) };
    letter::received(&mut tx, app, &settled, &receipt).await?;
    tx.commit().await?;
    app.mail_waiting.notify_one();
    // What was closed for this money opens now.
    app.engine.wake();
    Ok(settled)
}

/// What stands beside a payment that was booked for an invoice.
pub(crate) fn reason_of(number: &str) -> String {
    format!("for invoice {number}")
}

/// Gives a customer credit, which later invoices take.
pub(crate) async fn give_credit(
    app: &App,
    customer: CustomerId,
    credit: &Credit<'_>,
    by: &str,
) -> Result<(), AppError> {
    let amount = worth_something(credit.amount)?;
    let reference = named(credit.reference)?;
    let reason = given_reason(credit.reason)?;
    let now = app.clock.now();
    customers::store::find(&app.db, customer).await?.ok_or(AppError::NotFound)?;
    let mut tx = app.db.begin().await?;
    let mut held = accounts::open(&mut tx, customer).await?;
    if let Some(known) = held.ledger.find(&TransactionId::of(Kind::CreditGranted, reference)) {
        let same = known.amount_on(Account::CreditBalance).checked_add(amount) == Some(Cents::ZERO);
        return if same { Ok(()) } else { Err(booked_otherwise("credit", reference)) };
    }
    let transaction = Transaction::credit_granted(now, reference, amount, Cents::ZERO).map_err(AccountError::from)?;
    held.record(&mut tx, transaction, Entry { author: by, reason, now }).await.map_err(elsewhere)?;
    let detail = format!("{reference}: {amount}, {reason}");
    audit::record(&mut tx, app, by, "credit.granted", &customer.to_string(), &detail).await?;
    dunning::settled(&mut tx, app, &held).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(())
}

/// Gives up what is left of an invoice. Doing so again changes nothing.
pub(crate) async fn write_off(app: &App, number: &str, reason: &str, by: &str) -> Result<Issued, AppError> {
    let reason = given_reason(reason)?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let (invoice, mut held) = hold_invoice(&mut tx, number).await?;
    if invoice.outstanding == Cents::ZERO {
        let settled = refused(409, "Nothing is left of this invoice to be paid", "Look at the customer's ledger.");
        return if invoice.written_off > Cents::ZERO { Ok(invoice) } else { Err(settled) };
    }
    let transaction = Transaction::write_off(now, number, invoice.outstanding).map_err(AccountError::from)?;
    held.record(&mut tx, transaction, Entry { author: by, reason, now }).await?;
    held.settle(&mut tx).await?;
    dunning::settled(&mut tx, app, &held).await?;
    let detail = format!("{}, {reason}", invoice.outstanding.priced(&invoice.currency));
    audit::record(&mut tx, app, by, "invoice.written_off", number, &detail).await?;
    collection::withdraw(&mut tx, app, &held.ledger, number).await?;
    let settled = find(&mut tx, number).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(settled)
}

/// The invoice, read once the customer's book is held, so that nobody else changes what is left of it.
pub(super) async fn hold_invoice(tx: &mut Tx, number: &str) -> Result<(Issued, Held), AppError> {
    let customer = find(tx, number).await?.customer;
    let held = accounts::open(tx, customer).await?;
    Ok((find(tx, number).await?, held))
}

async fn find(tx: &mut Tx, number: &str) -> Result<Issued, AppError> {
    let found = invoices::store::find(tx, number).await?;
    found.map(|(invoice, _)| invoice).ok_or_else(|| no_invoice(number))
}

pub(crate) fn no_invoice(number: &str) -> AppError {
    refused(404, &format!("There is no invoice {number}"), "`spinoff invoices list` shows all.")
}

pub(super) fn worth_something(amount: Cents) -> Result<Cents, AppError> {
    if amount > Cents::ZERO {
        return Ok(amount);
    }
    Err(refused(422, &format!("{amount} is no amount to be booked"), "Give an amount above nothing, in cents."))
}

pub(super) fn named(reference: &str) -> Result<&str, AppError> {
    let reference = reference.trim();
    if reference.is_empty() || reference.len() > LONGEST_REFERENCE || reference.chars().any(char::is_control) {
        let next = "Give what names it, such as the bank's reference: 1 to 200 characters in one line.";
        return Err(refused(422, "It has no reference that could tell it from others", next));
    }
    Ok(reference)
}

pub(super) fn given_reason(reason: &str) -> Result<&str, AppError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(refused(422, "There is no reason", "Say in one sentence why."));
    }
    Ok(reason)
}

pub(super) fn booked_otherwise(what: &str, reference: &str) -> AppError {
    let title = format!("The {what} {reference} is booked already, and differently");
    refused(409, &title, "Look at the customer's ledger; another one needs another reference.")
}

/// A reference belongs to one customer.
fn elsewhere(error: AccountError) -> AppError {
    match error {
        AccountError::Store(error) if is_unique_violation(&error) => {
            let next = "Check the reference. Where one transfer pays for two customers, add to it whose part it is.";
            refused(409, "This reference is in another customer's book", next)
        }
        other => other.into(),
    }
}

impl From<AccountError> for AppError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::OutOfRange(_)
            | AccountError::Ledger(LedgerError::OutOfRange(_))
            | AccountError::Transaction(TransactionError::OutOfRange(_)) => {
                refused(422, "The amount is larger than money can be", "Check the amount; it is in cents.")
            }
            other => Self::internal(other),
        }
    }
}
