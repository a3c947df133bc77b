use domain::{InstanceId, MoveEvent, ProjectName};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::{Input, Move};
use crate::text::Stored as _;

/// Every move that was ever begun.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120200,
    name: "moves of instances",
    sql: "
        create table moves (
            id text not null primary key,
            instance_id text not null references instances (id),
            from_project text not null,
            to_project text not null,
            state text not null,
            asked_by text not null,
            asked_at bigint not null,
            changed_at bigint not null,
            why text
        );
        create unique index moves_open on moves (instance_id) where state in ('moving', 'kept', 'settling', 'returning');
        create index moves_of_instance on moves (instance_id, asked_at);",
}];

/// What changes an instance as a whole, so that it must not move meanwhile.
const CHANGES: &str = "('provision.v1', 'claim.v1', 'delete.v1', 'suspend.v1', 'resume.v1', 'rename.v1', \
    'retire-address.v1', 'own-access.v1', 'shared-access.v1', 'back-up.v1', 'restore.v1', 'update.v1', 'go-back.v1')";

/// The kind of something else that changes an instance at the moment.
pub(super) async fn others_at_work(tx: &mut Tx, instance: InstanceId) -> Result<Option<String>, Error> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "select kind from workflows where subject = $1 and state in ('running', 'undoing') and kind in {CHANGES} limit 1"
    )))
    .bind(instance.to_string())
    .fetch_optional(&mut **tx)
    .await
}

pub(super) async fn insert(tx: &mut Tx, id: &str, asked: &Input, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into moves (id, instance_id, from_project, to_project, state, asked_by, asked_at, changed_at)
         values ($1, $2, $3, $4, 'moving', $5, $6, $6)",
    )
    .bind(id)
    .bind(asked.instance.to_string())
    .bind(asked.from.as_str())
    .bind(asked.to.as_str())
    .bind(&asked.by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets something happen to a move; what happened already, or has no place, changes nothing.
pub(super) async fn happen(
    tx: &mut Tx,
    id: &str,
    event: MoveEvent,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let row = sqlx::query("select * from moves where id = $1").bind(id).fetch_optional(&mut **tx).await?;
    let Some(found) = row.as_ref().map(read).transpose()? else { return Ok(()) };
    let Some(to) = found.state.after(event).filter(|to| *to != found.state) else { return Ok(()) };
    sqlx::query("update moves set state = $2, why = $3, changed_at = $4 where id = $1")
        .bind(id)
        .bind(to.as_str())
        .bind(why)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Its instance is gone, and both of its places.
pub(crate) async fn end(tx: &mut Tx, instance: InstanceId, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update moves set state = 'settled', changed_at = $2
         where instance_id = $1 and state in ('moving', 'kept', 'settling', 'returning')",
    )
    .bind(instance.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The move of an instance that is not over, for whoever holds its row.
pub(super) async fn open(tx: &mut Tx, instance: InstanceId) -> Result<Option<Move>, Error> {
    let row = sqlx::query(
        "select * from moves where instance_id = $1 and state in ('moving', 'kept', 'settling', 'returning')",
    )
    .bind(instance.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(read).transpose()
}

/// The same, for whoever only looks.
pub(crate) async fn open_of(db: &Db, instance: InstanceId) -> Result<Option<Move>, Error> {
    let row = sqlx::query(
        "select * from moves where instance_id = $1 and state in ('moving', 'kept', 'settling', 'returning')",
    )
    .bind(instance.to_string())
    .fetch_optional(db.read())
    .await?;
    row.as_ref().map(read).transpose()
}

/// The last move of an instance, over or not.
pub(super) async fn last(db: &Db, instance: InstanceId) -> Result<Option<Move>, Error> {
    let row = sqlx::query("select * from moves where instance_id = $1 order by asked_at desc, id desc limit 1")
        .bind(instance.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Moves whose instances live in their new places since before a moment, and that nobody has decided about.
pub(super) async fn kept_since(db: &Db, before: Timestamp) -> Result<Vec<Move>, Error> {
    let rows = sqlx::query("select * from moves where state = 'kept' and changed_at <= $1 order by changed_at")
        .bind(millis(before))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(read).collect()
}

/// Both places of every move that is not over, with their instances.
pub(crate) async fn places(db: &Db) -> Result<Vec<(InstanceId, [ProjectName; 2])>, Error> {
    let rows = sqlx::query("select * from moves where state in ('moving', 'kept', 'settling', 'returning')")
        .fetch_all(db.read())
        .await?;
    rows.iter().map(|row| read(row).map(|open| (open.instance, [open.from, open.to]))).collect()
}

/// The project that an instance lives in.
pub(super) async fn project_of(tx: &mut Tx, instance: InstanceId) -> Result<Option<ProjectName>, Error> {
    let name: Option<String> = sqlx::query_scalar("select project from instances where id = $1")
        .bind(instance.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    name.as_deref().map(ProjectName::from_stored).transpose()
}

/// From now on it lives there, for whoever holds its row.
pub(super) async fn live_in(tx: &mut Tx, instance: InstanceId, project: &ProjectName) -> Result<(), Error> {
    sqlx::query("update instances set project = $2 where id = $1")
        .bind(instance.to_string())
        .bind(project.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The projects outside the default home that instances live in, or may have to go back to.
pub(crate) async fn away(db: &Db) -> Result<Vec<ProjectName>, Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "select project from instances where state not in ('deleted', 'failed') and project like '%--%'
         union select from_project from moves where state in ('moving', 'kept', 'settling', 'returning')
             and from_project like '%--%'
         union select to_project from moves where state in ('moving', 'kept', 'settling', 'returning')
             and to_project like '%--%'",
    )
    .fetch_all(db.read())
    .await?;
    names.iter().map(|name| ProjectName::from_stored(name)).collect()
}

fn read(row: &AnyRow) -> Result<Move, Error> {
    Ok(Move {
        id: row.try_get("id")?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        from: ProjectName::from_stored(row.try_get("from_project")?)?,
        to: ProjectName::from_stored(row.try_get("to_project")?)?,
        state: domain::MoveState::from_stored(row.try_get("state")?)?,
        asked_by: row.try_get("asked_by")?,
        asked_at: from_millis(row.try_get("asked_at")?),
        changed_at: from_millis(row.try_get("changed_at")?),
        why: row.try_get("why")?,
    })
}
