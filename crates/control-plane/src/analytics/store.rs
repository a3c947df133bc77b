//! What numbers are computed from: it was written by others, and is only read here.

use billing::ledger::Transaction;
use domain::{Cents, CustomerId, Month, UsageHour};
use jiff::Timestamp;
use serde::Deserialize;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, from_millis, millis};

use crate::alerts;
use crate::pool::claim::MAKING;
use crate::text::Stored as _;

/// What was invoiced before the column is read from the documents.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120320,
    name: "what invoices charge without taxes",
    sql: "
        alter table invoices add column net bigint;
        create index invoices_net on invoices (customer_id, period_start, net);
        create index workflows_created on workflows (created_at, id);",
}];

/// What of an invoice counts as revenue.
#[derive(Deserialize)]
struct Sold {
    net: Cents,
}

/// What each customer was charged for the periods that began in a month, without taxes and after discounts.
pub(super) async fn charges(db: &Db) -> Result<Vec<(CustomerId, Month, Cents)>, Error> {
    let month = |hour: i64| {
        let hour =
            UsageHour::from_number(hour).ok_or_else(|| Error::Decode(format!("{hour} is not an hour").into()))?;
        Ok::<_, Error>(hour.month())
    };
    let rows = sqlx::query(
        "select customer_id, period_start, cast(sum(net) as bigint) as net from invoices
         where net is not null group by customer_id, period_start",
    )
    .fetch_all(db.read())
    .await?;
    let mut charges = Vec::with_capacity(rows.len());
    for row in &rows {
        let customer = CustomerId::from_stored(row.try_get("customer_id")?)?;
        charges.push((customer, month(row.try_get("period_start")?)?, Cents::new(row.try_get("net")?)));
    }
    let rows = sqlx::query("select customer_id, period_start, document from invoices where net is null")
        .fetch_all(db.read())
        .await?;
    for row in &rows {
        let document: Vec<u8> = row.try_get("document")?;
        let sold: Sold = serde_json::from_slice(&document).map_err(|error| Error::Decode(error.into()))?;
        let customer = CustomerId::from_stored(row.try_get("customer_id")?)?;
        charges.push((customer, month(row.try_get("period_start")?)?, sold.net));
    }
    Ok(charges)
}

/// What was booked in a time and is neither an invoice nor a payment, and when: all that can take revenue away again.
pub(super) async fn corrections(
    db: &Db,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Timestamp, Transaction)>, Error> {
    let rows = sqlx::query(
        "select recorded_at, document from ledger_transactions where recorded_at >= $1 and recorded_at < $2
           and id not like 'charge:%' and id not like 'payment:%' and id not like 'credit!_applied:%' escape '!'",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let transaction: Transaction =
                serde_json::from_str(row.try_get("document")?).map_err(|error| Error::Decode(error.into()))?;
            Ok((from_millis(row.try_get("recorded_at")?), transaction))
        })
        .collect()
}

/// In which month each customer signed up.
pub(super) async fn signups(db: &Db) -> Result<Vec<(CustomerId, Month)>, Error> {
    let rows = sqlx::query("select id, created_at from customers").fetch_all(db.read()).await?;
    rows.iter()
        .map(|row| {
            let signed_up = from_millis(row.try_get("created_at")?);
            Ok((CustomerId::from_stored(row.try_get("id")?)?, Month::of(signed_up)))
        })
        .collect()
}

/// How far the customers have come by now who signed up in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub signed_up: u64,
    /// With an instance that was ready.
    pub ready: u64,
    /// With an hour in which it was used.
    pub used: u64,
    /// From whom a payment came in.
    pub paid: u64,
}

pub(super) async fn progress(db: &Db, from: Timestamp, until: Timestamp) -> Result<Progress, Error> {
    let row = sqlx::query(
        "select count(*) as signed_up,
                count(case when exists (select 1 from instances i
                      where i.customer_id = c.id and i.active_since is not null) then 1 end) as ready,
                count(case when exists (select 1 from instances i join usage_evidence e on e.instance_id = i.id
                      where i.customer_id = c.id) then 1 end) as used,
                count(case when exists (select 1 from ledger_transactions t
                      where t.customer_id = c.id and t.id like 'payment:%') then 1 end) as paid
         from customers c where c.created_at >= $1 and c.created_at < $2",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_one(db.read())
    .await?;
    let number = |column: &str| Ok::<_, Error>(row.try_get::<i64, _>(column)?.unsigned_abs());
    Ok(Progress {
        signed_up: number("signed_up")?,
        ready: number("ready")?,
        used: number("used")?,
        paid: number("paid")?,
    })
}

/// How many milliseconds each instance took that was made in a time, shortest first.
pub(super) async fn times_to_make(db: &Db, from: Timestamp, until: Timestamp) -> Result<Vec<i64>, Error> {
    let [one, other] = MAKING;
    sqlx::query_scalar(
        "select finished_at - created_at as took from workflows
         where created_at >= $1 and created_at < $2 and kind in ($3, $4) and state = 'done' and finished_at is not null
         order by took",
    )
    .bind(millis(from))
    .bind(millis(until))
    .bind(one)
    .bind(other)
    .fetch_all(db.read())
    .await
}

/// How many updates that were decided in a time succeeded, and how many failed.
pub(super) async fn updates(db: &Db, from: Timestamp, until: Timestamp) -> Result<(u64, u64), Error> {
    let row = sqlx::query(
        "select count(case when state = 'updated' then 1 end) as well,
                count(case when state in ('rolled_back', 'stuck') then 1 end) as failed
         from rollout_units where settled_at >= $1 and settled_at < $2",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_one(db.read())
    .await?;
    Ok((row.try_get::<i64, _>("well")?.unsigned_abs(), row.try_get::<i64, _>("failed")?.unsigned_abs()))
}

/// How many workflows were begun in a time, and how many of them a person had to retry or give up.
pub(super) async fn work(db: &Db, from: Timestamp, until: Timestamp) -> Result<(u64, u64), Error> {
    let row = sqlx::query(
        "select count(*) as begun,
                count(case when w.state = 'stuck' or exists (select 1 from audit_events a where a.subject = w.id
                      and a.action in ('workflow.retried', 'workflow.abandoned')) then 1 end) as needed
         from workflows w where w.created_at >= $1 and w.created_at < $2",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_one(db.read())
    .await?;
    Ok((row.try_get::<i64, _>("begun")?.unsigned_abs(), row.try_get::<i64, _>("needed")?.unsigned_abs()))
}

/// How often it was first seen in a time that somebody got in who does not belong there.
pub(super) async fn breaches(db: &Db, from: Timestamp, until: Timestamp) -> Result<u64, Error> {
    let found: i64 = sqlx::query_scalar(
        "select count(*) from alerts where kind = $1 and first_seen_at >= $2 and first_seen_at < $3",
    )
    .bind(alerts::Kind::IsolationBroken.as_str())
    .bind(millis(from))
    .bind(millis(until))
    .fetch_one(db.read())
    .await?;
    Ok(found.unsigned_abs())
}
