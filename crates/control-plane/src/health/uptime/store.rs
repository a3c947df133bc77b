//! Times added up: of one instance from its spans, of all together by the store itself.

use domain::{InstanceId, Span, Uptime, Verdict};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026113044,
    name: "days of uptime",
    sql: "
        create table uptime_days (
            day text not null primary key,
            up_ms bigint not null,
            down_ms bigint not null,
            asleep_ms bigint not null,
            paused_ms bigint not null,
            unknown_ms bigint not null
        );",
}];

/// The spans of an instance that reach into a window, earliest first.
pub(super) async fn spans(db: &Db, id: InstanceId, from: Timestamp) -> Result<Vec<Span>, Error> {
    let rows = sqlx::query(
        "select verdict, began_at, ended_at from health_spans
         where instance_id = $1 and (ended_at is null or ended_at > $2) order by began_at",
    )
    .bind(id.to_string())
    .bind(millis(from))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(span).collect()
}

/// When the instance came into use, and when it was given up.
pub(super) async fn service(db: &Db, id: InstanceId) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
    let row = sqlx::query("select active_since, service_ended_at from instances where id = $1")
        .bind(id.to_string())
        .fetch_one(db.read())
        .await?;
    Ok((optional_from_millis(row.try_get("active_since")?), optional_from_millis(row.try_get("service_ended_at")?)))
}

/// How all instances together spent a window of time. What is open counts until the window's end.
pub(super) async fn all_together(db: &Db, from: Timestamp, until: Timestamp) -> Result<Uptime, Error> {
    let rows = sqlx::query(
        "select verdict, cast(sum(
                 case when ended_at is null or ended_at > $2 then $2 else ended_at end
                 - case when began_at < $1 then $1 else began_at end) as bigint) as spent
         from health_spans where began_at < $2 and (ended_at is null or ended_at > $1) group by verdict",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_all(db.read())
    .await?;
    let existed: Option<i64> = sqlx::query_scalar(
        "select cast(sum(
                 case when service_ended_at is null or service_ended_at > $2 then $2 else service_ended_at end
                 - case when active_since < $1 then $1 else active_since end) as bigint)
         from instances where active_since < $2 and (service_ended_at is null or service_ended_at > $1)",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_one(db.read())
    .await?;
    let (mut sum, mut seen) = (Uptime::default(), SignedDuration::ZERO);
    for row in rows {
        let spent = SignedDuration::from_millis(row.try_get("spent")?);
        seen += spent;
        match Verdict::from_stored(row.try_get("verdict")?)? {
            Verdict::Up => sum.up += spent,
            Verdict::Down | Verdict::Unreachable | Verdict::Starting => sum.down += spent,
            Verdict::Asleep => sum.asleep += spent,
            Verdict::Suspended => sum.paused += spent,
            Verdict::Unknown => sum.unknown += spent,
        }
    }
    let existed = SignedDuration::from_millis(existed.unwrap_or(0));
    sum.unknown += (existed - seen).max(SignedDuration::ZERO);
    Ok(sum)
}

/// The days that are added up, from one on.
pub(super) async fn days(db: &Db, from: Date) -> Result<Vec<(Date, Uptime)>, Error> {
    let rows = sqlx::query("select * from uptime_days where day >= $1 order by day")
        .bind(from.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            let day: &str = row.try_get("day")?;
            let spent = |name: &str| row.try_get(name).map(SignedDuration::from_millis);
            let uptime = Uptime {
                up: spent("up_ms")?,
                down: spent("down_ms")?,
                asleep: spent("asleep_ms")?,
                paused: spent("paused_ms")?,
                unknown: spent("unknown_ms")?,
            };
            Ok((day.parse().map_err(|error: jiff::Error| Error::Decode(Box::new(error)))?, uptime))
        })
        .collect()
}

/// A day is added up once.
pub(super) async fn add_day(tx: &mut Tx, day: Date, spent: &Uptime) -> Result<(), Error> {
    let ms = |part: SignedDuration| i64::try_from(part.as_millis()).unwrap_or(i64::MAX);
    sqlx::query(
        "insert into uptime_days (day, up_ms, down_ms, asleep_ms, paused_ms, unknown_ms)
         values ($1, $2, $3, $4, $5, $6) on conflict (day) do nothing",
    )
    .bind(day.to_string())
    .bind(ms(spent.up))
    .bind(ms(spent.down))
    .bind(ms(spent.asleep))
    .bind(ms(spent.paused))
    .bind(ms(spent.unknown))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// When the first span began.
pub(super) async fn first_seen(db: &Db) -> Result<Option<Timestamp>, Error> {
    let first: Option<i64> = sqlx::query_scalar("select min(began_at) from health_spans").fetch_one(db.read()).await?;
    Ok(first.map(from_millis))
}

/// Spans that were over by then are kept no longer.
pub(super) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    sqlx::query("delete from health_spans where ended_at < $1").bind(millis(before)).execute(&mut **tx).await?;
    Ok(())
}

fn span(row: &AnyRow) -> Result<Span, Error> {
    Ok(Span {
        verdict: Verdict::from_stored(row.try_get("verdict")?)?,
        began: from_millis(row.try_get("began_at")?),
        ended: optional_from_millis(row.try_get("ended_at")?),
    })
}
