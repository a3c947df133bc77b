use domain::{InstanceId, ReleaseId};
use fleet::{Stage, Version};
use jiff::Timestamp;
use store::sqlx::{self, Any, Error, Executor, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::{Made, Promotion, Proof, Release, Withdrawn};
use crate::text::{Stored as _, from_json, to_json};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026113001,
    name: "releases",
    sql: "
        create table releases (
            id text not null primary key,
            version text not null unique,
            artifact text not null,
            notes text not null,
            upgrades_from text not null,
            made_by text not null,
            made_at bigint not null,
            stage text not null,
            named_at bigint,
            withdrawn_at bigint,
            withdrawn_because text
        );
        create table release_proofs (
            release_id text not null references releases (id),
            stage text not null,
            environment text not null,
            proven_at bigint not null,
            proven_by text not null,
            detail text not null,
            primary key (release_id, stage, environment)
        );
        create table release_promotions (
            release_id text not null references releases (id),
            stage text not null,
            promoted_at bigint not null,
            promoted_by text not null,
            without_proof_because text,
            primary key (release_id, stage)
        );
        create table current_releases (
            stage text not null primary key,
            release_id text not null references releases (id),
            since bigint not null
        );
        create table instance_releases (
            instance_id text not null primary key,
            release_id text not null references releases (id),
            since bigint not null
        );
        create index instance_releases_release on instance_releases (release_id);
        create table update_rules (
            instance_id text not null primary key,
            stage text not null,
            rules text not null,
            changed_at bigint not null
        );",
}];

