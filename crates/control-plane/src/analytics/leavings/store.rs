use domain::{CustomerId, InstanceId, LeavingReason};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, from_millis, millis};

use super::{Farewell, Said, Way};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120323,
    name: "why customers leave",
    sql: "
        create table leavings (
            instance_id text not null references instances (id),
            asked_at bigint not null,
            asked_by text not null,
            way text not null,
            reason text,
            comment text,
            primary key (instance_id, asked_at)
        );
        create index leavings_asked on leavings (asked_at);",
}];

pub(super) async fn insert(
    tx: &mut Tx,
    instance: InstanceId,
    way: Way,
    farewell: &Farewell,
    (at, by): (Timestamp, &str),
) -> Result<(), Error> {
    sqlx::query(
        "insert into leavings (instance_id, asked_at, asked_by, way, reason, comment) values ($1, $2, $3, $4, $5, $6)
         on conflict (instance_id, asked_at) do nothing",
    )
    .bind(instance.to_string())
    .bind(millis(at))
    .bind(by)
    .bind(way.as_str())
    .bind(farewell.reason.map(LeavingReason::as_str))
    .bind(&farewell.comment)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How often each reason was given in a time, the most frequent first; without one, last.
pub(in crate::analytics) async fn counts(
    db: &Db,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Option<LeavingReason>, u64)>, Error> {
    let rows = sqlx::query(
        "select reason, count(*) as given from leavings where asked_at >= $1 and asked_at < $2
         group by reason order by case when reason is null then 1 else 0 end, count(*) desc, reason",
    )
    .bind(millis(from))
    .bind(millis(until))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let reason: Option<&str> = row.try_get("reason")?;
            let given: i64 = row.try_get("given")?;
            Ok((reason.map(LeavingReason::from_stored).transpose()?, given.unsigned_abs()))
        })
        .collect()
}

/// What was said beside the reasons in a time, the latest first.
pub(in crate::analytics) async fn comments(
    db: &Db,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Said>, Error> {
    let rows = sqlx::query(
        "select i.customer_id, l.asked_at, l.reason, l.comment from leavings l join instances i on i.id = l.instance_id
         where l.asked_at >= $1 and l.asked_at < $2 and l.comment is not null
         order by l.asked_at desc, l.instance_id limit $3",
    )
    .bind(millis(from))
    .bind(millis(until))
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let reason: Option<&str> = row.try_get("reason")?;
            Ok(Said {
                customer: CustomerId::from_stored(row.try_get("customer_id")?)?,
                at: from_millis(row.try_get("asked_at")?),
                reason: reason.map(LeavingReason::from_stored).transpose()?,
                comment: row.try_get("comment")?,
            })
        })
        .collect()
}
