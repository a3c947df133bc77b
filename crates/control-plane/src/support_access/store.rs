use domain::{Email, InstanceId, SupportAccessId};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::{Asked, Leave, Standing, SupportAccess};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026113061,
    name: "support access",
    sql: "
        create table support_access (
            id text not null primary key,
            instance_id text not null references instances (id),
            state text not null,
            asked_by text,
            asked_at bigint,
            reason text,
            answered_by text,
            answered_at bigint,
            until_at bigint,
            may_change bigint,
            people text,
            ended_by text,
            ended_at bigint
        );
        create index support_access_instance on support_access (instance_id);
        create unique index support_access_open on support_access (instance_id) where state in ('asked', 'given');
        create index support_access_state on support_access (state);",
}];

/// Those shown of one instance.
const MOST: i64 = 50;

macro_rules! open_of {
    () => {
        "select * from support_access where instance_id = $1 and state in ('asked', 'given')"
    };
}

/// Stores a new one. A unique violation means that there is an open one.
pub(crate) async fn insert(tx: &mut Tx, access: &SupportAccess) -> Result<(), Error> {
    let asked = access.asked.as_ref();
    sqlx::query(
        "insert into support_access (id, instance_id, state, asked_by, asked_at, reason)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(access.id.to_string())
    .bind(access.instance.to_string())
    .bind(access.word())
    .bind(asked.map(|asked| asked.by.as_str()))
    .bind(asked.map(|asked| millis(asked.at)))
    .bind(asked.map(|asked| asked.reason.as_str()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores how far it has come.
pub(crate) async fn keep(tx: &mut Tx, access: &SupportAccess) -> Result<(), Error> {
    let leave = access.leave();
    let answer = match &access.state {
        Standing::Declined { by, at } => Some((by.as_str(), *at)),
        _ => leave.map(|leave| (leave.by.as_str(), leave.at)),
    };
    let end = match &access.state {
        Standing::Ended { by, at, .. } => Some((by.as_str(), *at)),
        _ => None,
    };
    let people = leave.map(|leave| serde_json::to_string(&leave.people)).transpose();
    sqlx::query(
        "update support_access set state = $2, answered_by = $3, answered_at = $4, until_at = $5, may_change = $6,
             people = $7, ended_by = $8, ended_at = $9
         where id = $1",
    )
    .bind(access.id.to_string())
    .bind(access.word())
    .bind(answer.map(|(by, _)| by))
    .bind(answer.map(|(_, at)| millis(at)))
    .bind(leave.map(|leave| millis(leave.until)))
    .bind(leave.map(|leave| i64::from(leave.may_change)))
    .bind(people.map_err(|error| Error::Encode(Box::new(error)))?)
    .bind(end.map(|(by, _)| by))
    .bind(end.map(|(_, at)| millis(at)))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The one that was asked for or given and has not ended, as seen within a transaction.
pub(crate) async fn open(tx: &mut Tx, instance: InstanceId) -> Result<Option<SupportAccess>, Error> {
    let row = sqlx::query(open_of!()).bind(instance.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(read).transpose()
}

/// The same outside of one.
pub(crate) async fn open_of(db: &Db, instance: InstanceId) -> Result<Option<SupportAccess>, Error> {
    let row = sqlx::query(open_of!()).bind(instance.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map(read).transpose()
}

/// All of one instance, newest first.
pub(crate) async fn of_instance(db: &Db, instance: InstanceId) -> Result<Vec<SupportAccess>, Error> {
    let rows = sqlx::query("select * from support_access where instance_id = $1 order by id desc limit $2")
        .bind(instance.to_string())
        .bind(MOST)
        .fetch_all(db.read())
        .await?;
    rows.iter().map(read).collect()
}

/// The instances whose leave is over and not ended.
pub(crate) async fn over(db: &Db, now: Timestamp) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("select instance_id from support_access where state = 'given' and until_at <= $1")
            .bind(millis(now))
            .fetch_all(db.read())
            .await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}

/// The instances into which support may enter.
pub(crate) async fn given(db: &Db) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("select instance_id from support_access where state = 'given'").fetch_all(db.read()).await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}

/// Those whose leave was given, and reached beyond a moment or still lasts.
pub(crate) async fn lately(db: &Db, since: Timestamp) -> Result<Vec<SupportAccess>, Error> {
    let rows = sqlx::query(
        "select * from support_access where state = 'given' or (state = 'ended' and ended_at > $1) order by id",
    )
    .bind(millis(since))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<SupportAccess, Error> {
    let asked = match row.try_get::<Option<String>, _>("asked_by")? {
        Some(by) => Some(Asked { by, at: from_millis(row.try_get("asked_at")?), reason: row.try_get("reason")? }),
        None => None,
    };
    let word: &str = row.try_get("state")?;
    let state = match word {
        "asked" => Standing::Asked,
        "declined" => {
            Standing::Declined { by: row.try_get("answered_by")?, at: from_millis(row.try_get("answered_at")?) }
        }
        "given" => Standing::Given(leave(row)?),
        "ended" => Standing::Ended {
            leave: leave(row)?,
            by: row.try_get("ended_by")?,
            at: from_millis(row.try_get("ended_at")?),
        },
        other => return Err(Error::Decode(format!("{other:?} is no state of support's access").into())),
    };
    Ok(SupportAccess {
        id: SupportAccessId::from_stored(row.try_get("id")?)?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        asked,
        state,
    })
}

fn leave(row: &AnyRow) -> Result<Leave, Error> {
    let people: Vec<Email> =
        serde_json::from_str(row.try_get("people")?).map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(Leave {
        by: row.try_get("answered_by")?,
        at: from_millis(row.try_get("answered_at")?),
        until: from_millis(row.try_get("until_at")?),
        may_change: row.try_get::<i64, _>("may_change")? == 1,
        people,
    })
}
