use domain::{InstanceId, UsageHour};
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _};
use store::{Migration, Tx, from_millis, millis};

use super::{KeptWaiver, Waiver};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112943,
    name: "waived hours",
    sql: "
        create table waived_hours (
            instance_id text not null references instances (id),
            hour bigint not null,
            reason text not null,
            author text not null,
            at bigint not null,
            primary key (instance_id, hour)
        );",
}];

/// Adds an hour; the first waiver of it stands. Whether it was new.
pub(crate) async fn insert(
    tx: &mut Tx,
    instance: InstanceId,
    hour: UsageHour,
    waiver: &Waiver<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into waived_hours (instance_id, hour, reason, author, at) values ($1, $2, $3, $4, $5)
         on conflict (instance_id, hour) do nothing",
    )
    .bind(instance.to_string())
    .bind(hour.get())
    .bind(waiver.reason)
    .bind(waiver.author)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The hours waived from an hour up to, and without, another.
pub(crate) async fn hours(
    connection: &mut AnyConnection,
    instance: InstanceId,
    from: UsageHour,
    until: UsageHour,
) -> Result<Vec<UsageHour>, Error> {
    let hours: Vec<i64> =
        sqlx::query_scalar("select hour from waived_hours where instance_id = $1 and hour >= $2 and hour < $3")
            .bind(instance.to_string())
            .bind(from.get())
            .bind(until.get())
            .fetch_all(connection)
            .await?;
    let hour =
        |number| UsageHour::from_number(number).ok_or_else(|| Error::Decode(format!("{number} is not an hour").into()));
    hours.into_iter().map(hour).collect()
}

/// Why an hour is waived, if it is.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    instance: InstanceId,
    hour: UsageHour,
) -> Result<Option<KeptWaiver>, Error> {
    let row = sqlx::query("select reason, author, at from waived_hours where instance_id = $1 and hour = $2")
        .bind(instance.to_string())
        .bind(hour.get())
        .fetch_optional(connection)
        .await?;
    let kept = row.map(|row| {
        let (reason, author) = (row.try_get("reason")?, row.try_get("author")?);
        Ok(KeptWaiver { reason, author, at: from_millis(row.try_get("at")?) })
    });
    kept.transpose()
}
