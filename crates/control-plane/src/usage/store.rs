use api::ActivityReport;
use billing::Source;
use domain::{Evidence, InstanceId, Month, Signal, UsageHour, UsageHours};
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Engine, Migration, Tx, from_millis, millis};

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

/// Adds reports to what the same sources reported before: union of hours, widest evidence. All of them, or none.
pub(crate) async fn merge(db: &Db, reports: &[(InstanceId, &ActivityReport)]) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for (instance, report) in reports {
        merge_one(&mut tx, db.engine(), *instance, report).await?;
    }
    tx.commit().await
}

async fn merge_one(tx: &mut Tx, engine: Engine, instance: InstanceId, report: &ActivityReport) -> Result<(), Error> {
    let (month, source) = (report.hours.month(), report.source.as_str());
    let known = match held(tx, engine, instance, month, source).await? {
        Some(known) => known,
        None => {
            // The row must exist before it is locked, or two first reports could overwrite each other.
            sqlx::query(
                "insert into usage_months (instance_id, month, source, hours) values ($1, $2, $3, $4)
                 on conflict (instance_id, month, source) do nothing",
            )
            .bind(instance.to_string())
            .bind(month.to_string())
            .bind(source)
            .bind(UsageHours::none(month).as_bytes())
            .execute(&mut **tx)
            .await?;
            held(tx, engine, instance, month, source).await?.ok_or(Error::RowNotFound)?
        }
    };
    let mut hours = known.clone();
    hours.union(&report.hours).map_err(|error| Error::Decode(Box::new(error)))?;
    if hours != known {
        sqlx::query("update usage_months set hours = $4 where instance_id = $1 and month = $2 and source = $3")
            .bind(instance.to_string())
            .bind(month.to_string())
            .bind(source)
            .bind(hours.as_bytes())
            .execute(&mut **tx)
            .await?;
    }
    for entry in &report.evidence {
        widen(tx, instance, source, entry).await?;
    }
    Ok(())
}

/// The hours that a source reported of a month, held until the transaction ends.
async fn held(
    tx: &mut Tx,
    engine: Engine,
    instance: InstanceId,
    month: Month,
    source: &str,
) -> Result<Option<UsageHours>, Error> {
    let select = match engine {
        Engine::Sqlite => "select hours from usage_months where instance_id = $1 and month = $2 and source = $3",
        Engine::Postgres => {
            "select hours from usage_months where instance_id = $1 and month = $2 and source = $3 for update"
        }
    };
    let known: Option<Vec<u8>> = sqlx::query_scalar(select)
        .bind(instance.to_string())
        .bind(month.to_string())
        .bind(source)
        .fetch_optional(&mut **tx)
        .await?;
    let read = known.map(|bytes| UsageHours::from_bytes(month, &bytes)).transpose();
    read.map_err(|error| Error::Decode(Box::new(error)))
}

async fn widen(tx: &mut Tx, instance: InstanceId, source: &str, entry: &Evidence) -> Result<(), Error> {
    sqlx::query(
        "insert into usage_evidence (instance_id, month, hour, source, signal, first_at, last_at, count, who)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (instance_id, hour, source, signal) do update set
             first_at = case when excluded.first_at < usage_evidence.first_at
                        then excluded.first_at else usage_evidence.first_at end,
             last_at = case when excluded.last_at > usage_evidence.last_at
                       then excluded.last_at else usage_evidence.last_at end,
             count = case when excluded.count > usage_evidence.count
                     then excluded.count else usage_evidence.count end,
             who = case when excluded.count > usage_evidence.count
                       or (excluded.count = usage_evidence.count and excluded.who > usage_evidence.who)
                   then excluded.who else usage_evidence.who end",
    )
    .bind(instance.to_string())
    .bind(entry.hour.month().to_string())
    .bind(entry.hour.get())
    .bind(source)
    .bind(entry.signal.as_str())
    .bind(millis(entry.first))
    .bind(millis(entry.last))
    .bind(i64::from(entry.count))
    .bind(serde_json::to_string(&entry.who).map_err(|error| Error::Encode(error.into()))?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

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
