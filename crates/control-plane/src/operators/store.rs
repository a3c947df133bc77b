use domain::{Email, OperatorRole};
use jiff::Timestamp;
use store::sqlx::{self, Error};
use store::{Db, Migration, millis};

use crate::text::Stored as _;

/// The table of operators.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112445,
    name: "operators",
    sql: "
        create table operators (
            email text not null primary key,
            role text not null,
            added_at bigint not null,
            from_settings bigint not null
        );",
}];

/// Makes the person whom the settings name an owner, and takes that from whoever they named before.
pub(crate) async fn appoint(db: &Db, email: &Email, now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query("delete from operators where from_settings = 1 and email <> $1")
        .bind(email.as_str())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "insert into operators (email, role, added_at, from_settings) values ($1, $2, $3, 1)
         on conflict (email) do update set role = excluded.role",
    )
    .bind(email.as_str())
    .bind(OperatorRole::Owner.as_str())
    .bind(millis(now))
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Everybody who may do at least that.
pub(crate) async fn at_least(db: &Db, least: OperatorRole) -> Result<Vec<Email>, Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select email, role from operators order by email").fetch_all(db.read()).await?;
    let mut people = Vec::new();
    for (email, role) in rows {
        if OperatorRole::from_stored(&role)? >= least {
            people.push(Email::from_stored(&email)?);
        }
    }
    Ok(people)
}

/// What a person may do in the console, if anything.
pub(crate) async fn role_of(db: &Db, email: &Email) -> Result<Option<OperatorRole>, Error> {
    let word: Option<String> = sqlx::query_scalar("select role from operators where email = $1")
        .bind(email.as_str())
        .fetch_optional(db.read())
        .await?;
    word.as_deref().map(OperatorRole::from_stored).transpose()
}
