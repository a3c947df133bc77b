use domain::CustomerId;
use providers::payments::Dispute;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::Kept;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112981,
    name: "disputes",
    sql: "
        create table disputes (
            id text not null primary key,
            invoice text references invoices (number),
            customer_id text references customers (id),
            state text not null,
            document text not null,
            problem text,
            opened_at bigint not null,
            looked_at bigint not null,
            ended_at bigint
        );
        create index disputes_invoice on disputes (invoice);
        create index disputes_opened on disputes (opened_at);",
}];

/// Keeps how a dispute stands. For whoever holds the book of the customer whom it is about.
pub(crate) async fn keep(tx: &mut Tx, kept: &Kept) -> Result<(), Error> {
    let document = serde_json::to_string(&kept.dispute).map_err(|error| Error::Encode(error.into()))?;
    sqlx::query(
        "insert into disputes (id, invoice, customer_id, state, document, problem, opened_at, looked_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (id) do update set invoice = excluded.invoice, customer_id = excluded.customer_id,
             state = excluded.state, document = excluded.document, problem = excluded.problem,
             looked_at = excluded.looked_at, ended_at = excluded.ended_at",
    )
    .bind(&kept.dispute.id)
    .bind(kept.invoice.as_deref())
    .bind(kept.customer.map(|id| id.to_string()))
    .bind(kept.dispute.state.as_str())
    .bind(document)
    .bind(kept.problem.as_deref())
    .bind(millis(kept.dispute.opened_at))
    .bind(millis(kept.looked_at))
    .bind(kept.ended_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut Tx, id: &str) -> Result<Option<Kept>, Error> {
    let row = sqlx::query("select * from disputes where id = $1").bind(id).fetch_optional(&mut **tx).await?;
    row.as_ref().map(kept).transpose()
}

/// The ids of those that no bank has decided yet.
pub(crate) async fn open_ids(tx: &mut Tx) -> Result<Vec<String>, Error> {
    sqlx::query_scalar("select id from disputes where ended_at is null order by id").fetch_all(&mut **tx).await
}

/// Those that could not be booked.
pub(crate) async fn problems(tx: &mut Tx) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query("select * from disputes where problem is not null order by id").fetch_all(&mut **tx).await?;
    rows.iter().map(kept).collect()
}

/// Disputes about the payments of a customer's invoice, oldest first.
pub(crate) async fn of(connection: &mut AnyConnection, customer: CustomerId, number: &str) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query("select * from disputes where customer_id = $1 and invoice = $2 order by opened_at, id")
        .bind(customer.to_string())
        .bind(number)
        .fetch_all(connection)
        .await?;
    rows.iter().map(kept).collect()
}

/// All of a customer's, newest first.
pub(crate) async fn of_customer(db: &Db, customer: CustomerId, limit: u32) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query("select * from disputes where customer_id = $1 order by opened_at desc, id desc limit $2")
        .bind(customer.to_string())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(kept).collect()
}

/// Disputes for the operator: open ones the oldest first, those that are over the latest first.
pub(crate) async fn list(db: &Db, is_open: bool, limit: u32) -> Result<Vec<Kept>, Error> {
    let rows = if is_open {
        sqlx::query("select * from disputes where ended_at is null order by opened_at, id limit $1")
    } else {
        sqlx::query("select * from disputes where ended_at is not null order by ended_at desc, id limit $1")
    };
    rows.bind(i64::from(limit)).fetch_all(db.read()).await?.iter().map(kept).collect()
}

fn kept(row: &AnyRow) -> Result<Kept, Error> {
    let dispute: Dispute =
        serde_json::from_str(row.try_get("document")?).map_err(|error| Error::Decode(error.into()))?;
    let customer: Option<String> = row.try_get("customer_id")?;
    Ok(Kept {
        dispute,
        invoice: row.try_get("invoice")?,
        customer: customer.as_deref().map(CustomerId::from_stored).transpose()?,
        problem: row.try_get("problem")?,
        looked_at: from_millis(row.try_get("looked_at")?),
        ended_at: optional_from_millis(row.try_get("ended_at")?),
    })
}
