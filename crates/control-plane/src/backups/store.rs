use domain::{BackupEvent, BackupId, BackupReason, BackupState, InstanceId, InstanceState, Month};
use jiff::Timestamp;
use providers::storage::ObjectName;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::schedule::Candidate;
use super::{Backup, Held};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026113020,
        name: "backups",
        sql: "
        create table backup_keys (
            instance_id text not null primary key references instances (id),
            recipient text not null,
            sealed_identity {bytes} not null,
            made_at bigint not null
        );
        create table backups (
            id text not null primary key,
            instance_id text not null references instances (id),
            purpose text not null,
            reason text not null,
            state text not null,
            version text not null,
            storage text not null,
            object text not null,
            place text not null,
            begun_at bigint not null,
            taken_at bigint,
            expires_at bigint,
            files bigint,
            content_bytes bigint,
            left_out bigint,
            bytes bigint,
            sha256 text,
            trouble text,
            proven_at bigint,
            restored_at bigint,
            removed_at bigint
        );
        create unique index backups_purpose on backups (instance_id, purpose) where state in ('taking', 'kept');
        create index backups_instance on backups (instance_id, id);
        create index backups_scheduled on backups (instance_id, begun_at) where reason = 'scheduled';
        create index backups_expiry on backups (expires_at) where state = 'kept';
        create table backup_proofs (
            workflow_id text not null primary key,
            backup_id text not null references backups (id),
            instance_id text not null references instances (id),
            scratch_id text not null,
            slug text not null,
            begun_at bigint not null,
            ended_at bigint,
            is_proven bigint,
            why_not text
        );
        create index backup_proofs_instance on backup_proofs (instance_id, begun_at);
        create index backup_proofs_begun on backup_proofs (begun_at);",
    },
    Migration {
        version: 2026120362,
        name: "backups that are due or never became whole",
        sql: "
        create index backups_taking on backups (begun_at) where state = 'taking';
        create index backups_scheduled_kept on backups (begun_at, instance_id)
            where reason = 'scheduled' and state = 'kept';",
    },
];

