use domain::Email;
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Suppressed;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120325,
    name: "who wants no mail",
    sql: "
        create table mail_suppressions (
            email text not null primary key,
            since bigint not null,
            asked_by text not null
        );",
}];

/// Puts an address on the list; whether it was not there before.
pub(super) async fn insert(tx: &mut Tx, email: &Email, at: Timestamp, by: &str) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into mail_suppressions (email, since, asked_by) values ($1, $2, $3) on conflict (email) do nothing",
    )
    .bind(email.as_str())
    .bind(millis(at))
    .bind(by)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn find(connection: &mut AnyConnection, email: &Email) -> Result<Option<Suppressed>, Error> {
    let row = sqlx::query("select * from mail_suppressions where email = $1")
        .bind(email.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// By address, after one.
pub(crate) async fn list(db: &Db, after: &str, limit: u32) -> Result<Vec<Suppressed>, Error> {
    let rows = sqlx::query("select * from mail_suppressions where email > $1 order by email limit $2")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Suppressed, Error> {
    Ok(Suppressed {
        email: Email::from_stored(row.try_get("email")?)?,
        since: from_millis(row.try_get("since")?),
        asked_by: row.try_get("asked_by")?,
    })
}
