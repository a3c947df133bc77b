use std::collections::BTreeMap;

use domain::{InstanceId, Month, ReleaseId, Subdomain, UsageHour, UsageHours};
use fleet::{Stage, UseByHour, Version};
use jiff::Timestamp;
use providers::compute::Health;
use store::Db;
use store::sqlx::{self, Error, Row as _, any::AnyRow};

use super::Entry;
use crate::text::{Stored as _, from_json};

/// Every instance that runs or rests, with what it runs and what was agreed, the oldest first.
pub(super) async fn entries(db: &Db) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query(
        "select i.id, i.subdomain, i.state, i.health, u.stage, u.rules, n.release_id, r.version
         from instances i
         left join update_rules u on u.instance_id = i.id
         left join instance_releases n on n.instance_id = i.id
         left join releases r on r.id = n.release_id
         where i.state in ('active', 'suspended') order by i.id",
    )
    .fetch_all(db.read())
    .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &AnyRow) -> Result<Entry, Error> {
    let text = |column| row.try_get::<Option<&str>, _>(column);
    Ok(Entry {
        id: InstanceId::from_stored(row.try_get("id")?)?,
        subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
        stage: text("stage")?.map_or(Ok(Stage::Customers), Stage::from_stored)?,
        release: text("release_id")?.map(ReleaseId::from_stored).transpose()?,
        version: text("version")?.map(Version::from_stored).transpose()?,
        is_suspended: row.try_get::<&str, _>("state")? == "suspended",
        health: text("health")?.and_then(Health::parse),
        rules: text("rules")?.map(from_json).transpose()?.unwrap_or_default(),
    })
}

/// In which hours of the day each instance was used since a moment.
pub(super) async fn used_since(db: &Db, since: Timestamp) -> Result<BTreeMap<InstanceId, UseByHour>, Error> {
    let rows = sqlx::query("select instance_id, month, hours from usage_months where month >= $1")
        .bind(Month::of(since).to_string())
        .fetch_all(db.read())
        .await?;
    let first = UsageHour::of(since);
    // Sources tell of the same hours.
    let mut used: BTreeMap<(InstanceId, Month), UsageHours> = BTreeMap::new();
    for row in &rows {
        let month = Month::from_stored(row.try_get("month")?)?;
        let hours = UsageHours::from_bytes(month, row.try_get::<Vec<u8>, _>("hours")?.as_slice());
        let hours = hours.map_err(|error| Error::Decode(Box::new(error)))?;
        let instance = InstanceId::from_stored(row.try_get("instance_id")?)?;
        let all = used.entry((instance, month)).or_insert_with(|| UsageHours::none(month));
        all.union(&hours).map_err(|error| Error::Decode(Box::new(error)))?;
    }
    let mut by_instance: BTreeMap<InstanceId, Vec<i64>> = BTreeMap::new();
    for ((instance, _), hours) in used {
        let recent = hours.iter().filter(|hour| *hour >= first).map(UsageHour::get);
        by_instance.entry(instance).or_default().extend(recent);
    }
    Ok(by_instance.into_iter().map(|(instance, hours)| (instance, UseByHour::of(hours))).collect())
}
