use std::num::NonZeroU32;

use domain::{BackupId, InstanceId, ReleaseId, RolloutId};
use fleet::{Stage, UnitState};
use jiff::Timestamp;
use store::sqlx::{self, Any, Error, Executor, Row as _, any::AnyRow};
use store::{Db, Tx, from_millis, millis, optional_from_millis};

use super::Unit;
use crate::instances::observe::seen_at;
use crate::text::{Stored as _, from_json};

/// Those whose turn is next, in order.
pub(in crate::rollouts) async fn ready(
    tx: &mut Tx,
    id: RolloutId,
    until_wave: u32,
    most: u32,
    now: Timestamp,
) -> Result<Vec<Unit>, Error> {
    let rows = sqlx::query(
        "select * from rollout_units where rollout_id = $1 and state = 'waiting' and wave <= $2
             and announced_at is not null and (opens_at is null or opens_at <= $3) and (closes_at is null or closes_at > $3)
         order by wave, position limit $4",
    )
    .bind(id.to_string())
    .bind(i64::from(until_wave))
    .bind(millis(now))
    .bind(i64::from(most))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(unit_of).collect()
}

/// Those that were updated, the last ones first.
pub(in crate::rollouts) async fn to_take_back(tx: &mut Tx, id: RolloutId, most: u32) -> Result<Vec<Unit>, Error> {
    let rows = sqlx::query(
        "select * from rollout_units where rollout_id = $1 and state = 'updated'
         order by wave desc, position desc limit $2",
    )
    .bind(id.to_string())
    .bind(i64::from(most))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(unit_of).collect()
}

/// Those whose window has closed before their turn came.
pub(in crate::rollouts) async fn missed(
    tx: &mut Tx,
    id: RolloutId,
    now: Timestamp,
    most: NonZeroU32,
) -> Result<Vec<Unit>, Error> {
    let rows = sqlx::query(
        "select * from rollout_units where rollout_id = $1 and state = 'waiting' and closes_at <= $2 limit $3",
    )
    .bind(id.to_string())
    .bind(millis(now))
    .bind(i64::from(most.get()))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(unit_of).collect()
}

/// Those that were not told yet.
pub(in crate::rollouts) async fn unannounced(tx: &mut Tx, id: RolloutId, most: NonZeroU32) -> Result<Vec<Unit>, Error> {
    let rows = sqlx::query(
        "select * from rollout_units where rollout_id = $1 and state = 'waiting' and announced_at is null
         order by wave, position limit $2",
    )
    .bind(id.to_string())
    .bind(i64::from(most.get()))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(unit_of).collect()
}

