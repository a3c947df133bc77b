use jiff::Timestamp;
use jiff::civil::Date;
use store::sqlx::{self, Error};
use store::{Migration, Tx, millis};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112947,
    name: "days of closing",
    sql: "
        create table closing_days (
            day text not null primary key,
            begun_at bigint not null
        );",
}];

/// Takes the closing of a day; of all replicas that try, one gets it.
pub(crate) async fn take(tx: &mut Tx, day: Date, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query("insert into closing_days (day, begun_at) values ($1, $2) on conflict (day) do nothing")
        .bind(day.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
