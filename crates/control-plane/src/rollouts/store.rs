use domain::{InstanceId, ReleaseId, RolloutId};
use fleet::{RolloutState, Stage, UnitState, Version};
use jiff::{SignedDuration, Timestamp};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::preview::Preview;
use super::units::Unit;
use super::units::store::unit_of;
use super::{Occasion, Rollout};
use crate::text::{Stored as _, from_json, to_json};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026113002,
        name: "rollouts",
        sql: "
        create table rollouts (
            id text not null primary key,
            release_id text not null references releases (id),
            stage text not null,
            occasion text not null,
            strategy text not null,
            tolerated bigint not null,
            state text not null,
            why text,
            made_by text not null,
            made_at bigint not null,
            finished_at bigint,
            expected_ms bigint not null,
            ran_it_already bigint not null,
            is_whole bigint not null,
            former_current text
        );
        create unique index rollouts_open on rollouts ((1))
            where state in ('running', 'paused', 'halted', 'cancelling', 'rolling_back');
        create table rollout_units (
            rollout_id text not null references rollouts (id),
            instance_id text not null,
            stage text not null,
            wave bigint not null,
            position bigint not null,
            state text not null,
            opens_at bigint,
            closes_at bigint,
            from_release text references releases (id),
            workflow_id text,
            backup_id text,
            why text,
            announced_at bigint,
            is_held bigint not null default 0,
            begun_at bigint,
            settled_at bigint,
            primary key (rollout_id, instance_id)
        );
        create index rollout_units_turn on rollout_units (rollout_id, state, wave, position);
        create index rollout_units_instance on rollout_units (instance_id);
        create table rollout_log (
            rollout_id text not null references rollouts (id),
            seq bigint not null,
            at bigint not null,
            who text not null,
            what text not null,
            primary key (rollout_id, seq)
        );",
    },
    Migration {
        version: 2026120100,
        name: "ends of rollouts",
        sql: "
        create index rollout_units_opening on rollout_units (rollout_id, state, wave, opens_at) where state = 'waiting';
        create index rollout_units_closing on rollout_units (rollout_id, state, closes_at) where state = 'waiting';
        create index rollout_units_untold on rollout_units (rollout_id, state, announced_at, wave, position)
            where state = 'waiting';
        create index rollout_units_settled on rollout_units (settled_at) where state = 'updated';
        alter table rollout_units add column misses bigint not null default 0;",
    },
];

macro_rules! select {
    ($rest:literal) => {
        concat!("select o.*, r.version from rollouts o join releases r on r.id = o.release_id ", $rest)
    };
}

/// Stores a rollout with all its units, and those that are left out of it with why.
pub(super) async fn insert(tx: &mut Tx, rollout: &Rollout, preview: &Preview) -> Result<(), Error> {
    sqlx::query(
        "insert into rollouts (id, release_id, stage, occasion, strategy, tolerated, state, made_by, made_at,
                               expected_ms, ran_it_already, is_whole)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(rollout.id.to_string())
    .bind(rollout.release.to_string())
    .bind(rollout.stage.as_str())
    .bind(rollout.occasion.as_str())
    .bind(to_json(&rollout.strategy)?)
    .bind(i64::from(rollout.tolerated))
    .bind(rollout.state.as_str())
    .bind(&rollout.made_by)
    .bind(millis(rollout.made_at))
    .bind(i64::try_from(rollout.expected.as_millis()).unwrap_or(i64::MAX))
    .bind(i64::from(rollout.ran_it_already))
    .bind(i64::from(rollout.is_whole))
    .execute(&mut **tx)
    .await?;
    for (position, unit) in (0_i64..).zip(&preview.plan.units) {
        let entry = preview.entry(unit.id);
        insert_unit(
            tx,
            rollout.id,
            &NewUnit {
                instance: unit.id,
                stage: entry.map_or(Stage::Customers, |entry| entry.stage),
                place: (i64::from(unit.wave), position),
                state: UnitState::Waiting,
                opening: unit.opening.map(|open| (millis(open.opens), millis(open.closes))),
                from: entry.and_then(|entry| entry.release),
                why: None,
            },
        )
        .await?;
    }
    for (instance, why) in preview.left_with_reason() {
        let entry = preview.entry(instance);
        insert_unit(
            tx,
            rollout.id,
            &NewUnit {
                instance,
                stage: entry.map_or(Stage::Customers, |entry| entry.stage),
                place: (0, i64::MAX),
                state: UnitState::Excused,
                opening: None,
                from: entry.and_then(|entry| entry.release),
                why: Some(why),
            },
        )
        .await?;
    }
    Ok(())
}

struct NewUnit {
    instance: InstanceId,
    stage: Stage,
    place: (i64, i64),
    state: UnitState,
    opening: Option<(i64, i64)>,
    from: Option<ReleaseId>,
    why: Option<String>,
}

async fn insert_unit(tx: &mut Tx, rollout: RolloutId, unit: &NewUnit) -> Result<(), Error> {
    sqlx::query(
        "insert into rollout_units (rollout_id, instance_id, stage, wave, position, state, opens_at, closes_at,
                                    from_release, why)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(rollout.to_string())
    .bind(unit.instance.to_string())
    .bind(unit.stage.as_str())
    .bind(unit.place.0)
    .bind(unit.place.1)
    .bind(unit.state.as_str())
    .bind(unit.opening.map(|(opens, _)| opens))
    .bind(unit.opening.map(|(_, closes)| closes))
    .bind(unit.from.map(|from| from.to_string()))
    .bind(&unit.why)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: RolloutId) -> Result<Option<Rollout>, Error> {
    let row = sqlx::query(select!("where o.id = $1")).bind(id.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map(rollout).transpose()
}

/// Newest first.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Rollout>, Error> {
    let rows = sqlx::query(select!("where ($1 = '' or o.id < $1) order by o.id desc limit $2"))
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(rollout).collect()
}