pub(crate) async fn insert(tx: &mut Tx, release: &Release) -> Result<(), Error> {
    sqlx::query(
        "insert into releases (id, version, artifact, notes, upgrades_from, made_by, made_at, stage)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(release.id.to_string())
    .bind(release.made.version.as_str())
    .bind(to_json(&release.made.artifact)?)
    .bind(&release.made.notes)
    .bind(to_json(&release.made.upgrades_from)?)
    .bind(&release.made_by)
    .bind(millis(release.made_at))
    .bind(release.stage.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Newest first.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Release>, Error> {
    let rows = sqlx::query("select * from releases where ($1 = '' or id < $1) order by id desc limit $2")
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(release).collect()
}

pub(crate) async fn find_version(db: &Db, version: &Version) -> Result<Option<Release>, Error> {
    let row = sqlx::query("select * from releases where version = $1")
        .bind(version.as_str())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(release).transpose()
}

pub(crate) async fn find(db: &Db, id: ReleaseId) -> Result<Option<Release>, Error> {
    let row =
        sqlx::query("select * from releases where id = $1").bind(id.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map(release).transpose()
}

/// What is current at a stage.
pub(crate) async fn current<'c>(
    executor: impl Executor<'c, Database = Any>,
    stage: Stage,
) -> Result<Option<Release>, Error> {
    let row =
        sqlx::query("select r.* from releases r join current_releases c on c.release_id = r.id where c.stage = $1")
            .bind(stage.as_str())
            .fetch_optional(executor)
            .await?;
    row.as_ref().map(release).transpose()
}

/// Makes a release current at a stage.
pub(crate) async fn set_current(tx: &mut Tx, stage: Stage, release: ReleaseId, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into current_releases (stage, release_id, since) values ($1, $2, $3)
         on conflict (stage) do update set release_id = $2,
             since = case when current_releases.release_id = $2 then current_releases.since else $3 end",
    )
    .bind(stage.as_str())
    .bind(release.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an instance runs, or is about to.
pub(crate) async fn of_instance(db: &Db, instance: InstanceId) -> Result<Option<Release>, Error> {
    let row = sqlx::query(
        "select r.* from releases r join instance_releases i on i.release_id = r.id where i.instance_id = $1",
    )
    .bind(instance.to_string())
    .fetch_optional(db.read())
    .await?;
    row.as_ref().map(release).transpose()
}

/// What an instance runs, or is about to, and since when.
pub(crate) async fn run_since(db: &Db, instance: InstanceId) -> Result<Option<(Version, Timestamp)>, Error> {
    let row = sqlx::query(
        "select r.version, i.since from releases r join instance_releases i on i.release_id = r.id
         where i.instance_id = $1",
    )
    .bind(instance.to_string())
    .fetch_optional(db.read())
    .await?;
    let read = |row: AnyRow| Ok((Version::from_stored(row.try_get("version")?)?, from_millis(row.try_get("since")?)));
    row.map(read).transpose()
}

/// Records what an instance runs from now on.
pub(crate) async fn note_run(
    tx: &mut Tx,
    instance: InstanceId,
    release: ReleaseId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into instance_releases (instance_id, release_id, since) values ($1, $2, $3)
         on conflict (instance_id) do update set release_id = $2,
             since = case when instance_releases.release_id = $2 then instance_releases.since else $3 end",
    )
    .bind(instance.to_string())
    .bind(release.to_string())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many instances that are not gone run each release.
pub(crate) async fn numbers(db: &Db) -> Result<Vec<(ReleaseId, u32)>, Error> {
    let rows = sqlx::query(
        "select r.release_id, count(*) as number from instance_releases r join instances i on i.id = r.instance_id
         where i.state not in ('deleted', 'failed') group by r.release_id",
    )
    .fetch_all(db.read())
    .await?;
    let number = |row: &AnyRow| Ok::<_, Error>(u32::try_from(row.try_get::<i64, _>("number")?).unwrap_or(u32::MAX));
    rows.iter().map(|row| Ok((ReleaseId::from_stored(row.try_get("release_id")?)?, number(row)?))).collect()
}

/// The stage of an instance; customers', unless somebody said otherwise.
pub(crate) async fn stage_of(tx: &mut Tx, instance: InstanceId) -> Result<Stage, Error> {
    let word: Option<String> = sqlx::query_scalar("select stage from update_rules where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    word.map_or(Ok(Stage::Customers), |word| Stage::from_stored(&word))
}

/// All releases that the server's settings ever named, the last one first.
pub(crate) async fn named_by_settings(db: &Db) -> Result<Vec<Release>, Error> {
    let rows = sqlx::query("select * from releases where named_at is not null order by named_at desc, id desc")
        .fetch_all(db.read())
        .await?;
    rows.iter().map(release).collect()
}

/// Notes that the server's settings name a release from now on.
pub(crate) async fn note_named(tx: &mut Tx, release: ReleaseId, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update releases set named_at = $2 where id = $1")
        .bind(release.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Instances that run something of which nothing is recorded, and what was last seen of them.
pub(crate) async fn unrecorded(tx: &mut Tx) -> Result<Vec<(InstanceId, Option<String>)>, Error> {
    let rows = sqlx::query(
        "select i.id, i.observation from instances i left join instance_releases r on r.instance_id = i.id
         where i.state in ('active', 'suspended') and r.instance_id is null",
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok((InstanceId::from_stored(row.try_get("id")?)?, row.try_get("observation")?))).collect()
}

pub(crate) async fn prove(tx: &mut Tx, release: ReleaseId, proof: &Proof) -> Result<(), Error> {
    sqlx::query(
        "insert into release_proofs (release_id, stage, environment, proven_at, proven_by, detail)
         values ($1, $2, $3, $4, $5, $6) on conflict (release_id, stage, environment) do nothing",
    )
    .bind(release.to_string())
    .bind(proof.stage.as_str())
    .bind(&proof.environment)
    .bind(millis(proof.at))
    .bind(&proof.by)
    .bind(&proof.detail)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn proofs<'c>(
    executor: impl Executor<'c, Database = Any>,
    release: ReleaseId,
) -> Result<Vec<Proof>, Error> {
    let rows = sqlx::query("select * from release_proofs where release_id = $1 order by proven_at, environment")
        .bind(release.to_string())
        .fetch_all(executor)
        .await?;
    rows.iter().map(proof).collect()
}

fn proof(row: &AnyRow) -> Result<Proof, Error> {
    Ok(Proof {
        stage: Stage::from_stored(row.try_get("stage")?)?,
        environment: row.try_get("environment")?,
        at: from_millis(row.try_get("proven_at")?),
        by: row.try_get("proven_by")?,
        detail: row.try_get("detail")?,
    })
}

/// Holds a release until the transaction ends, and reads how it stands.
pub(crate) async fn lock(tx: &mut Tx, id: ReleaseId) -> Result<Option<Release>, Error> {
    let row = sqlx::query("update releases set stage = stage where id = $1 returning *")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(release).transpose()
}

/// Takes a release to a stage, and says who did and what for.
pub(crate) async fn promote(tx: &mut Tx, release: ReleaseId, promotion: &Promotion) -> Result<(), Error> {
    sqlx::query("update releases set stage = $2 where id = $1")
        .bind(release.to_string())
        .bind(promotion.to.as_str())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "insert into release_promotions (release_id, stage, promoted_at, promoted_by, without_proof_because)
         values ($1, $2, $3, $4, $5) on conflict (release_id, stage) do nothing",
    )
    .bind(release.to_string())
    .bind(promotion.to.as_str())
    .bind(millis(promotion.at))
    .bind(&promotion.by)
    .bind(&promotion.without_proof)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How a release came to its stages.
pub(crate) async fn promotions(db: &Db, release: ReleaseId) -> Result<Vec<Promotion>, Error> {
    let rows = sqlx::query("select * from release_promotions where release_id = $1 order by promoted_at, stage")
        .bind(release.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(promotion).collect()
}

fn promotion(row: &AnyRow) -> Result<Promotion, Error> {
    Ok(Promotion {
        to: Stage::from_stored(row.try_get("stage")?)?,
        at: from_millis(row.try_get("promoted_at")?),
        by: row.try_get("promoted_by")?,
        without_proof: row.try_get("without_proof_because")?,
    })
}

/// Releases that customers got, and of which there is something to say: when they got them; the latest first.
pub(crate) async fn told_of(db: &Db, limit: u32) -> Result<Vec<(Version, String, Timestamp)>, Error> {
    let rows = sqlx::query(
        "select r.version, r.notes, c.promoted_at from releases r
         join release_promotions c on c.release_id = r.id and c.stage = 'customers'
         where r.withdrawn_at is null and r.notes <> '' order by c.promoted_at desc, r.id desc limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    let told = |row: &AnyRow| {
        let version = Version::from_stored(row.try_get("version")?)?;
        Ok((version, row.try_get("notes")?, from_millis(row.try_get("promoted_at")?)))
    };
    rows.iter().map(told).collect()
}

/// False when it was withdrawn before.
pub(crate) async fn withdraw(tx: &mut Tx, id: ReleaseId, because: &str, now: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query(
        "update releases set withdrawn_at = $2, withdrawn_because = $3 where id = $1 and withdrawn_at is null",
    )
    .bind(id.to_string())
    .bind(millis(now))
    .bind(because)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn release(row: &AnyRow) -> Result<Release, Error> {
    let withdrawn: Option<i64> = row.try_get("withdrawn_at")?;
    let because: Option<String> = row.try_get("withdrawn_because")?;
    Ok(Release {
        id: ReleaseId::from_stored(row.try_get("id")?)?,
        made: Made {
            version: Version::from_stored(row.try_get("version")?)?,
            artifact: from_json(row.try_get("artifact")?)?,
            notes: row.try_get("notes")?,
            upgrades_from: from_json(row.try_get("upgrades_from")?)?,
        },
        made_by: row.try_get("made_by")?,
        made_at: from_millis(row.try_get("made_at")?),
        stage: Stage::from_stored(row.try_get("stage")?)?,
        withdrawn: withdrawn.zip(because).map(|(at, because)| Withdrawn { at: from_millis(at), because }),
    })
}
