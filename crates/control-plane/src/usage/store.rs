use billing::Source;
use domain::{Evidence, InstanceId, Month, Signal, UsageHour, UsageHours};
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, from_millis};

use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[USAGE, DOERS];

/// Whose doing it was goes with the largest count, as reports grow.
const DOERS: Migration = Migration {
    version: 2026112995,
    name: "whose use it was",
    sql: "alter table usage_evidence add column who text not null default '{}';",
};

const USAGE: Migration = Migration {
    version: 2026112443,
    name: "usage",
    sql: "
        create table usage_months (
            instance_id text not null references instances (id),
            month text not null,
            source text not null,
            hours {bytes} not null,
            primary key (instance_id, month, source)
        );
        create table usage_evidence (
            instance_id text not null references instances (id),
            month text not null,
            hour bigint not null,
            source text not null,
            signal text not null,
            first_at bigint not null,
            last_at bigint not null,
            count bigint not null,
            primary key (instance_id, hour, source, signal)
        );
        create index usage_evidence_month on usage_evidence (instance_id, month);",
};

/// What each source reported of the months from one to another, both included.
pub(crate) async fn reported(
    connection: &mut AnyConnection,
    instance: InstanceId,
    from: Month,
    to: Month,
) -> Result<Vec<(Source, UsageHours)>, Error> {
    let rows = sqlx::query(
        "select month, source, hours from usage_months where instance_id = $1 and month >= $2 and month <= $3",
    )
    .bind(instance.to_string())
    .bind(from.to_string())
    .bind(to.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let month = Month::from_stored(row.try_get("month")?)?;
            let source = Source::parse(row.try_get("source")?).map_err(|error| Error::Decode(Box::new(error)))?;
            let hours = UsageHours::from_bytes(month, row.try_get::<Vec<u8>, _>("hours")?.as_slice());
            Ok((source, hours.map_err(|error| Error::Decode(Box::new(error)))?))
        })
        .collect()
}

/// What shows the use of a month, in the order of the hours.
pub(crate) async fn evidence(db: &Db, instance: InstanceId, month: Month) -> Result<Vec<Evidence>, Error> {
    let rows = sqlx::query(
        "select * from usage_evidence where instance_id = $1 and month = $2 order by hour, first_at, signal",
    )
    .bind(instance.to_string())
    .bind(month.to_string())
    .fetch_all(db.read())
    .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &AnyRow) -> Result<Evidence, Error> {
    let hour: i64 = row.try_get("hour")?;
    Ok(Evidence {
        hour: UsageHour::from_number(hour).ok_or_else(|| Error::Decode(format!("{hour} is not an hour").into()))?,
        signal: Signal::from_stored(row.try_get("signal")?)?,
        first: from_millis(row.try_get("first_at")?),
        last: from_millis(row.try_get("last_at")?),
        count: u32::try_from(row.try_get::<i64, _>("count")?).unwrap_or(u32::MAX),
        who: serde_json::from_str(row.try_get("who")?).map_err(|error| Error::Decode(error.into()))?,
    })
}
