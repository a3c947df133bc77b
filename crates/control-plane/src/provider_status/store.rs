use jiff::Timestamp;
use providers::status_feed::{Condition, SelfReport};
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, millis, optional_from_millis};

use super::Said;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026113043,
    name: "what providers say of themselves",
    sql: "
        create table provider_status (
            name text not null primary key,
            tried_at bigint not null,
            condition_word text,
            words text,
            read_at bigint,
            trouble text
        );",
}];

/// Whether it is our turn to read a page that was last tried before then. Of two replicas one gets it.
pub(super) async fn take_turn(db: &Db, name: &str, now: Timestamp, before: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into provider_status (name, tried_at) values ($1, $2)
         on conflict (name) do update set tried_at = excluded.tried_at where provider_status.tried_at <= $3",
    )
    .bind(name)
    .bind(millis(now))
    .bind(millis(before))
    .execute(db.write())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn said(tx: &mut Tx, name: &str, report: &SelfReport, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update provider_status set condition_word = $2, words = $3, read_at = $4, trouble = null where name = $1",
    )
    .bind(name)
    .bind(report.condition.as_str())
    .bind(&report.words)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was read before stays, with its time.
pub(super) async fn failed(db: &Db, name: &str, why: &str) -> Result<(), Error> {
    sqlx::query("update provider_status set trouble = $2 where name = $1")
        .bind(name)
        .bind(why)
        .execute(db.write())
        .await?;
    Ok(())
}

/// What was read of each, by name.
pub(crate) async fn list(db: &Db) -> Result<Vec<Said>, Error> {
    let rows = sqlx::query("select * from provider_status where read_at is not null order by name")
        .fetch_all(db.read())
        .await?;
    let mut all = Vec::new();
    for row in rows {
        let word: &str = row.try_get("condition_word")?;
        let at: Option<Timestamp> = optional_from_millis(row.try_get("read_at")?);
        let condition = Condition::parse(word);
        let Some((condition, at)) = condition.zip(at) else {
            return Err(Error::Decode(format!("{word:?} is no condition of a provider").into()));
        };
        all.push(Said {
            name: row.try_get("name")?,
            condition,
            words: row.try_get("words")?,
            at,
            trouble: row.try_get("trouble")?,
        });
    }
    Ok(all)
}