/// For whom an instance's backups are encrypted.
pub(super) async fn recipient(tx: &mut Tx, instance: InstanceId) -> Result<Option<String>, Error> {
    sqlx::query_scalar("select recipient from backup_keys where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(&mut **tx)
        .await
}

pub(super) async fn insert_key(
    tx: &mut Tx,
    instance: InstanceId,
    recipient: &str,
    sealed: Vec<u8>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("insert into backup_keys (instance_id, recipient, sealed_identity, made_at) values ($1, $2, $3, $4)")
        .bind(instance.to_string())
        .bind(recipient)
        .bind(sealed)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn sealed_identity(db: &Db, instance: InstanceId) -> Result<Option<Vec<u8>>, Error> {
    sqlx::query_scalar("select sealed_identity from backup_keys where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(db.read())
        .await
}

/// Forgets an instance's key for good. For whom it was.
pub(super) async fn delete_key(tx: &mut Tx, instance: InstanceId) -> Result<Option<String>, Error> {
    sqlx::query_scalar("delete from backup_keys where instance_id = $1 returning recipient")
        .bind(instance.to_string())
        .fetch_optional(&mut **tx)
        .await
}

/// The backup that was begun, or taken, for a purpose.
pub(super) async fn of_purpose(tx: &mut Tx, instance: InstanceId, purpose: &str) -> Result<Option<Backup>, Error> {
    let row =
        sqlx::query("select * from backups where instance_id = $1 and purpose = $2 and state in ('taking', 'kept')")
            .bind(instance.to_string())
            .bind(purpose)
            .fetch_optional(&mut **tx)
            .await?;
    row.as_ref().map(backup).transpose()
}

pub(super) async fn insert(tx: &mut Tx, new: &Backup, purpose: &str) -> Result<(), Error> {
    sqlx::query(
        "insert into backups (id, instance_id, purpose, reason, state, version, storage, object, place, begun_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(new.id.to_string())
    .bind(new.instance.to_string())
    .bind(purpose)
    .bind(new.reason.as_str())
    .bind(new.state.as_str())
    .bind(&new.version)
    .bind(&new.storage)
    .bind(new.object.as_str())
    .bind(&new.place)
    .bind(millis(new.begun_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores what a backup turned out to be.
pub(super) async fn keep(tx: &mut Tx, id: BackupId, held: &Held) -> Result<(), Error> {
    sqlx::query(
        "update backups set state = 'kept', taken_at = $2, expires_at = $3, files = $4, content_bytes = $5,
                            left_out = $6, bytes = $7, sha256 = $8, trouble = null
         where id = $1 and state in ('taking', 'kept')",
    )
    .bind(id.to_string())
    .bind(millis(held.taken_at))
    .bind(millis(held.expires_at))
    .bind(number(held.files))
    .bind(number(held.content_bytes))
    .bind(number(held.left_out))
    .bind(number(held.bytes))
    .bind(&held.sha256)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes why an attempt came to nothing; it may be made again.
pub(super) async fn note_trouble(db: &Db, id: BackupId, why: &str) -> Result<(), Error> {
    sqlx::query("update backups set trouble = $2 where id = $1 and state = 'taking'")
        .bind(id.to_string())
        .bind(why)
        .execute(db.write())
        .await?;
    Ok(())
}

pub(super) async fn note_restored(db: &Db, id: BackupId, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update backups set restored_at = $2 where id = $1")
        .bind(id.to_string())
        .bind(millis(now))
        .execute(db.write())
        .await?;
    Ok(())
}

/// Lets something happen to a backup; what has no place in its state changes nothing.
pub(super) async fn happen(tx: &mut Tx, id: BackupId, event: BackupEvent, now: Timestamp) -> Result<(), Error> {
    let word: Option<String> = sqlx::query_scalar("select state from backups where id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    let Some(from) = word.as_deref().map(BackupState::from_stored).transpose()? else { return Ok(()) };
    let Some(to) = from.after(event).filter(|to| *to != from) else { return Ok(()) };
    let is_gone = to == BackupState::Removed;
    sqlx::query("update backups set state = $3, removed_at = coalesce(removed_at, $4) where id = $1 and state = $2")
        .bind(id.to_string())
        .bind(from.as_str())
        .bind(to.as_str())
        .bind(is_gone.then(|| millis(now)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// When an instance's last ones were taken as planned, since a moment.
pub(super) async fn scheduled_since(
    tx: &mut Tx,
    instance: InstanceId,
    since: Timestamp,
) -> Result<Vec<Timestamp>, Error> {
    let taken: Vec<i64> = sqlx::query_scalar(
        "select taken_at from backups
         where instance_id = $1 and reason = 'scheduled' and state = 'kept' and taken_at >= $2",
    )
    .bind(instance.to_string())
    .bind(millis(since))
    .fetch_all(&mut **tx)
    .await?;
    Ok(taken.into_iter().map(from_millis).collect())
}

/// One backup of an instance, whatever became of it.
pub(crate) async fn find(db: &Db, instance: InstanceId, id: BackupId) -> Result<Option<Backup>, Error> {
    let row = sqlx::query("select * from backups where instance_id = $1 and id = $2")
        .bind(instance.to_string())
        .bind(id.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(backup).transpose()
}

/// All of an instance of which something may exist, oldest first.
pub(super) async fn existing(db: &Db, instance: InstanceId) -> Result<Vec<Backup>, Error> {
    let rows = sqlx::query("select * from backups where instance_id = $1 and state <> 'removed' order by id")
        .bind(instance.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(backup).collect()
}

/// All of an instance that were taken, are being taken or failed, newest first; `before` is the id of the last one of the
/// page before.
pub(crate) async fn list(
    db: &Db,
    instance: Option<InstanceId>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Backup>, Error> {
    let rows = sqlx::query(
        "select * from backups where ($1 = '' or instance_id = $1) and ($2 = '' or id < $2) and state <> 'removed'
         order by id desc limit $3",
    )
    .bind(instance.map(|id| id.to_string()).unwrap_or_default())
    .bind(before.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(backup).collect()
}

/// One backup, whosever it is: for the operator's programs.
pub(crate) async fn of_anybody(db: &Db, id: BackupId) -> Result<Option<Backup>, Error> {
    let row = sqlx::query("select * from backups where id = $1").bind(id.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map(backup).transpose()
}

/// When one of an instance's backups was last proven.
pub(super) async fn last_proven(db: &Db, instance: InstanceId) -> Result<Option<Timestamp>, Error> {
    let at: Option<i64> = sqlx::query_scalar("select max(proven_at) from backups where instance_id = $1")
        .bind(instance.to_string())
        .fetch_one(db.read())
        .await?;
    Ok(at.map(from_millis))
}

/// The backup that was taken for a purpose.
pub(super) async fn kept_for(db: &Db, instance: InstanceId, purpose: &str) -> Result<Option<Backup>, Error> {
    let row = sqlx::query("select * from backups where instance_id = $1 and purpose = $2 and state = 'kept'")
        .bind(instance.to_string())
        .bind(purpose)
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(backup).transpose()
}

/// How many of an instance were taken on request since a moment.
pub(super) async fn requested_since(tx: &mut Tx, instance: InstanceId, since: Timestamp) -> Result<i64, Error> {
    sqlx::query_scalar(
        "select count(*) from backups where instance_id = $1 and reason = 'requested' and state = 'kept' and taken_at >= $2",
    )
    .bind(instance.to_string())
    .bind(millis(since))
    .fetch_one(&mut **tx)
    .await
}

/// Those whose time is over, the oldest first: none that is the newest of its instance, or the one that was proven last.
pub(super) async fn expired(db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Backup>, Error> {
    let rows = sqlx::query(
        "select b.* from backups b where b.state = 'kept' and b.expires_at <= $1
             and exists (select 1 from backups n
                         where n.instance_id = b.instance_id and n.state = 'kept' and n.id > b.id)
             and (b.proven_at is null
                  or exists (select 1 from backups p where p.instance_id = b.instance_id and p.state = 'kept'
                             and (p.proven_at > b.proven_at or (p.proven_at = b.proven_at and p.id > b.id))))
         order by b.expires_at limit $2",
    )
    .bind(millis(now))
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(backup).collect()
}

/// Those that were begun before a moment and never became whole.
pub(super) async fn begun_before(db: &Db, moment: Timestamp, limit: u32) -> Result<Vec<Backup>, Error> {
    let rows = sqlx::query("select * from backups where state = 'taking' and begun_at < $1 order by id limit $2")
        .bind(millis(moment))
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(backup).collect()
}

/// Of which instances backups may be due.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Those that rest.
    AtRest,
    /// Of those in use, the ones of which none was taken since a moment.
    NotSince(Timestamp),
}

/// Instances of which backups may be due, in the order of their ids.
pub(super) async fn candidates(
    db: &Db,
    wanted: Wanted,
    now: Timestamp,
    after: &str,
    limit: u32,
) -> Result<Vec<Candidate>, Error> {
    // Whoever was there in an earlier month was not there lately.
    let month = Month::of(now);
    let (state, since) = match wanted {
        Wanted::AtRest => (InstanceState::Suspended, Timestamp::MAX),
        Wanted::NotSince(since) => (InstanceState::Active, since),
    };
    let rows = sqlx::query(
        "select i.id, i.state, i.created_at, i.changed_at,
                (select max(b.begun_at) from backups b
                 where b.instance_id = i.id and b.reason = 'scheduled' and b.state = 'kept') as last_taken,
                (select max(b.begun_at) from backups b
                 where b.instance_id = i.id and b.reason = 'scheduled') as last_begun,
                (select max(e.last_at) from usage_evidence e
                 where e.instance_id = i.id and e.month in ($2, $3)) as last_used
         from instances i
         where i.state = $6 and i.id > $1
             and i.id not in (select b.instance_id from backups b
                              where b.reason = 'scheduled' and b.state = 'kept' and b.begun_at > $5)
         order by i.id limit $4",
    )
    .bind(after)
    .bind(month.to_string())
    .bind(month.previous().to_string())
    .bind(i64::from(limit))
    .bind(millis(since))
    .bind(state.as_str())
    .fetch_all(db.read())
    .await?;
    let moment = |row: &AnyRow, name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(from_millis));
    rows.iter()
        .map(|row| {
            Ok(Candidate {
                id: InstanceId::from_stored(row.try_get("id")?)?,
                state: InstanceState::from_stored(row.try_get("state")?)?,
                created_at: from_millis(row.try_get("created_at")?),
                changed_at: from_millis(row.try_get("changed_at")?),
                last_taken: moment(row, "last_taken")?,
                last_begun: moment(row, "last_begun")?,
                last_used: moment(row, "last_used")?,
            })
        })
        .collect()
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Reads a row of `backups`.
pub(super) fn backup(row: &AnyRow) -> Result<Backup, Error> {
    let moment = |name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(from_millis));
    let count =
        |name: &str| row.try_get::<Option<i64>, _>(name).map(|number| u64::try_from(number.unwrap_or(0)).unwrap_or(0));
    let sha256: Option<String> = row.try_get("sha256")?;
    let held = match (moment("taken_at")?, moment("expires_at")?, sha256) {
        (Some(taken_at), Some(expires_at), Some(sha256)) => Some(Held {
            taken_at,
            expires_at,
            files: count("files")?,
            content_bytes: count("content_bytes")?,
            left_out: count("left_out")?,
            bytes: count("bytes")?,
            sha256,
        }),
        _ => None,
    };
    Ok(Backup {
        id: BackupId::from_stored(row.try_get("id")?)?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        reason: BackupReason::from_stored(row.try_get("reason")?)?,
        state: BackupState::from_stored(row.try_get("state")?)?,
        version: row.try_get("version")?,
        object: ObjectName::from_stored(row.try_get("object")?)?,
        place: row.try_get("place")?,
        storage: row.try_get("storage")?,
        begun_at: from_millis(row.try_get("begun_at")?),
        held,
        trouble: row.try_get("trouble")?,
        proven_at: moment("proven_at")?,
        restored_at: moment("restored_at")?,
    })
}
