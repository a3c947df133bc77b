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
            added_at bigint not null
        );",
}];

/// Makes sure that a person is an operator; one who is keeps the role there is.
pub(crate) async fn ensure(db: &Db, email: &Email, role: OperatorRole, now: Timestamp) -> Result<(), Error> {
    sqlx::query("insert into operators (email, role, added_at) values ($1, $2, $3) on conflict (email) do nothing")
        .bind(email.as_str())
        .bind(role.as_str())
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(())
}

/// What a person may do in the console, if anything.
pub(crate) async fn role_of(db: &Db, email: &Email) -> Result<Option<OperatorRole>, Error> {
    let word: Option<String> = sqlx::query_scalar("select role from operators where email = $1")
        .bind(email.as_str())
        .fetch_optional(db.read())
        .await?;
    word.as_deref().map(OperatorRole::from_stored).transpose()
}
