use domain::{BackupId, InstanceId, Subdomain};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Tx, from_millis, millis};

use super::Proof;
use crate::backups::Backup;
use crate::backups::store::backup;
use crate::text::Stored as _;

pub(super) async fn insert(tx: &mut Tx, proof: &Proof) -> Result<(), Error> {
    sqlx::query(
        "insert into backup_proofs (workflow_id, backup_id, instance_id, scratch_id, slug, begun_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&proof.workflow)
    .bind(proof.backup.to_string())
    .bind(proof.instance.to_string())
    .bind(proof.scratch.to_string())
    .bind(proof.slug.as_str())
    .bind(millis(proof.begun_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes what came of a proof; the first word stands.
pub(super) async fn end(
    tx: &mut Tx,
    workflow: &str,
    backup: BackupId,
    why_not: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let ended = sqlx::query(
        "update backup_proofs set ended_at = $2, is_proven = $3, why_not = $4 where workflow_id = $1 and ended_at is null",
    )
    .bind(workflow)
    .bind(millis(now))
    .bind(i64::from(why_not.is_none()))
    .bind(why_not)
    .execute(&mut **tx)
    .await?;
    if ended.rows_affected() == 1 && why_not.is_none() {
        sqlx::query("update backups set proven_at = $2 where id = $1")
            .bind(backup.to_string())
            .bind(millis(now))
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The workflow that proves a backup at this moment.
pub(super) async fn under_way_of(tx: &mut Tx, backup: BackupId) -> Result<Option<String>, Error> {
    sqlx::query_scalar("select workflow_id from backup_proofs where backup_id = $1 and ended_at is null")
        .bind(backup.to_string())
        .fetch_optional(&mut **tx)
        .await
}

/// How many proofs that were begun since a moment are under way, and how many were begun since another.
pub(super) async fn number_since(tx: &mut Tx, working: Timestamp, since: Timestamp) -> Result<(i64, i64), Error> {
    let under_way = sqlx::query_scalar("select count(*) from backup_proofs where ended_at is null and begun_at >= $1");
    let lately = sqlx::query_scalar("select count(*) from backup_proofs where begun_at >= $1");
    let under_way = under_way.bind(millis(working)).fetch_one(&mut **tx).await?;
    Ok((under_way, lately.bind(millis(since)).fetch_one(&mut **tx).await?))
}

/// The newest backup of that instance whose turn is longest ago, and not within a time.
pub(super) async fn next(tx: &mut Tx, since: Timestamp) -> Result<Option<Backup>, Error> {
    let row = sqlx::query(
        "select b.* from backups b
             join instances i on i.id = b.instance_id and i.state in ('active', 'suspended')
         where b.state = 'kept'
             and not exists (select 1 from backups n
                             where n.instance_id = b.instance_id and n.state = 'kept' and n.id > b.id)
             and not exists (select 1 from backup_proofs p where p.instance_id = b.instance_id and p.begun_at >= $1)
         order by coalesce((select max(p.begun_at) from backup_proofs p where p.instance_id = b.instance_id), 0), b.id
         limit 1",
    )
    .bind(millis(since))
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(backup).transpose()
}

/// Whether a copy of what an instance keeps exists for a proof that was begun since a moment.
pub(super) async fn is_under_way(db: &Db, instance: InstanceId, working: Timestamp) -> Result<bool, Error> {
    let number: i64 = sqlx::query_scalar(
        "select count(*) from backup_proofs where instance_id = $1 and ended_at is null and begun_at >= $2",
    )
    .bind(instance.to_string())
    .bind(millis(working))
    .fetch_one(db.read())
    .await?;
    Ok(number > 0)
}

/// Proofs, newest first; those that are under way too.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Proof>, Error> {
    let rows = sqlx::query(
        "select * from backup_proofs where ($1 = '' or workflow_id < $1) order by workflow_id desc limit $2",
    )
    .bind(before.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(proof).collect()
}

/// When a backup was last seen to be worth something.
pub(crate) async fn last_proven(db: &Db) -> Result<Option<Timestamp>, Error> {
    let at: Option<i64> = sqlx::query_scalar(
        "select ended_at from backup_proofs where is_proven = 1 and ended_at is not null order by begun_at desc limit 1",
    )
    .fetch_optional(db.read())
    .await?;
    Ok(at.map(from_millis))
}

/// Those whose places exist, or may have been left behind lately.
pub(crate) async fn at_large(db: &Db, since: Timestamp) -> Result<Vec<Proof>, Error> {
    let rows = sqlx::query("select * from backup_proofs where ended_at is null or ended_at >= $1")
        .bind(millis(since))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(proof).collect()
}

fn proof(row: &AnyRow) -> Result<Proof, Error> {
    Ok(Proof {
        workflow: row.try_get("workflow_id")?,
        backup: BackupId::from_stored(row.try_get("backup_id")?)?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        scratch: InstanceId::from_stored(row.try_get("scratch_id")?)?,
        slug: Subdomain::from_stored(row.try_get("slug")?)?,
        begun_at: from_millis(row.try_get("begun_at")?),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(from_millis),
        is_proven: row.try_get::<Option<i64>, _>("is_proven")?.map(|proven| proven == 1),
        why_not: row.try_get("why_not")?,
    })
}
