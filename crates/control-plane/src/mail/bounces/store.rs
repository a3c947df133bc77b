use domain::Email;
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Bounce;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112871,
    name: "bounces",
    sql: "
        alter table messages add column useless_at bigint;
        alter table messages add column obstacle text;
        create table bounces (
            address text not null primary key,
            first_at bigint not null,
            last_at bigint not null,
            answer text not null
        );",
}];

/// Notes that an address took no mail. Since when it does not.
pub(crate) async fn note(tx: &mut Tx, address: &Email, answer: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let since: i64 = sqlx::query_scalar(
        "insert into bounces (address, first_at, last_at, answer) values ($1, $2, $2, $3)
         on conflict (address) do update set last_at = excluded.last_at, answer = excluded.answer
         returning first_at",
    )
    .bind(address.as_str())
    .bind(millis(now))
    .bind(answer)
    .fetch_one(&mut **tx)
    .await?;
    Ok(from_millis(since))
}

pub(crate) async fn find(db: &Db, address: &Email) -> Result<Option<Bounce>, Error> {
    let row = sqlx::query("select * from bounces where address = $1")
        .bind(address.as_str())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(bounce).transpose()
}

/// Forgets a bounce. Whether there was one.
pub(crate) async fn remove(tx: &mut Tx, address: &Email) -> Result<bool, Error> {
    let removed =
        sqlx::query("delete from bounces where address = $1").bind(address.as_str()).execute(&mut **tx).await?;
    Ok(removed.rows_affected() > 0)
}

fn bounce(row: &AnyRow) -> Result<Bounce, Error> {
    Ok(Bounce {
        since: from_millis(row.try_get("first_at")?),
        last_at: from_millis(row.try_get("last_at")?),
        answer: row.try_get("answer")?,
    })
}
