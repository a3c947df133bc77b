use domain::{Cents, CustomerId};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Difference, Found};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112962,
    name: "differences between the books and the payment provider",
    sql: "
        create table charge_differences (
            id text not null primary key,
            invoice text not null,
            customer_id text,
            what text not null,
            ours bigint not null,
            theirs bigint not null,
            reason text not null,
            since bigint not null,
            closed_at bigint
        );
        create index charge_differences_closed on charge_differences (closed_at);",
}];

/// An invoice of ours that was to be charged.
#[derive(Debug, Clone)]
pub(crate) struct Charged {
    pub number: String,
    pub customer: CustomerId,
    pub outstanding: Cents,
    /// Whether the provider answered for it once.
    pub is_known_there: bool,
}

/// Invoices issued since a moment that were to be charged, but for those that are being worked on.
pub(crate) async fn charged_since(db: &Db, since: Timestamp) -> Result<Vec<Charged>, Error> {
    let rows = sqlx::query(
        "select v.number, v.customer_id, v.outstanding, c.provider_id
         from invoices v join invoice_collections c on c.invoice = v.number
         where v.issued_at >= $1 and not exists (
             select 1 from workflows w where w.subject = v.number and w.state in ('running', 'undoing'))
         order by v.customer_id, v.seq",
    )
    .bind(millis(since))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Charged {
                number: row.try_get("number")?,
                customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
                outstanding: Cents::new(row.try_get("outstanding")?),
                is_known_there: row.try_get::<Option<String>, _>("provider_id")?.is_some(),
            })
        })
        .collect()
}

/// The ids of the differences that are open.
pub(crate) async fn open_ids(tx: &mut Tx) -> Result<Vec<String>, Error> {
    sqlx::query_scalar("select id from charge_differences where closed_at is null").fetch_all(&mut **tx).await
}

/// Keeps a difference. One that is open keeps its beginning.
pub(crate) async fn keep(tx: &mut Tx, found: &Found, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into charge_differences (id, invoice, customer_id, what, ours, theirs, reason, since)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (id) do update set ours = excluded.ours, theirs = excluded.theirs, reason = excluded.reason,
             since = case when charge_differences.closed_at is null then charge_differences.since
                     else excluded.since end,
             closed_at = null",
    )
    .bind(found.id())
    .bind(&found.invoice)
    .bind(found.customer.map(|id| id.to_string()))
    .bind(found.what)
    .bind(found.ours.get())
    .bind(found.theirs.get())
    .bind(&found.reason)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Closes a difference that is not seen any more.
pub(crate) async fn close(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update charge_differences set closed_at = $2 where id = $1 and closed_at is null")
        .bind(id)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Differences for the operator: open ones the oldest first, closed ones the latest first.
pub(crate) async fn list(db: &Db, is_open: bool, limit: u32) -> Result<Vec<Difference>, Error> {
    let rows = if is_open {
        sqlx::query("select * from charge_differences where closed_at is null order by since, id limit $1")
    } else {
        sqlx::query("select * from charge_differences where closed_at is not null order by closed_at desc, id limit $1")
    };
    rows.bind(i64::from(limit)).fetch_all(db.read()).await?.iter().map(difference).collect()
}

fn difference(row: &AnyRow) -> Result<Difference, Error> {
    let customer: Option<String> = row.try_get("customer_id")?;
    Ok(Difference {
        invoice: row.try_get("invoice")?,
        customer: customer.as_deref().map(CustomerId::from_stored).transpose()?,
        what: row.try_get("what")?,
        ours: Cents::new(row.try_get("ours")?),
        theirs: Cents::new(row.try_get("theirs")?),
        reason: row.try_get("reason")?,
        since: from_millis(row.try_get("since")?),
        closed_at: optional_from_millis(row.try_get("closed_at")?),
    })
}
