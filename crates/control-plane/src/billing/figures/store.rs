use billing::ledger::{Kind, Transaction, TransactionId};
use domain::{Cents, CustomerId};
use jiff::Timestamp;
use jiff::civil::Date;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, millis};

use super::Booked;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112948,
        name: "figures by time",
        sql: "
        create index ledger_transactions_recorded on ledger_transactions (recorded_at);
        create index invoices_issued on invoices (issued_on);",
    },
    // What was recorded before has none, and is read whole. The indexes hold all that the sums are made of.
    Migration {
        version: 2026120290,
        name: "what transactions brought in",
        sql: "
        alter table ledger_transactions add column brought_in bigint;
        drop index ledger_transactions_recorded;
        create index ledger_transactions_recorded on ledger_transactions (recorded_at, id, brought_in);
        drop index invoices_issued;
        create index invoices_issued on invoices (issued_on, total);",
    },
];

/// What the invoices of some days come to, from the first up to, and without, the last.
pub(crate) async fn invoiced(db: &Db, from: Date, until: Date) -> Result<Cents, Error> {
    let total: i64 = sqlx::query_scalar(
        "select cast(coalesce(sum(total), 0) as bigint) from invoices where issued_on >= $1 and issued_on < $2",
    )
    .bind(from.to_string())
    .bind(until.to_string())
    .fetch_one(db.read())
    .await?;
    Ok(Cents::new(total))
}

/// What is owed, and how much of that is late.
pub(crate) async fn owed(db: &Db, today: Date) -> Result<(Cents, Cents), Error> {
    let row = sqlx::query(
        "select cast(coalesce(sum(outstanding), 0) as bigint) as owed,
                cast(coalesce(sum(case when due_on < $1 then outstanding else 0 end), 0) as bigint) as late
         from invoices where outstanding > 0",
    )
    .bind(today.to_string())
    .fetch_one(db.read())
    .await?;
    Ok((Cents::new(row.try_get("owed")?), Cents::new(row.try_get("late")?)))
}

/// What everybody's books say that came in in a time, less what went back.
pub(crate) async fn received(db: &Db, from: Timestamp, until: Timestamp) -> Result<Cents, Error> {
    let known: i64 = sqlx::query_scalar(
        "select cast(coalesce(sum(brought_in), 0) as bigint) from ledger_transactions
         where recorded_at >= $1 and recorded_at < $2",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_one(db.read())
    .await?;
    let documents: Vec<String> = sqlx::query_scalar(
        "select document from ledger_transactions where recorded_at >= $1 and recorded_at < $2 and brought_in is null",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_all(db.read())
    .await?;
    let mut received = Cents::new(known);
    for document in &documents {
        let brought_in = transaction(document)?.brought_in().map_err(|error| Error::Decode(error.into()))?;
        received = received.checked_add(brought_in).ok_or_else(|| Error::Decode(billing::OutOfRange.into()))?;
    }
    Ok(received)
}

fn transaction(document: &str) -> Result<Transaction, Error> {
    serde_json::from_str(document).map_err(|error| Error::Decode(error.into()))
}

/// What was booked in everybody's books in a time, all of it or one kind, newest first.
pub(crate) async fn booked(
    db: &Db,
    (from, until): (Timestamp, Timestamp),
    kind: Option<Kind>,
) -> Result<Vec<Booked>, Error> {
    let beginning = kind.map(|kind| TransactionId::of(kind, ""));
    let rows = sqlx::query(
        "select customer_id, document, author, reason from ledger_transactions
         where recorded_at >= $1 and recorded_at < $2 and substr(id, 1, length($3)) = $3
         order by recorded_at desc, id",
    )
    .bind(millis(from))
    .bind(millis(until))
    .bind(beginning.as_ref().map_or("", TransactionId::as_str))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Booked {
                customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
                transaction: transaction(row.try_get("document")?)?,
                author: row.try_get("author")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

/// The last days on which invoices were issued, with their number and sum, newest first.
pub(crate) async fn issued_days(db: &Db, limit: u32) -> Result<Vec<(Date, u64, Cents)>, Error> {
    let rows = sqlx::query(
        "select issued_on, count(*) as invoices, cast(sum(total) as bigint) as total
         from invoices group by issued_on order by issued_on desc limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let day: Date = row
                .try_get::<&str, _>("issued_on")?
                .parse()
                .map_err(|error: jiff::Error| Error::Decode(error.into()))?;
            let count: i64 = row.try_get("invoices")?;
            Ok((day, count.unsigned_abs(), Cents::new(row.try_get("total")?)))
        })
        .collect()
}
