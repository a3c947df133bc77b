use billing::Cancellation;
use domain::InstanceId;
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Kept;
use crate::text::Stored as _;

/// Of each instance the cancellation that stands. One that was taken back is in the audit log alone.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112985,
    name: "cancellations",
    sql: "
        create table cancellations (
            instance_id text not null primary key references instances (id),
            state text not null,
            stage text not null,
            next_at bigint,
            requested_at bigint not null,
            requested_by text not null
        );
        create index cancellations_next on cancellations (next_at) where next_at is not null;",
}];

pub(crate) async fn find(connection: &mut AnyConnection, instance: InstanceId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query("select state, requested_at, requested_by from cancellations where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let state: Cancellation =
            serde_json::from_str(row.try_get("state")?).map_err(|error| Error::Decode(error.into()))?;
        let requested_at = from_millis(row.try_get("requested_at")?);
        Ok(Kept { state, requested_at, requested_by: row.try_get("requested_by")? })
    })
    .transpose()
}

/// Keeps how far it has come. For whoever holds the instance's row.
pub(crate) async fn keep(
    tx: &mut Tx,
    instance: InstanceId,
    kept: &Kept,
    next_at: Option<Timestamp>,
) -> Result<(), Error> {
    sqlx::query(
        "insert into cancellations (instance_id, state, stage, next_at, requested_at, requested_by)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (instance_id) do update set state = excluded.state, stage = excluded.stage,
             next_at = excluded.next_at",
    )
    .bind(instance.to_string())
    .bind(serde_json::to_string(&kept.state).map_err(|error| Error::Encode(error.into()))?)
    .bind(kept.state.as_str())
    .bind(next_at.map(millis))
    .bind(millis(kept.requested_at))
    .bind(&kept.requested_by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets a cancellation that was taken back.
pub(crate) async fn forget(tx: &mut Tx, instance: InstanceId) -> Result<(), Error> {
    sqlx::query("delete from cancellations where instance_id = $1")
        .bind(instance.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Instances with a step that is due, by id, after one. What is on its way out needs none.
pub(crate) async fn due(db: &Db, now: Timestamp, after: &str, limit: u32) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select c.instance_id from cancellations c join instances i on i.id = c.instance_id
         where c.next_at <= $1 and c.instance_id > $2 and i.state in ('active', 'suspended')
         order by c.instance_id limit $3",
    )
    .bind(millis(now))
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}

/// The instances whose service ended by a cancellation that stands.
pub(crate) async fn ended(db: &Db) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("select instance_id from cancellations where stage in ('kept', 'announced', 'over')")
            .fetch_all(db.read())
            .await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}

/// Notes the end of a service, unless it ended already.
pub(crate) async fn end_service(tx: &mut Tx, instance: InstanceId, at: Timestamp) -> Result<(), Error> {
    sqlx::query("update instances set service_ended_at = coalesce(service_ended_at, $2) where id = $1")
        .bind(instance.to_string())
        .bind(millis(at))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes an end back that has not come and was noted by a cancellation; another one stays.
pub(crate) async fn take_end_back(tx: &mut Tx, instance: InstanceId, noted: Option<Timestamp>) -> Result<(), Error> {
    sqlx::query("update instances set service_ended_at = null where id = $1 and service_ended_at = $2")
        .bind(instance.to_string())
        .bind(noted.map(millis))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