pub(in crate::rollouts) async fn note_announced(tx: &mut Tx, unit: &Unit, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update rollout_units set announced_at = $3 where rollout_id = $1 and instance_id = $2")
        .bind(unit.rollout.to_string())
        .bind(unit.instance.to_string())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Gives those that wait another appointment; none means at any time.
pub(in crate::rollouts) async fn appoint(
    tx: &mut Tx,
    unit: &Unit,
    opening: Option<fleet::Opening>,
) -> Result<(), Error> {
    sqlx::query(
        "update rollout_units set opens_at = $3, closes_at = $4
         where rollout_id = $1 and instance_id = $2 and state = 'waiting'",
    )
    .bind(unit.rollout.to_string())
    .bind(unit.instance.to_string())
    .bind(opening.map(|open| millis(open.opens)))
    .bind(opening.map(|open| millis(open.closes)))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(in crate::rollouts) async fn unit(tx: &mut Tx, id: RolloutId, instance: InstanceId) -> Result<Option<Unit>, Error> {
    let row = sqlx::query("select * from rollout_units where rollout_id = $1 and instance_id = $2")
        .bind(id.to_string())
        .bind(instance.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(unit_of).transpose()
}

/// The unit of an instance that waits for its turn in the open rollout, and the earliest moment that was announced.
pub(in crate::rollouts) async fn waiting(
    tx: &mut Tx,
    instance: InstanceId,
) -> Result<Option<(Unit, Timestamp)>, Error> {
    let row = sqlx::query(
        "select u.*, o.made_at, o.strategy from rollout_units u join rollouts o on o.id = u.rollout_id
         where u.instance_id = $1 and u.state = 'waiting'",
    )
    .bind(instance.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        let strategy: fleet::Strategy = from_json(row.try_get("strategy")?)?;
        let made_at = from_millis(row.try_get("made_at")?);
        Ok((unit_of(&row)?, made_at.checked_add(strategy.notice()).unwrap_or(made_at)))
    })
    .transpose()
}

/// When the update was announced that waits for its turn.
pub(crate) async fn announced_at(db: &Db, instance: InstanceId) -> Result<Option<Timestamp>, Error> {
    let at: Option<Option<i64>> =
        sqlx::query_scalar("select announced_at from rollout_units where instance_id = $1 and state = 'waiting'")
            .bind(instance.to_string())
            .fetch_optional(db.read())
            .await?;
    Ok(optional_from_millis(at.flatten()))
}

/// How many units are in each state.
pub(crate) async fn counts(db: &Db, id: RolloutId) -> Result<Vec<(UnitState, u32)>, Error> {
    let rows = sqlx::query("select state, count(*) as number from rollout_units where rollout_id = $1 group by state")
        .bind(id.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(state_and_number).collect()
}

pub(in crate::rollouts) fn state_and_number(row: &AnyRow) -> Result<(UnitState, u32), Error> {
    Ok((unit_state(row)?, u32::try_from(row.try_get::<i64, _>("number")?).unwrap_or(u32::MAX)))
}

/// How many units failed.
pub(in crate::rollouts) async fn failed(tx: &mut Tx, id: RolloutId) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar(
        "select count(*) from rollout_units where rollout_id = $1 and state in ('rolled_back', 'stuck')",
    )
    .bind(id.to_string())
    .fetch_one(&mut **tx)
    .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// How many units were planned.
pub(in crate::rollouts) async fn number(tx: &mut Tx, id: RolloutId) -> Result<u32, Error> {
    let number: i64 =
        sqlx::query_scalar("select count(*) from rollout_units where rollout_id = $1 and state <> 'excused'")
            .bind(id.to_string())
            .fetch_one(&mut **tx)
            .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

pub(in crate::rollouts) async fn set(
    tx: &mut Tx,
    unit: &Unit,
    to: UnitState,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update rollout_units set state = $3, why = coalesce($4, why), settled_at = $5,
             is_held = case when $5 is null then is_held else 0 end,
             begun_at = case when $3 = 'updating' then $6 else begun_at end
         where rollout_id = $1 and instance_id = $2",
    )
    .bind(unit.rollout.to_string())
    .bind(unit.instance.to_string())
    .bind(to.as_str())
    .bind(why)
    .bind(to.is_settled().then_some(millis(now)))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What changes an instance as a whole, so that an update must not run beside it.
const CHANGES: &str = "('provision.v1', 'claim.v1', 'delete.v1', 'suspend.v1', 'resume.v1', 'rename.v1', \
    'retire-address.v1', 'own-access.v1', 'shared-access.v1', 'back-up.v1', 'restore.v1', 'move.v1', \
    'move-back.v1')";

/// The kind of something else that changes an instance at the moment.
pub(in crate::rollouts) async fn others_at_work(tx: &mut Tx, instance: InstanceId) -> Result<Option<String>, Error> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "select kind from workflows where subject = $1 and state in ('running', 'undoing') and kind in {CHANGES} limit 1"
    )))
    .bind(instance.to_string())
    .fetch_optional(&mut **tx)
    .await
}

