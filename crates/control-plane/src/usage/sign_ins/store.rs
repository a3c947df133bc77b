use domain::{Email, InstanceId, Month, UsageHour};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, from_millis, millis};

use super::HourOfSignIns;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112872,
    name: "sign-ins at the edge",
    sql: "
        create table sign_ins (
            instance_id text not null references instances (id),
            month text not null,
            hour bigint not null,
            first_at bigint not null,
            last_at bigint not null,
            count bigint not null,
            primary key (instance_id, hour)
        );
        create index sign_ins_hour on sign_ins (hour);",
}];

/// Adds what was read of whole hours: the widest span and the largest count stay.
pub(crate) async fn merge(db: &Db, hours: &[(InstanceId, HourOfSignIns)]) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for (instance, seen) in hours {
        sqlx::query(
            "insert into sign_ins (instance_id, month, hour, first_at, last_at, count) values ($1, $2, $3, $4, $5, $6)
             on conflict (instance_id, hour) do update set
                 first_at = case when excluded.first_at < sign_ins.first_at
                            then excluded.first_at else sign_ins.first_at end,
                 last_at = case when excluded.last_at > sign_ins.last_at
                           then excluded.last_at else sign_ins.last_at end,
                 count = case when excluded.count > sign_ins.count then excluded.count else sign_ins.count end",
        )
        .bind(instance.to_string())
        .bind(Month::of(seen.hour.start()).to_string())
        .bind(seen.hour.get())
        .bind(millis(seen.first))
        .bind(millis(seen.last))
        .bind(i64::from(seen.count))
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}

/// The latest hour that is known.
pub(crate) async fn latest(db: &Db) -> Result<Option<UsageHour>, Error> {
    let hour: Option<i64> = sqlx::query_scalar("select max(hour) from sign_ins").fetch_one(db.read()).await?;
    Ok(hour.and_then(UsageHour::from_number))
}

/// The sign-ins of a month, in the order of the hours.
pub(crate) async fn of_month(db: &Db, instance: InstanceId, month: Month) -> Result<Vec<HourOfSignIns>, Error> {
    let rows = sqlx::query("select * from sign_ins where instance_id = $1 and month = $2 order by hour")
        .bind(instance.to_string())
        .bind(month.to_string())
        .fetch_all(db.read())
        .await?;
    rows.iter().map(entry).collect()
}

/// The one instance that a person belongs to; `None` when it could be several, or none.
pub(crate) async fn only_instance_of(db: &Db, person: &Email) -> Result<Option<InstanceId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select i.id from members m join instances i on i.id = m.instance_id
         where m.email = $1 and i.state in ('active', 'suspended') limit 2",
    )
    .bind(person.as_str())
    .fetch_all(db.read())
    .await?;
    match ids.as_slice() {
        [id] => Ok(Some(InstanceId::from_stored(id)?)),
        _ => Ok(None),
    }
}

fn entry(row: &AnyRow) -> Result<HourOfSignIns, Error> {
    let hour: i64 = row.try_get("hour")?;
    Ok(HourOfSignIns {
        hour: UsageHour::from_number(hour).ok_or_else(|| Error::Decode(format!("{hour} is not an hour").into()))?,
        first: from_millis(row.try_get("first_at")?),
        last: from_millis(row.try_get("last_at")?),
        count: u32::try_from(row.try_get::<i64, _>("count")?).unwrap_or(u32::MAX),
    })
}
