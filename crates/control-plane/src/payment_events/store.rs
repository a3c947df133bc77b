use jiff::Timestamp;
use providers::payments::Event;
use store::sqlx::{self, Error};
use store::{Db, Migration, Tx, millis, optional_from_millis};

use super::Way;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112811,
    name: "events of payment providers",
    sql: "
        create table payment_events (
            id text not null primary key,
            driver text not null,
            kind text not null,
            instance_id text,
            created_at bigint not null,
            received_at bigint not null,
            way text not null,
            listed_at bigint,
            body text not null
        );
        create index payment_events_created on payment_events (driver, created_at);
        create index payment_events_instance on payment_events (instance_id);",
}];

/// Keeps an event; false when it is known.
pub(crate) async fn insert(tx: &mut Tx, driver: &str, event: &Event, way: Way, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into payment_events (id, driver, kind, instance_id, created_at, received_at, way, body)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
    )
    .bind(&event.id)
    .bind(driver)
    .bind(&event.kind)
    .bind(event.instance.map(|id| id.to_string()))
    .bind(millis(event.created_at))
    .bind(millis(now))
    .bind(way.as_str())
    .bind(&event.body)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the provider's list showed an event, and so everything before it.
pub(crate) async fn mark_listed(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update payment_events set listed_at = $2 where id = $1 and listed_at is null")
        .bind(id)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// When the latest event happened that the provider's list showed.
pub(crate) async fn listed_until(db: &Db, driver: &str) -> Result<Option<Timestamp>, Error> {
    let latest: Option<i64> =
        sqlx::query_scalar("select max(created_at) from payment_events where driver = $1 and listed_at is not null")
            .bind(driver)
            .fetch_one(db.read())
            .await?;
    Ok(optional_from_millis(latest))
}
