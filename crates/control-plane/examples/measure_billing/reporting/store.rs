use jiff::Timestamp;
use store::sqlx::{self, Error};
use store::{Db, Migration, millis};

/// As plain as it gets: what is counted later is found by its index.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "events",
    sql: "
        create table used_events (
            instance_id text not null,
            at bigint not null,
            signal text not null
        );
        create index used_events_instance on used_events (instance_id, at);",
}];

/// Keeps an instance's events, all or none.
pub async fn insert(db: &Db, instance: &str, moments: &[Timestamp]) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for at in moments {
        sqlx::query("insert into used_events (instance_id, at, signal) values ($1, $2, 'member')")
            .bind(instance)
            .bind(millis(*at))
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}
