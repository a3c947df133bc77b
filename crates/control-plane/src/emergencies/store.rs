use api::EmergencyAccess;
use domain::{InstanceId, UsageHour};
use jiff::Timestamp;
use store::sqlx::{self, Error};
use store::{Db, Engine, Migration, Tx, millis};

/// What was told already, so that it is written to the audit log once.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112501,
    name: "emergency access",
    sql: "
        create table emergency_accesses (
            instance_id text not null references instances (id),
            hour bigint not null,
            source text not null,
            outcome text not null,
            first_at bigint not null,
            last_at bigint not null,
            count bigint not null,
            primary key (instance_id, hour, source, outcome)
        );",
}];

/// Notes an entry; says whether anything about it is new.
pub(crate) async fn merge(
    tx: &mut Tx,
    engine: Engine,
    instance: InstanceId,
    entry: &EmergencyAccess,
) -> Result<bool, Error> {
    let (instance, hour) = (instance.to_string(), UsageHour::of(entry.first).get());
    let source = entry.source.map_or_else(String::new, |source| source.to_string());
    // The row must exist before it is locked, or two reports at once could both be news.
    sqlx::query(
        "insert into emergency_accesses (instance_id, hour, source, outcome, first_at, last_at, count)
         values ($1, $2, $3, $4, $5, $6, 0)
         on conflict (instance_id, hour, source, outcome) do nothing",
    )
    .bind(&instance)
    .bind(hour)
    .bind(&source)
    .bind(entry.outcome.as_str())
    .bind(millis(entry.first))
    .bind(millis(entry.last))
    .execute(&mut **tx)
    .await?;
    let select = match engine {
        Engine::Sqlite => {
            "select count from emergency_accesses
             where instance_id = $1 and hour = $2 and source = $3 and outcome = $4"
        }
        Engine::Postgres => {
            "select count from emergency_accesses
             where instance_id = $1 and hour = $2 and source = $3 and outcome = $4 for update"
        }
    };
    let known: i64 = sqlx::query_scalar(select)
        .bind(&instance)
        .bind(hour)
        .bind(&source)
        .bind(entry.outcome.as_str())
        .fetch_one(&mut **tx)
        .await?;
    if known >= i64::from(entry.count) {
        return Ok(false);
    }
    sqlx::query(
        "update emergency_accesses set count = $5, last_at = $6
         where instance_id = $1 and hour = $2 and source = $3 and outcome = $4",
    )
    .bind(&instance)
    .bind(hour)
    .bind(&source)
    .bind(entry.outcome.as_str())
    .bind(i64::from(entry.count))
    .bind(millis(entry.last))
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// How many entries about an instance's emergency door the audit log got since then.
pub(crate) async fn written_since(db: &Db, instance: InstanceId, since: Timestamp) -> Result<i64, Error> {
    sqlx::query_scalar("select count(*) from audit_events where subject = $1 and at > $2 and action like 'emergency.%'")
        .bind(instance.to_string())
        .bind(millis(since))
        .fetch_one(db.read())
        .await
}
