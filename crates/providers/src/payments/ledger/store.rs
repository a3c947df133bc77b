use ::store::sqlx::{self, Error, Row as _};
use ::store::{Db, Migration, from_millis, millis};
use domain::{CustomerId, InstanceId};
use jiff::Timestamp;

/// The ledger's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112430,
    name: "ledger",
    sql: "
        create table ledger_subscriptions (
            instance_id text not null primary key,
            customer_id text not null,
            started_at bigint not null,
            ended_at bigint
        );",
}];

pub(super) async fn subscribe(
    db: &Db,
    customer: CustomerId,
    instance: InstanceId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into ledger_subscriptions (instance_id, customer_id, started_at) values ($1, $2, $3)
         on conflict (instance_id) do nothing",
    )
    .bind(instance.to_string())
    .bind(customer.to_string())
    .bind(millis(now))
    .execute(db.write())
    .await?;
    Ok(())
}

/// One that goes on keeps its beginning.
pub(super) async fn subscribe_again(
    db: &Db,
    customer: CustomerId,
    instance: InstanceId,
    now: Timestamp,
) -> Result<(), Error> {
    subscribe(db, customer, instance, now).await?;
    sqlx::query(
        "update ledger_subscriptions set started_at = $2, ended_at = null
         where instance_id = $1 and ended_at is not null",
    )
    .bind(instance.to_string())
    .bind(millis(now))
    .execute(db.write())
    .await?;
    Ok(())
}

/// Whether this call ended it.
pub(super) async fn cancel(db: &Db, instance: InstanceId, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query("update ledger_subscriptions set ended_at = $2 where instance_id = $1 and ended_at is null")
        .bind(instance.to_string())
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The subscriptions that go on, with when they began.
pub(super) async fn live(db: &Db) -> Result<Vec<(InstanceId, Timestamp)>, Error> {
    let rows = sqlx::query("select instance_id, started_at from ledger_subscriptions where ended_at is null")
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            let instance: String = row.try_get("instance_id")?;
            let instance = InstanceId::parse(&instance).map_err(|error| Error::Decode(Box::new(error)))?;
            Ok((instance, from_millis(row.try_get("started_at")?)))
        })
        .collect()
}
