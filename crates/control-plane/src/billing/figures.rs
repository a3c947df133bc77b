//! What came in and what is owed, for whoever runs the house.

pub(crate) mod store;

use ::store::Db;
use ::store::sqlx::Error;
use billing::ledger::{Account, Kind, Transaction};
use domain::{Cents, CustomerId, Month};
use jiff::civil::Date;

use super::invoices;

/// The sums of a month, and what is owed now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Invoiced in the month, with taxes.
    pub invoiced: Cents,
    /// The same for the month before.
    pub invoiced_before: Cents,
    /// Payments booked in the month, less what was given back and what banks took back.
    pub received: Cents,
    /// All that is owed.
    pub receivable: Cents,
    /// The part of it that is late.
    pub overdue: Cents,
}

/// An entry in somebody's book.
#[derive(Debug)]
pub(crate) struct Booked {
    pub customer: CustomerId,
    pub transaction: Transaction,
    pub author: String,
    pub reason: String,
}

/// The sums of a month, and the credits that people gave in it, newest first.
pub(crate) async fn of_month(db: &Db, month: Month, today: Date) -> Result<(Figures, Vec<Booked>), Error> {
    let first = |month: Month| invoices::day_of(month.first_hour().start());
    let invoiced = store::invoiced(db, first(month), first(month.next())).await?;
    let invoiced_before = store::invoiced(db, first(month.previous()), first(month)).await?;
    let (receivable, overdue) = store::owed(db, today).await?;
    let (from, until) = (month.first_hour().start(), month.next().first_hour().start());
    let received = store::received(db, from, until).await?;
    let credits = store::booked(db, (from, until), Some(Kind::CreditGranted)).await?;
    Ok((Figures { invoiced, invoiced_before, received, receivable, overdue }, credits))
}

/// What a credit is worth.
pub(crate) fn credited(transaction: &Transaction) -> Cents {
    Cents::ZERO.checked_sub(transaction.amount_on(Account::CreditBalance)).unwrap_or_default()
}
