use std::collections::BTreeMap;

use domain::{Cents, Month, SpendId};
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::Entry;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120322,
    name: "spend on winning customers",
    sql: "
        create table spend (
            id text not null primary key,
            month text not null,
            amount bigint not null,
            purpose text not null,
            entry_key text unique,
            entered_by text not null,
            entered_at bigint not null
        );
        create index spend_month on spend (month);
        create table spend_taken_back (
            spend_id text not null primary key references spend (id),
            taken_back_by text not null,
            taken_back_at bigint not null
        );",
}];

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select s.*, t.taken_back_at, t.taken_back_by from spend s left join spend_taken_back t on t.spend_id = s.id ",
            $rest
        )
    };
}

/// Stores an entry, or finds the one that has its key; whether it was new.
pub(super) async fn insert(tx: &mut Tx, entry: &Entry, key: Option<&str>) -> Result<(Entry, bool), Error> {
    let done = sqlx::query(
        "insert into spend (id, month, amount, purpose, entry_key, entered_by, entered_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (entry_key) do nothing",
    )
    .bind(entry.id.to_string())
    .bind(entry.month.to_string())
    .bind(entry.amount.get())
    .bind(&entry.purpose)
    .bind(key)
    .bind(&entry.entered_by)
    .bind(millis(entry.entered_at))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() > 0 {
        return Ok((entry.clone(), true));
    }
    let row = sqlx::query(select!("where s.entry_key = $1")).bind(key).fetch_one(&mut **tx).await?;
    Ok((read(&row)?, false))
}

pub(super) async fn find(connection: &mut AnyConnection, id: SpendId) -> Result<Option<Entry>, Error> {
    let row = sqlx::query(select!("where s.id = $1")).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Whether it was not taken back before.
pub(super) async fn take_back(tx: &mut Tx, id: SpendId, at: Timestamp, by: &str) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into spend_taken_back (spend_id, taken_back_by, taken_back_at) values ($1, $2, $3)
         on conflict (spend_id) do nothing",
    )
    .bind(id.to_string())
    .bind(by)
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// All entries, or those of one month; the latest month first, in it what was entered last.
pub(crate) async fn list(db: &Db, month: Option<Month>) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query(select!("where $1 = '' or s.month = $1 order by s.month desc, s.id desc"))
        .bind(month.map(|month| month.to_string()).unwrap_or_default())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(read).collect()
}

/// What stands for each month; a month for which nothing was entered is not there.
pub(in crate::analytics) async fn by_month(db: &Db) -> Result<BTreeMap<Month, Cents>, Error> {
    let rows = sqlx::query(
        "select month, cast(sum(amount) as bigint) as amount from spend s
         where not exists (select 1 from spend_taken_back t where t.spend_id = s.id) group by month",
    )
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| Ok((Month::from_stored(row.try_get("month")?)?, Cents::new(row.try_get("amount")?))))
        .collect()
}

fn read(row: &AnyRow) -> Result<Entry, Error> {
    let taken_back_at = optional_from_millis(row.try_get("taken_back_at")?);
    let taken_back_by: Option<String> = row.try_get("taken_back_by")?;
    Ok(Entry {
        id: SpendId::from_stored(row.try_get("id")?)?,
        month: Month::from_stored(row.try_get("month")?)?,
        amount: Cents::new(row.try_get("amount")?),
        purpose: row.try_get("purpose")?,
        entered_by: row.try_get("entered_by")?,
        entered_at: from_millis(row.try_get("entered_at")?),
        taken_back: taken_back_at.zip(taken_back_by),
    })
}
