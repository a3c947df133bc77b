use std::collections::BTreeSet;

use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Known, Notice, Seen, Unit};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112992,
    name: "limits of spending",
    sql: "
        create table spend_limits (
            name text not null primary key,
            provider text not null,
            unit text not null,
            used bigint,
            most bigint,
            period_from bigint,
            period_until bigint,
            observed_at bigint,
            tried_at bigint not null,
            trouble text
        );
        create table spend_notices (
            name text not null,
            notice text not null,
            period_from bigint not null,
            raised_at bigint not null,
            over_at bigint,
            primary key (name, notice, period_from, raised_at)
        );
        create index spend_notices_open on spend_notices (name) where over_at is null;",
}];

/// Holds the row of a limit until the transaction ends, so that of two replicas one waits; makes it, when it is new.
pub(super) async fn hold(tx: &mut Tx, name: &str, provider: &str, unit: Unit, now: Timestamp) -> Result<Known, Error> {
    sqlx::query(
        "insert into spend_limits (name, provider, unit, tried_at) values ($1, $2, $3, $4) on conflict (name) do nothing",
    )
    .bind(name)
    .bind(provider)
    .bind(unit.as_str())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    let row = sqlx::query("update spend_limits set provider = $2 where name = $1 returning *")
        .bind(name)
        .bind(provider)
        .fetch_one(&mut **tx)
        .await?;
    known(&row)
}

/// What a look showed takes the place of what was known.
pub(super) async fn seen(tx: &mut Tx, name: &str, seen: &Seen, at: Timestamp) -> Result<(), Error> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query(
        "update spend_limits set used = $2, most = $3, period_from = $4, period_until = $5, observed_at = $6, trouble = null
         where name = $1",
    )
    .bind(name)
    .bind(number(seen.used))
    .bind(seen.limit.map(number))
    .bind(millis(seen.from))
    .bind(millis(seen.until))
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A look came to nothing; what was seen before stays.
pub(super) async fn failed(tx: &mut Tx, name: &str, why: &str) -> Result<(), Error> {
    sqlx::query("update spend_limits set trouble = $2 where name = $1").bind(name).bind(why).execute(&mut **tx).await?;
    Ok(())
}

/// Forgets a limit that no provider in use has any more, with what was told of it.
pub(super) async fn forget(db: &Db, name: &str, now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query("delete from spend_limits where name = $1").bind(name).execute(&mut *tx).await?;
    sqlx::query("update spend_notices set over_at = $2 where name = $1 and over_at is null")
        .bind(name)
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// What was told and still holds, with the period it is about.
pub(super) async fn open_notices(tx: &mut Tx, name: &str) -> Result<BTreeSet<(Notice, Timestamp)>, Error> {
    let rows = sqlx::query("select notice, period_from from spend_notices where name = $1 and over_at is null")
        .bind(name)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| Ok((notice(row)?, from_millis(row.try_get("period_from")?)))).collect()
}

pub(super) async fn raise(
    tx: &mut Tx,
    name: &str,
    notice: Notice,
    period: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "insert into spend_notices (name, notice, period_from, raised_at) values ($1, $2, $3, $4)
         on conflict (name, notice, period_from, raised_at) do update set over_at = null",
    )
    .bind(name)
    .bind(notice.to_string())
    .bind(millis(period))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn end(
    tx: &mut Tx,
    name: &str,
    notice: Notice,
    period: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update spend_notices set over_at = $4
         where name = $1 and notice = $2 and period_from = $3 and over_at is null",
    )
    .bind(name)
    .bind(notice.to_string())
    .bind(millis(period))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every limit that is watched, each with what was told of it and still holds.
pub(crate) async fn list(db: &Db) -> Result<Vec<(Known, Vec<(Notice, Timestamp)>)>, Error> {
    let rows = sqlx::query("select * from spend_limits order by name").fetch_all(db.read()).await?;
    let told = sqlx::query("select * from spend_notices where over_at is null order by raised_at, notice")
        .fetch_all(db.read())
        .await?;
    let mut all = Vec::new();
    for row in &rows {
        let known = known(row)?;
        let mut notices = Vec::new();
        for told in &told {
            if told.try_get::<&str, _>("name")? == known.name {
                notices.push((notice(told)?, from_millis(told.try_get("raised_at")?)));
            }
        }
        all.push((known, notices));
    }
    Ok(all)
}

fn notice(row: &AnyRow) -> Result<Notice, Error> {
    Notice::parse(row.try_get("notice")?).ok_or_else(|| Error::Decode("an unknown notice of a limit".into()))
}

fn known(row: &AnyRow) -> Result<Known, Error> {
    let number = |column: &str| Ok::<_, Error>(row.try_get::<Option<i64>, _>(column)?.map(i64::unsigned_abs));
    let moment = |column: &str| Ok::<_, Error>(optional_from_millis(row.try_get(column)?));
    let seen = match (number("used")?, moment("period_from")?, moment("period_until")?) {
        (Some(used), Some(from), Some(until)) => Some(Seen { used, limit: number("most")?, from, until }),
        _ => None,
    };
    Ok(Known {
        name: row.try_get("name")?,
        provider: row.try_get("provider")?,
        unit: Unit::parse(row.try_get("unit")?).ok_or_else(|| Error::Decode("a limit of an unknown unit".into()))?,
        seen,
        observed_at: moment("observed_at")?,
        first_tried_at: from_millis(row.try_get("tried_at")?),
        trouble: row.try_get("trouble")?,
    })
}