/// From now on what else would change the instance waits, until the unit is settled.
pub(in crate::rollouts) async fn take_hold(tx: &mut Tx, unit: &Unit) -> Result<(), Error> {
    sqlx::query("update rollout_units set is_held = 1 where rollout_id = $1 and instance_id = $2")
        .bind(unit.rollout.to_string())
        .bind(unit.instance.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whether what else would change the instance waits for this unit already.
pub(in crate::rollouts) async fn has_hold(tx: &mut Tx, unit: &Unit) -> Result<bool, Error> {
    let held: Option<i64> =
        sqlx::query_scalar("select is_held from rollout_units where rollout_id = $1 and instance_id = $2")
            .bind(unit.rollout.to_string())
            .bind(unit.instance.to_string())
            .fetch_optional(&mut **tx)
            .await?;
    Ok(held == Some(1))
}

/// Whether an instance is being updated, or taken back.
pub(in crate::rollouts) async fn is_held(db: &Db, instance: InstanceId) -> Result<bool, Error> {
    let held: Option<i64> =
        sqlx::query_scalar("select is_held from rollout_units where instance_id = $1 and is_held = 1 limit 1")
            .bind(instance.to_string())
            .fetch_optional(db.read())
            .await?;
    Ok(held.is_some())
}

pub(in crate::rollouts) async fn note_workflow(tx: &mut Tx, unit: &Unit, workflow: &str) -> Result<(), Error> {
    sqlx::query("update rollout_units set workflow_id = $3 where rollout_id = $1 and instance_id = $2")
        .bind(unit.rollout.to_string())
        .bind(unit.instance.to_string())
        .bind(workflow)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Counts a look that an instance missed while it is watched. How many it has missed in a row by now.
pub(in crate::rollouts) async fn miss(db: &Db, unit: &Unit) -> Result<u32, Error> {
    let misses: i64 = sqlx::query_scalar(
        "update rollout_units set misses = misses + 1 where rollout_id = $1 and instance_id = $2 returning misses",
    )
    .bind(unit.rollout.to_string())
    .bind(unit.instance.to_string())
    .fetch_one(db.write())
    .await?;
    Ok(u32::try_from(misses).unwrap_or(u32::MAX))
}

/// It was well at the last look.
pub(in crate::rollouts) async fn forget_misses(db: &Db, unit: &Unit) -> Result<(), Error> {
    sqlx::query("update rollout_units set misses = 0 where rollout_id = $1 and instance_id = $2")
        .bind(unit.rollout.to_string())
        .bind(unit.instance.to_string())
        .execute(db.write())
        .await?;
    Ok(())
}

/// Which backup was made before the unit was updated.
pub(in crate::rollouts) async fn note_backup(tx: &mut Tx, unit: &Unit, backup: BackupId) -> Result<(), Error> {
    sqlx::query("update rollout_units set backup_id = $3 where rollout_id = $1 and instance_id = $2")
        .bind(unit.rollout.to_string())
        .bind(unit.instance.to_string())
        .bind(backup.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(in crate::rollouts) async fn skip_waiting(
    tx: &mut Tx,
    id: RolloutId,
    why: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update rollout_units set state = 'skipped', why = $2, settled_at = $3
         where rollout_id = $1 and state = 'waiting'",
    )
    .bind(id.to_string())
    .bind(why)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The workflows of those that are being brought to the release.
pub(in crate::rollouts) async fn under_way(tx: &mut Tx, id: RolloutId) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(
        "select workflow_id from rollout_units
         where rollout_id = $1 and state in ('updating', 'soaking') and workflow_id is not null",
    )
    .bind(id.to_string())
    .fetch_all(&mut **tx)
    .await
}

/// Those whose workflow can't go on without a person.
pub(in crate::rollouts) async fn stuck<'c>(
    executor: impl Executor<'c, Database = Any>,
    id: RolloutId,
) -> Result<Vec<Unit>, Error> {
    let rows = sqlx::query(
        "select u.* from rollout_units u join workflows w on w.id = u.workflow_id
         where u.rollout_id = $1 and u.state in ('updating', 'soaking', 'going_back')
             and w.state in ('stuck', 'abandoned')",
    )
    .bind(id.to_string())
    .fetch_all(executor)
    .await?;
    rows.iter().map(unit_of).collect()
}

/// Of those that were updated: what was seen of each since, if anything.
pub(in crate::rollouts) async fn seen_of_updated(
    tx: &mut Tx,
    id: RolloutId,
) -> Result<Vec<(Unit, Option<String>, Option<Timestamp>)>, Error> {
    let rows = sqlx::query(concat!(
        "select u.*, i.observation, ",
        seen_at!(),
        " as seen_at from rollout_units u join instances i on i.id = u.instance_id left join looks l on l.id = 1
         where u.rollout_id = $1 and u.state = 'updated' and i.state = 'active'",
    ))
    .bind(id.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            let at = optional_from_millis(row.try_get("seen_at")?);
            Ok((unit_of(row)?, row.try_get("observation")?, at))
        })
        .collect()
}

/// Of each stage: how many run the release because of this rollout or did before, and how many failed.
pub(in crate::rollouts) async fn by_stage(tx: &mut Tx, id: RolloutId) -> Result<Vec<(Stage, u32, u32)>, Error> {
    let rows = sqlx::query(
        "select stage, sum(case when state = 'updated' then 1 else 0 end) as updated,
                sum(case when state in ('rolled_back', 'stuck') then 1 else 0 end) as failed
         from rollout_units where rollout_id = $1 group by stage",
    )
    .bind(id.to_string())
    .fetch_all(&mut **tx)
    .await?;
    let number = |row: &AnyRow, column| Ok::<_, Error>(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
    rows.iter()
        .map(|row| Ok((Stage::from_stored(row.try_get("stage")?)?, number(row, "updated")?, number(row, "failed")?)))
        .collect()
}

/// Active instances of a stage that run something older than a release and can be updated: not pinned, and not tried
/// with that release before.
pub(in crate::rollouts) async fn behind(
    db: &Db,
    stage: Stage,
    release: ReleaseId,
    now: Timestamp,
) -> Result<Vec<InstanceId>, Error> {
    let rows = sqlx::query(
        "select i.id, u.rules from instances i
         join instance_releases n on n.instance_id = i.id
         left join update_rules u on u.instance_id = i.id
         where i.state = 'active' and n.release_id < $2 and coalesce(u.stage, 'customers') = $1
             and not exists (select 1 from rollout_units t join rollouts o on o.id = t.rollout_id
                             where t.instance_id = i.id and o.release_id = $2
                                 and t.state in ('rolled_back', 'stuck', 'skipped', 'went_back'))
         order by i.id",
    )
    .bind(stage.as_str())
    .bind(release.to_string())
    .fetch_all(db.read())
    .await?;
    let mut behind = Vec::new();
    for row in rows {
        let rules: Option<fleet::UpdateRules> = row.try_get::<Option<&str>, _>("rules")?.map(from_json).transpose()?;
        if rules.is_none_or(|rules| rules.pinned(now).is_none()) {
            behind.push(InstanceId::from_stored(row.try_get("id")?)?);
        }
    }
    Ok(behind)
}

/// How long the last updates took from their beginning to their end, watching left out, in milliseconds.
pub(in crate::rollouts) async fn durations(db: &Db, limit: u32) -> Result<Vec<i64>, Error> {
    sqlx::query_scalar(
        "select settled_at - begun_at from rollout_units
         where state = 'updated' and begun_at is not null and settled_at is not null order by settled_at desc limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await
}

pub(in crate::rollouts) fn unit_of(row: &AnyRow) -> Result<Unit, Error> {
    let number = |column| Ok::<_, Error>(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX));
    Ok(Unit {
        rollout: RolloutId::from_stored(row.try_get("rollout_id")?)?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        stage: Stage::from_stored(row.try_get("stage")?)?,
        wave: number("wave")?,
        state: unit_state(row)?,
        opens_at: optional_from_millis(row.try_get("opens_at")?),
        from: row.try_get::<Option<&str>, _>("from_release")?.map(ReleaseId::from_stored).transpose()?,
        workflow: row.try_get("workflow_id")?,
        backup: row.try_get::<Option<&str>, _>("backup_id")?.map(BackupId::from_stored).transpose()?,
        why: row.try_get("why")?,
        misses: u32::try_from(row.try_get::<i64, _>("misses")?).unwrap_or(u32::MAX),
        begun_at: optional_from_millis(row.try_get("begun_at")?),
        settled_at: optional_from_millis(row.try_get("settled_at")?),
    })
}

pub(in crate::rollouts) fn unit_state(row: &AnyRow) -> Result<UnitState, Error> {
    let word: String = row.try_get("state")?;
    UnitState::parse(&word).ok_or_else(|| Error::Decode(format!("{word:?} is not the state of a unit").into()))
}
