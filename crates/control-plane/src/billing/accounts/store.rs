use billing::ledger::Transaction;
use domain::CustomerId;
use store::sqlx::{self, AnyConnection, Error, Row as _};
use store::{Db, Migration, Tx, millis};

use super::Entry;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112945,
    name: "ledgers",
    sql: "
        create table ledgers (
            customer_id text not null primary key references customers (id),
            entries bigint not null
        );
        create table ledger_transactions (
            customer_id text not null references ledgers (customer_id),
            seq bigint not null,
            id text not null unique,
            document text not null,
            author text not null,
            reason text not null,
            recorded_at bigint not null,
            primary key (customer_id, id),
            unique (customer_id, seq)
        );",
}];

/// Keeps everybody else from changing a customer's book until the transaction ends; makes the book if there is none.
pub(crate) async fn lock(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    sqlx::query("insert into ledgers (customer_id, entries) values ($1, 0) on conflict (customer_id) do nothing")
        .bind(customer.to_string())
        .execute(&mut **tx)
        .await?;
    // On PostgreSQL an update holds the row; on SQLite the transaction holds everything.
    sqlx::query("update ledgers set entries = entries where customer_id = $1")
        .bind(customer.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Adds a transaction at the end; a unique violation means that another customer's book has it.
pub(crate) async fn append(
    tx: &mut Tx,
    customer: CustomerId,
    transaction: &Transaction,
    entry: Entry<'_>,
) -> Result<(), Error> {
    let seq: i64 =
        sqlx::query_scalar("update ledgers set entries = entries + 1 where customer_id = $1 returning entries")
            .bind(customer.to_string())
            .fetch_one(&mut **tx)
            .await?;
    let document = serde_json::to_string(transaction).map_err(|error| Error::Encode(error.into()))?;
    let brought_in = transaction.brought_in().map_err(|error| Error::Encode(error.into()))?;
    sqlx::query(
        "insert into ledger_transactions (customer_id, seq, id, document, author, reason, recorded_at, brought_in)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(customer.to_string())
    .bind(seq)
    .bind(transaction.id().as_str())
    .bind(document)
    .bind(entry.author)
    .bind(entry.reason)
    .bind(millis(entry.now))
    .bind(brought_in.get())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A customer's transactions, as recorded.
pub(crate) async fn transactions(
    connection: &mut AnyConnection,
    customer: CustomerId,
) -> Result<Vec<Transaction>, Error> {
    let documents: Vec<String> =
        sqlx::query_scalar("select document from ledger_transactions where customer_id = $1 order by seq")
            .bind(customer.to_string())
            .fetch_all(connection)
            .await?;
    let parsed = documents.iter().map(|text| serde_json::from_str(text));
    parsed.collect::<Result<_, _>>().map_err(|error| Error::Decode(error.into()))
}

/// A transaction as it lies in the store, whether it can be read or not.
#[derive(Debug)]
pub(crate) struct Raw {
    pub seq: i64,
    pub id: String,
    pub document: String,
}

/// What lies in a customer's book, unread.
pub(crate) async fn raw(connection: &mut AnyConnection, customer: CustomerId) -> Result<Vec<Raw>, Error> {
    let rows = sqlx::query("select seq, id, document from ledger_transactions where customer_id = $1 order by seq")
        .bind(customer.to_string())
        .fetch_all(connection)
        .await?;
    let raw = |row: &sqlx::any::AnyRow| {
        Ok(Raw { seq: row.try_get("seq")?, id: row.try_get("id")?, document: row.try_get("document")? })
    };
    rows.iter().map(raw).collect()
}

/// Who made an entry, and why, by its id; oldest first.
pub(crate) async fn notes(db: &Db, customer: CustomerId) -> Result<Vec<(String, String, String)>, Error> {
    let rows = sqlx::query("select id, author, reason from ledger_transactions where customer_id = $1 order by seq")
        .bind(customer.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("author")?, row.try_get("reason")?))).collect()
}

/// Customers with a book, by id, after one; with the number of entries that it should have.
pub(crate) async fn customers(db: &Db, after: &str, limit: u32) -> Result<Vec<(CustomerId, i64)>, Error> {
    let rows =
        sqlx::query("select customer_id, entries from ledgers where customer_id > $1 order by customer_id limit $2")
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(db.read())
            .await?;
    rows.iter()
        .map(|row| Ok((CustomerId::from_stored(row.try_get("customer_id")?)?, row.try_get("entries")?)))
        .collect()
}
