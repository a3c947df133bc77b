use domain::{InstanceId, UsageHour};
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Contest, ContestState};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112946,
    name: "contests of hours",
    sql: "
        create table contests (
            id text not null primary key,
            instance_id text not null references instances (id),
            hour bigint not null,
            reason text not null,
            author text not null,
            state text not null,
            opened_at bigint not null,
            decided_by text,
            decided_at bigint,
            answer text,
            unique (instance_id, hour)
        );",
}];

/// Opens a contest; one of the same hour is there already and stays. Whether it was new.
pub(crate) async fn insert(tx: &mut Tx, contest: &Contest) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into contests (id, instance_id, hour, reason, author, state, opened_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
    )
    .bind(&contest.id)
    .bind(contest.instance.to_string())
    .bind(contest.hour.get())
    .bind(&contest.reason)
    .bind(&contest.author)
    .bind(contest.state.as_str())
    .bind(millis(contest.opened_at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Decides a contest that is open. Whether it was.
pub(crate) async fn decide(
    tx: &mut Tx,
    id: &str,
    state: ContestState,
    answer: &str,
    by: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "update contests set state = $2, answer = $3, decided_by = $4, decided_at = $5 where id = $1 and state = 'open'",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(answer)
    .bind(by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Contest>, Error> {
    let row = sqlx::query("select * from contests where id = $1").bind(id).fetch_optional(connection).await?;
    row.as_ref().map(contest).transpose()
}

/// Contests, latest hour first; `before` is the id of the last one of the page before.
pub(crate) async fn list(
    db: &Db,
    state: Option<ContestState>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Contest>, Error> {
    let rows = sqlx::query(
        "select * from contests where ($1 = '' or state = $1) and ($2 = '' or id < $2) order by id desc limit $3",
    )
    .bind(state.map_or("", ContestState::as_str))
    .bind(before.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(contest).collect()
}

/// Contests that wait for a decision, those opened first at the head.
pub(crate) async fn waiting(db: &Db, limit: u32) -> Result<Vec<Contest>, Error> {
    let rows = sqlx::query("select * from contests where state = 'open' order by opened_at, id limit $1")
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(contest).collect()
}

fn contest(row: &AnyRow) -> Result<Contest, Error> {
    let (hour, state): (i64, &str) = (row.try_get("hour")?, row.try_get("state")?);
    let unknown = |what: String| Error::Decode(what.into());
    Ok(Contest {
        id: row.try_get("id")?,
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        hour: UsageHour::from_number(hour).ok_or_else(|| unknown(format!("{hour} is not an hour")))?,
        reason: row.try_get("reason")?,
        author: row.try_get("author")?,
        state: ContestState::parse(state).ok_or_else(|| unknown(format!("{state:?} is not the state of a contest")))?,
        opened_at: from_millis(row.try_get("opened_at")?),
        decided_by: row.try_get("decided_by")?,
        decided_at: optional_from_millis(row.try_get("decided_at")?),
        answer: row.try_get("answer")?,
    })
}
