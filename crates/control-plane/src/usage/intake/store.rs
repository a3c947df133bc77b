//! Many reports with a few statements: what a store does for each statement costs more than what it does for each row.

use std::fmt::Write as _;

use api::ReportSource;
use domain::{Evidence, InstanceId, Month, Signal, UsageHour, UsageHours};
use jiff::Timestamp;
use store::sqlx::any::{AnyArguments, AnyRow};
use store::sqlx::query::Query;
use store::sqlx::{self, Any, AssertSqlSafe, Error, Row as _};
use store::{Db, Engine, Tx, millis};

use super::{Gathered, Months, Place};
use crate::text::Stored as _;

/// How many rows a statement is made for, so that there are few statements to be remembered.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Adds what was gathered to what the same sources reported before: union of hours, widest evidence. All of it, or none.
pub(super) async fn merge(db: &Db, gathered: &Gathered) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let months: Vec<_> = gathered.months.iter().collect();
    for months in in_sizes(&months) {
        merge_months(&mut tx, db.engine(), months).await?;
    }
    let evidence: Vec<_> = gathered.evidence.iter().collect();
    for evidence in in_sizes(&evidence) {
        widen(&mut tx, evidence).await?;
    }
    let heard: Vec<_> = gathered.heard.iter().collect();
    for heard in in_sizes(&heard) {
        note_heard(&mut tx, heard).await?;
    }
    tx.commit().await
}

async fn merge_months(tx: &mut Tx, engine: Engine, told: &[(&Place, &UsageHours)]) -> Result<(), Error> {
    let mut known = held(tx, engine, told).await?;
    let missing: Vec<_> = told.iter().filter(|(place, _)| !known.contains_key(*place)).copied().collect();
    let mut made = Months::new();
    for missing in in_sizes(&missing) {
        made.extend(insert(tx, missing).await?);
    }
    // Somebody else may have made the row meanwhile.
    let raced: Vec<_> = missing.into_iter().filter(|(place, _)| !made.contains_key(*place)).collect();
    for raced in in_sizes(&raced) {
        known.extend(held(tx, engine, raced).await?);
    }
    let mut grown = Months::new();
    for (place, hours) in told.iter().filter(|(place, _)| !made.contains_key(*place)) {
        let before = known.get(*place).ok_or(Error::RowNotFound)?;
        let mut union = before.clone();
        union.union(hours).map_err(|error| Error::Decode(Box::new(error)))?;
        if union != *before {
            grown.insert(**place, union);
        }
    }
    let grown: Vec<_> = grown.iter().collect();
    for grown in in_sizes(&grown) {
        replace(tx, grown).await?;
    }
    Ok(())
}

/// The hours that are known of these months, held until the transaction ends.
async fn held(tx: &mut Tx, engine: Engine, places: &[(&Place, &UsageHours)]) -> Result<Months, Error> {
    let lock = match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " for update",
    };
    // In one order, so that no two replicas wait for each other.
    let sql = format!(
        "select instance_id, month, source, hours from usage_months where (instance_id, month, source) in (values {})
         order by instance_id, month, source{lock}",
        rows(places.len(), 3)
    );
    let query = places.iter().fold(query(sql), |query, (place, _)| at(query, place));
    query.fetch_all(&mut **tx).await?.iter().map(month).collect()
}

/// Writes months of which nothing was known, and gives those that it wrote.
async fn insert(tx: &mut Tx, months: &[(&Place, &UsageHours)]) -> Result<Months, Error> {
    let sql = format!(
        "insert into usage_months (instance_id, month, source, hours) values {}
         on conflict (instance_id, month, source) do nothing returning instance_id, month, source, hours",
        rows(months.len(), 4)
    );
    let query = months.iter().fold(query(sql), |query, (place, hours)| at(query, place).bind(hours.as_bytes()));
    query.fetch_all(&mut **tx).await?.iter().map(month).collect()
}

/// Writes what months became that are held.
async fn replace(tx: &mut Tx, months: &[(&Place, &UsageHours)]) -> Result<(), Error> {
    let sql = format!(
        "insert into usage_months (instance_id, month, source, hours) values {}
         on conflict (instance_id, month, source) do update set hours = excluded.hours",
        rows(months.len(), 4)
    );
    let query = months.iter().fold(query(sql), |query, (place, hours)| at(query, place).bind(hours.as_bytes()));
    query.execute(&mut **tx).await.map(drop)
}

async fn widen(tx: &mut Tx, evidence: &[(&(Place, UsageHour, Signal), &Evidence)]) -> Result<(), Error> {
    let sql = format!(
        "insert into usage_evidence (instance_id, month, source, hour, signal, first_at, last_at, count, who) values {}
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
        rows(evidence.len(), 9)
    );
    let mut query = query(sql);
    for ((place, hour, signal), entry) in evidence {
        let who = serde_json::to_string(&entry.who).map_err(|error| Error::Encode(error.into()))?;
        query = at(query, place)
            .bind(hour.get())
            .bind(signal.as_str())
            .bind(millis(entry.first))
            .bind(millis(entry.last))
            .bind(i64::from(entry.count))
            .bind(who);
    }
    query.execute(&mut **tx).await.map(drop)
}

/// A guard that reports is alive. Noted with the report, since a statement of its own would cost as much again.
async fn note_heard(tx: &mut Tx, heard: &[(&InstanceId, &Timestamp)]) -> Result<(), Error> {
    let sql = format!(
        "insert into guards_heard (instance_id, heard_at) values {}
         on conflict (instance_id) do update set heard_at = excluded.heard_at
         where excluded.heard_at > guards_heard.heard_at",
        rows(heard.len(), 2)
    );
    let query =
        heard.iter().fold(query(sql), |query, (instance, at)| query.bind(instance.to_string()).bind(millis(**at)));
    query.execute(&mut **tx).await.map(drop)
}

/// A statement that is made of nothing but numbers of rows.
fn query<'q>(sql: String) -> Query<'q, Any, AnyArguments> {
    sqlx::query(AssertSqlSafe(sql))
}

fn at<'q>(query: Query<'q, Any, AnyArguments>, place: &Place) -> Query<'q, Any, AnyArguments> {
    query.bind(place.instance.to_string()).bind(place.month.to_string()).bind(place.source.as_str())
}

fn month(row: &AnyRow) -> Result<(Place, UsageHours), Error> {
    let source: &str = row.try_get("source")?;
    let known = ReportSource::ALL.into_iter().find(|known| known.as_str() == source);
    let place = Place {
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        month: Month::from_stored(row.try_get("month")?)?,
        source: known.ok_or_else(|| Error::Decode(format!("{source:?} is no source of reports").into()))?,
    };
    let hours = UsageHours::from_bytes(place.month, row.try_get::<Vec<u8>, _>("hours")?.as_slice());
    Ok((place, hours.map_err(|error| Error::Decode(Box::new(error)))?))
}

/// `($1, $2), ($3, $4)`: so many rows of so many values.
fn rows(number: usize, wide: usize) -> String {
    let mut text = String::new();
    for place in 0..number * wide {
        let before = match (place, place % wide) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        };
        let _ = write!(text, "{before}${}", place + 1);
    }
    text.push(')');
    text
}

/// All of them, in the largest portions that there are statements for.
fn in_sizes<T>(mut all: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= all.len())?;
        let (portion, rest) = all.split_at(size);
        all = rest;
        Some(portion)
    })
}
