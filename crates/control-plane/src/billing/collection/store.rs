use domain::{Cents, CustomerId};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::ChargeFailure;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112961,
    name: "collection of invoices",
    sql: "
        create table invoice_collections (
            invoice text not null primary key references invoices (number),
            attempts bigint not null,
            provider_id text
        );
        create table charge_attempts (
            id text not null primary key,
            invoice text not null references invoices (number),
            customer_id text not null references customers (id),
            amount bigint not null,
            reason text not null,
            failed_at bigint not null
        );
        create index charge_attempts_invoice on charge_attempts (invoice, failed_at);",
}];

/// Notes that an invoice is to be charged. Which attempt that is.
pub(crate) async fn next_attempt(tx: &mut Tx, number: &str) -> Result<i64, Error> {
    sqlx::query_scalar(
        "insert into invoice_collections (invoice, attempts) values ($1, 1)
         on conflict (invoice) do update set attempts = invoice_collections.attempts + 1 returning attempts",
    )
    .bind(number)
    .fetch_one(&mut **tx)
    .await
}

/// Keeps what the provider calls an invoice.
pub(crate) async fn name(tx: &mut Tx, number: &str, provider_id: &str) -> Result<(), Error> {
    sqlx::query("update invoice_collections set provider_id = $2 where invoice = $1")
        .bind(number)
        .bind(provider_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Keeps a charge that failed; false when it is known.
pub(crate) async fn insert_failure(tx: &mut Tx, customer: CustomerId, failure: &ChargeFailure) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into charge_attempts (id, invoice, customer_id, amount, reason, failed_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing",
    )
    .bind(&failure.id)
    .bind(&failure.invoice)
    .bind(customer.to_string())
    .bind(failure.amount.get())
    .bind(&failure.reason)
    .bind(millis(failure.failed_at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Charges of a customer's invoice that failed, oldest first.
pub(crate) async fn failures(db: &Db, customer: CustomerId, number: &str) -> Result<Vec<ChargeFailure>, Error> {
    let rows = sqlx::query(
        "select id, invoice, amount, reason, failed_at from charge_attempts
         where customer_id = $1 and invoice = $2 order by failed_at, id",
    )
    .bind(customer.to_string())
    .bind(number)
    .fetch_all(db.read())
    .await?;
    rows.iter().map(failure).collect()
}

/// The last charge of each invoice that is still to be paid, newest first, for whoever runs the house.
pub(crate) async fn unsettled(db: &Db, limit: u32) -> Result<Vec<(CustomerId, ChargeFailure)>, Error> {
    let rows = sqlx::query(
        "select a.id, a.invoice, a.customer_id, a.amount, a.reason, a.failed_at
         from charge_attempts a join invoices v on v.number = a.invoice
         where v.outstanding > 0
             and not exists (select 1 from charge_attempts l where l.invoice = a.invoice
                                 and (l.failed_at > a.failed_at or (l.failed_at = a.failed_at and l.id > a.id)))
         order by a.failed_at desc, a.id desc limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(|row| Ok((CustomerId::from_stored(row.try_get("customer_id")?)?, failure(row)?))).collect()
}

/// Numbers of a customer's invoices of which a charge failed, paid or not.
pub(crate) async fn failed_invoices(tx: &mut Tx, customer: CustomerId) -> Result<Vec<String>, Error> {
    sqlx::query_scalar("select distinct invoice from charge_attempts where customer_id = $1")
        .bind(customer.to_string())
        .fetch_all(&mut **tx)
        .await
}

/// The latest charge of a customer's that failed.
pub(crate) async fn last_failure(tx: &mut Tx, customer: CustomerId) -> Result<Option<ChargeFailure>, Error> {
    let row = sqlx::query(
        "select id, invoice, amount, reason, failed_at from charge_attempts
         where customer_id = $1 order by failed_at desc, id desc limit 1",
    )
    .bind(customer.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(failure).transpose()
}

fn failure(row: &AnyRow) -> Result<ChargeFailure, Error> {
    Ok(ChargeFailure {
        id: row.try_get("id")?,
        invoice: row.try_get("invoice")?,
        amount: Cents::new(row.try_get("amount")?),
        reason: row.try_get("reason")?,
        failed_at: from_millis(row.try_get("failed_at")?),
    })
}
