use domain::{Cents, CustomerId};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Refund;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
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
}];

/// Keeps that money shall go back.
pub(crate) async fn insert(tx: &mut Tx, refund: &Refund) -> Result<(), Error> {
    sqlx::query(
        "insert into refunds (reference, invoice, customer_id, amount, tax, reason, author, requested_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&refund.reference)
    .bind(&refund.invoice)
    .bind(refund.customer.to_string())
    .bind(refund.amount.get())
    .bind(refund.tax.get())
    .bind(&refund.reason)
    .bind(&refund.author)
    .bind(millis(refund.requested_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes that it went.
pub(crate) async fn booked(tx: &mut Tx, reference: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update refunds set booked_at = $2 where reference = $1")
        .bind(reference)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut Tx, reference: &str) -> Result<Option<Refund>, Error> {
    let row =
        sqlx::query("select * from refunds where reference = $1").bind(reference).fetch_optional(&mut **tx).await?;
    row.as_ref().map(refund).transpose()
}

/// What went back of an invoice, or is under way.
pub(crate) async fn given(tx: &mut Tx, number: &str) -> Result<Cents, Error> {
    let sum: i64 =
        sqlx::query_scalar("select cast(coalesce(sum(amount), 0) as bigint) from refunds where invoice = $1")
            .bind(number)
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

fn refund(row: &AnyRow) -> Result<Refund, Error> {
    Ok(Refund {
        reference: row.try_get("reference")?,
        invoice: row.try_get("invoice")?,
        customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
        amount: Cents::new(row.try_get("amount")?),
        tax: Cents::new(row.try_get("tax")?),
        reason: row.try_get("reason")?,
        author: row.try_get("author")?,
        requested_at: from_millis(row.try_get("requested_at")?),
        booked_at: row.try_get::<Option<i64>, _>("booked_at")?.map(from_millis),
    })
}