/// The one that is open.
pub(crate) async fn open(db: &Db) -> Result<Option<Rollout>, Error> {
    let row = sqlx::query(select!("where o.state in ('running', 'paused', 'halted', 'cancelling', 'rolling_back')"))
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(rollout).transpose()
}

/// The last one that brought a release to everybody.
pub(super) async fn last_of(db: &Db, release: ReleaseId) -> Result<Option<Rollout>, Error> {
    let row = sqlx::query(select!("where o.release_id = $1 and o.is_whole = 1 order by o.id desc limit 1"))
        .bind(release.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(rollout).transpose()
}

/// The id of the one that is open, as seen within a transaction.
pub(super) async fn lock_open(tx: &mut Tx) -> Result<Option<String>, Error> {
    sqlx::query_scalar(
        "select id from rollouts where state in ('running', 'paused', 'halted', 'cancelling', 'rolling_back')",
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Holds a rollout until the transaction ends, so that of two that advance it one waits.
pub(super) async fn lock(tx: &mut Tx, id: RolloutId) -> Result<Option<Rollout>, Error> {
    let held = sqlx::query("update rollouts set state = state where id = $1").bind(id.to_string());
    if held.execute(&mut **tx).await?.rows_affected() == 0 {
        return Ok(None);
    }
    let row = sqlx::query(select!("where o.id = $1")).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(rollout).transpose()
}

pub(super) async fn set_state(
    tx: &mut Tx,
    id: RolloutId,
    state: RolloutState,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("update rollouts set state = $2, why = $3, finished_at = $4 where id = $1")
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(why)
        .bind(state.is_over().then_some(millis(now)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn set_tolerated(tx: &mut Tx, id: RolloutId, tolerated: u32) -> Result<(), Error> {
    sqlx::query("update rollouts set tolerated = $2 where id = $1")
        .bind(id.to_string())
        .bind(i64::from(tolerated))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What was current before a rollout made its release so, for the way back.
pub(super) async fn note_former(tx: &mut Tx, id: RolloutId, former: &[(Stage, ReleaseId)]) -> Result<(), Error> {
    sqlx::query("update rollouts set former_current = $2 where id = $1")
        .bind(id.to_string())
        .bind(to_json(&former)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn former(tx: &mut Tx, id: RolloutId) -> Result<Vec<(Stage, ReleaseId)>, Error> {
    let text: Option<String> = sqlx::query_scalar("select former_current from rollouts where id = $1")
        .bind(id.to_string())
        .fetch_one(&mut **tx)
        .await?;
    text.map_or_else(|| Ok(Vec::new()), |text| from_json(&text))
}

/// What an instance is part of, or was, the latest first.
pub(crate) async fn of_instance(db: &Db, instance: InstanceId, limit: u32) -> Result<Vec<(Rollout, Unit)>, Error> {
    let rows = sqlx::query("select * from rollout_units where instance_id = $1 order by rollout_id desc limit $2")
        .bind(instance.to_string())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    let mut found = Vec::new();
    for unit in rows.iter().map(unit_of) {
        let unit = unit?;
        found.extend(find(db, unit.rollout).await?.map(|rollout| (rollout, unit)));
    }
    Ok(found)
}

/// Adds to what is told of a rollout.
pub(super) async fn log(tx: &mut Tx, id: RolloutId, by: &str, what: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into rollout_log (rollout_id, seq, at, who, what)
         values ($1, (select count(*) from rollout_log where rollout_id = $1), $2, $3, $4)",
    )
    .bind(id.to_string())
    .bind(millis(now))
    .bind(by)
    .bind(what)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One entry of the log of a rollout.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub at: Timestamp,
    pub who: String,
    pub what: String,
}

pub(crate) async fn told(db: &Db, id: RolloutId) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query("select * from rollout_log where rollout_id = $1 order by seq")
        .bind(id.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry { at: from_millis(row.try_get("at")?), who: row.try_get("who")?, what: row.try_get("what")? })
        })
        .collect()
}

fn rollout(row: &AnyRow) -> Result<Rollout, Error> {
    let word: String = row.try_get("state")?;
    let unknown = || Error::Decode(format!("{word:?} is not the state of a rollout").into());
    let occasion: String = row.try_get("occasion")?;
    Ok(Rollout {
        id: RolloutId::from_stored(row.try_get("id")?)?,
        release: ReleaseId::from_stored(row.try_get("release_id")?)?,
        version: Version::from_stored(row.try_get("version")?)?,
        stage: Stage::from_stored(row.try_get("stage")?)?,
        occasion: Occasion::parse(&occasion)
            .ok_or_else(|| Error::Decode(format!("{occasion:?} is not an occasion of a rollout").into()))?,
        strategy: from_json(row.try_get("strategy")?)?,
        tolerated: u32::try_from(row.try_get::<i64, _>("tolerated")?).unwrap_or(u32::MAX),
        state: RolloutState::parse(&word).ok_or_else(unknown)?,
        why: row.try_get("why")?,
        made_by: row.try_get("made_by")?,
        made_at: from_millis(row.try_get("made_at")?),
        finished_at: optional_from_millis(row.try_get("finished_at")?),
        expected: SignedDuration::from_millis(row.try_get("expected_ms")?),
        ran_it_already: u32::try_from(row.try_get::<i64, _>("ran_it_already")?).unwrap_or(u32::MAX),
        is_whole: row.try_get::<i64, _>("is_whole")? == 1,
    })
}
