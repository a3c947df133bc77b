use domain::CannedAnswerId;
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, millis};

use super::CannedAnswer;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120313,
    name: "canned answers",
    sql: "
        create table canned_answers (
            id text not null primary key,
            name text not null unique,
            words text not null,
            added_at bigint not null
        );",
}];

/// Stores one. A unique violation means that there is one of that name.
pub(super) async fn insert(tx: &mut Tx, answer: &CannedAnswer, now: Timestamp) -> Result<(), Error> {
    sqlx::query("insert into canned_answers (id, name, words, added_at) values ($1, $2, $3, $4)")
        .bind(answer.id.to_string())
        .bind(&answer.name)
        .bind(&answer.text)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes one. Whether it was there.
pub(super) async fn remove(tx: &mut Tx, id: CannedAnswerId) -> Result<bool, Error> {
    let removed =
        sqlx::query("delete from canned_answers where id = $1").bind(id.to_string()).execute(&mut **tx).await?;
    Ok(removed.rows_affected() > 0)
}

/// All of them, by name.
pub(crate) async fn list(db: &Db) -> Result<Vec<CannedAnswer>, Error> {
    let rows = sqlx::query("select * from canned_answers order by name, id").fetch_all(db.read()).await?;
    rows.iter().map(answer).collect()
}

fn answer(row: &AnyRow) -> Result<CannedAnswer, Error> {
    Ok(CannedAnswer {
        id: CannedAnswerId::from_stored(row.try_get("id")?)?,
        name: row.try_get("name")?,
        text: row.try_get("words")?,
    })
}
