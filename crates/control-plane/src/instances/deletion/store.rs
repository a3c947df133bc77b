use domain::InstanceId;
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::Waiting;
use crate::text::Stored as _;

/// Those that wait. One that began or was taken back is in the audit log alone.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120120,
    name: "deletions that can be taken back",
    sql: "
        create table asked_deletions (
            instance_id text not null primary key references instances (id),
            asked_at bigint not null,
            asked_by text not null,
            due_at bigint not null,
            ended_service_at bigint
        );
        create index asked_deletions_due on asked_deletions (due_at);",
}];

pub(crate) async fn find(connection: &mut AnyConnection, instance: InstanceId) -> Result<Option<Waiting>, Error> {
    let row = sqlx::query("select * from asked_deletions where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Waiting {
            asked_at: from_millis(row.try_get("asked_at")?),
            asked_by: row.try_get("asked_by")?,
            due_at: from_millis(row.try_get("due_at")?),
            ended_service_at: optional_from_millis(row.try_get("ended_service_at")?),
        })
    })
    .transpose()
}

/// For whoever holds the instance's row.
pub(super) async fn insert(tx: &mut Tx, instance: InstanceId, waiting: &Waiting) -> Result<(), Error> {
    sqlx::query(
        "insert into asked_deletions (instance_id, asked_at, asked_by, due_at, ended_service_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(instance.to_string())
    .bind(millis(waiting.asked_at))
    .bind(&waiting.asked_by)
    .bind(millis(waiting.due_at))
    .bind(waiting.ended_service_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// It waits no more: it began, or was taken back.
pub(crate) async fn forget(tx: &mut Tx, instance: InstanceId) -> Result<(), Error> {
    sqlx::query("delete from asked_deletions where instance_id = $1")
        .bind(instance.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Instances whose deletion is due, by id, after one.
pub(super) async fn due(db: &Db, now: Timestamp, after: &str, limit: u32) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select instance_id from asked_deletions where due_at <= $1 and instance_id > $2 order by instance_id limit $3",
    )
    .bind(millis(now))
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}

/// Notes the end of a service, unless one is noted. What was noted now.
pub(super) async fn end_service(tx: &mut Tx, instance: InstanceId, at: Timestamp) -> Result<Option<Timestamp>, Error> {
    let done = sqlx::query("update instances set service_ended_at = $2 where id = $1 and service_ended_at is null")
        .bind(instance.to_string())
        .bind(millis(at))
        .execute(&mut **tx)
        .await?;
    Ok((done.rows_affected() > 0).then_some(at))
}
