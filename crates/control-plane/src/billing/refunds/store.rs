use domain::{Cents, CustomerId};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::Refund;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[REFUNDS, ENDINGS];

const REFUNDS: Migration = Migration {
    version: 2026112980,
    name: "refunds",
    sql: "
        create table refunds (
            reference text not null primary key,
            invoice text not null references invoices (number),
            customer_id text not null references customers (id),
            amount bigint not null,
            tax bigint not null,
            reason text not null,
            author text not null,
            requested_at bigint not null,
            booked_at bigint
        );
        create index refunds_invoice on refunds (invoice);",
};

/// An invoice may be paid again after a bank took its payment back; and what is given back may not arrive.
const ENDINGS: Migration = Migration {
    version: 2026112982,
    name: "endings of refunds",
    sql: "
        alter table refunds add column charge text;
        alter table refunds add column withdrawn_at bigint;
        alter table refunds add column returned_at bigint;",
};

/// Keeps that money shall go back.
pub(crate) async fn insert(tx: &mut Tx, refund: &Refund) -> Result<(), Error> {
    sqlx::query(
        "insert into refunds (reference, invoice, customer_id, amount, tax, reason, author, requested_at, charge)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&refund.reference)
    .bind(&refund.invoice)
    .bind(refund.customer.to_string())
    .bind(refund.amount.get())
    .bind(refund.tax.get())
    .bind(&refund.reason)
    .bind(&refund.author)
    .bind(millis(refund.requested_at))
    .bind(&refund.charge)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes that it went.
pub(crate) async fn booked(tx: &mut Tx, reference: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update refunds set booked_at = $2, withdrawn_at = null where reference = $1")
        .bind(reference)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes that it did not go, and nobody pursues it.
pub(crate) async fn withdrawn(tx: &mut Tx, reference: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update refunds set withdrawn_at = $2 where reference = $1 and booked_at is null")
        .bind(reference)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes that it came back.
pub(crate) async fn returned(tx: &mut Tx, reference: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update refunds set returned_at = $2 where reference = $1 and returned_at is null")
        .bind(reference)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A refund that did not go, if somebody gave the workflow up that pursues it.
pub(crate) async fn given_up(tx: &mut Tx, workflow: &str, reference: &str) -> Result<Option<Refund>, Error> {
    let row = sqlx::query(
        "select r.* from refunds r where r.reference = $2 and r.booked_at is null and r.withdrawn_at is null
             and exists (select 1 from workflows w where w.id = $1 and w.cancel_reason is not null)",
    )
    .bind(workflow)
    .bind(reference)
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(refund).transpose()
}

/// Refunds that were begun, did not go, and that no workflow of these kinds pursues: there is none, or it waits for a
/// person who gave it up already.
pub(crate) async fn abandoned(tx: &mut Tx, giving: &str, settling: &str) -> Result<Vec<Refund>, Error> {
    let rows = sqlx::query(
        "select r.* from refunds r where r.booked_at is null and r.withdrawn_at is null and not exists (
             select 1 from workflows w where w.subject = r.invoice and w.kind in ($1, $2)
                 and (w.state in ('running', 'undoing') or (w.state = 'stuck' and w.cancel_reason is null)))
         order by r.requested_at, r.reference",
    )
    .bind(giving)
    .bind(settling)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(refund).collect()
}

/// Whether one of an invoice is being given back at the moment, by a workflow of these kinds.
pub(crate) async fn is_under_way(tx: &mut Tx, number: &str, giving: &str, settling: &str) -> Result<bool, Error> {
    let count: i64 = sqlx::query_scalar(
        "select count(*) from refunds r where r.invoice = $1 and r.booked_at is null and r.withdrawn_at is null
             and exists (select 1 from workflows w where w.subject = r.invoice and w.kind in ($2, $3)
                             and w.state in ('running', 'undoing'))",
    )
    .bind(number)
    .bind(giving)
    .bind(settling)
    .fetch_one(&mut **tx)
    .await?;
    Ok(count > 0)
}

pub(crate) async fn find(tx: &mut Tx, reference: &str) -> Result<Option<Refund>, Error> {
    let row =
        sqlx::query("select * from refunds where reference = $1").bind(reference).fetch_optional(&mut **tx).await?;
    row.as_ref().map(refund).transpose()
}

/// What went back of an invoice, or is under way.
pub(crate) async fn given(tx: &mut Tx, number: &str) -> Result<Cents, Error> {
    Ok(given_with_taxes(tx, number).await?.0)
}

/// The same, and what of it are taxes.
pub(crate) async fn given_with_taxes(tx: &mut Tx, number: &str) -> Result<(Cents, Cents), Error> {
    let row = sqlx::query(
        "select cast(coalesce(sum(amount), 0) as bigint) as given, cast(coalesce(sum(tax), 0) as bigint) as taxes
         from refunds where invoice = $1 and withdrawn_at is null and returned_at is null",
    )
    .bind(number)
    .fetch_one(&mut **tx)
    .await?;
    Ok((Cents::new(row.try_get("given")?), Cents::new(row.try_get("taxes")?)))
}

/// What went back of one payment, or is under way, by the name under which it was collected.
pub(crate) async fn given_of(tx: &mut Tx, charge: &str) -> Result<Cents, Error> {
    let sum: i64 = sqlx::query_scalar(
        "select cast(coalesce(sum(amount), 0) as bigint) from refunds
         where coalesce(charge, invoice) = $1 and withdrawn_at is null and returned_at is null",
    )
    .bind(charge)
    .fetch_one(&mut **tx)
    .await?;
    Ok(Cents::new(sum))
}

/// What goes back to a customer of an invoice, oldest first.
pub(crate) async fn of(db: &Db, customer: CustomerId, number: &str) -> Result<Vec<Refund>, Error> {
    let rows =
        sqlx::query("select * from refunds where customer_id = $1 and invoice = $2 order by requested_at, reference")
            .bind(customer.to_string())
            .bind(number)
            .fetch_all(db.read())
            .await?;
    rows.iter().map(refund).collect()
}

/// What goes back to a customer of any invoice, newest first.
pub(crate) async fn of_customer(db: &Db, customer: CustomerId, limit: u32) -> Result<Vec<Refund>, Error> {
    let rows =
        sqlx::query("select * from refunds where customer_id = $1 order by requested_at desc, reference limit $2")
            .bind(customer.to_string())
            .bind(i64::from(limit))
            .fetch_all(db.read())
            .await?;
    rows.iter().map(refund).collect()
}

fn refund(row: &AnyRow) -> Result<Refund, Error> {
    Ok(Refund {
        reference: row.try_get("reference")?,
        charge: row.try_get::<Option<String>, _>("charge")?.map_or_else(|| row.try_get("invoice"), Ok)?,
        invoice: row.try_get("invoice")?,
        customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
        amount: Cents::new(row.try_get("amount")?),
        tax: Cents::new(row.try_get("tax")?),
        reason: row.try_get("reason")?,
        author: row.try_get("author")?,
        requested_at: from_millis(row.try_get("requested_at")?),
        booked_at: optional_from_millis(row.try_get("booked_at")?),
        withdrawn_at: optional_from_millis(row.try_get("withdrawn_at")?),
        returned_at: optional_from_millis(row.try_get("returned_at")?),
    })
}
