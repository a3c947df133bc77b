use std::fmt;

use domain::{InstanceId, RolloutId, Subdomain};
use fleet::{UnitState, Version};
use store::Db;
use store::sqlx::{self, Error, Row as _};

use super::{NamedUnit, Wave};
use crate::rollouts::units::store::{unit_of, unit_state};
use crate::text::Stored as _;

/// Where a unit stands in the list of its rollout.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    wave: i64,
    position: i64,
    instance: InstanceId,
}

impl Place {
    /// Reads what [`fmt::Display`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (wave, rest) = text.split_once('.')?;
        let (position, instance) = rest.split_once('.')?;
        let instance = InstanceId::parse(instance).ok()?;
        Some(Self { wave: wave.parse().ok()?, position: position.parse().ok()?, instance })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.wave, self.position, self.instance)
    }
}

/// The units of a rollout in their order, page by page; all or those in one state.
pub(crate) async fn units(
    db: &Db,
    id: RolloutId,
    state: Option<UnitState>,
    after: Option<&Place>,
    limit: u32,
) -> Result<Vec<NamedUnit>, Error> {
    let rows = sqlx::query(
        "select t.*, i.subdomain, r.version as from_version from rollout_units t
         join instances i on i.id = t.instance_id left join releases r on r.id = t.from_release
         where t.rollout_id = $1 and ($2 = '' or t.state = $2)
             and (t.wave > $3 or (t.wave = $3 and (t.position > $4 or (t.position = $4 and t.instance_id > $5))))
         order by t.wave, t.position, t.instance_id limit $6",
    )
    .bind(id.to_string())
    .bind(state.map_or("", UnitState::as_str))
    .bind(after.map_or(-1, |after| after.wave))
    .bind(after.map_or(-1, |after| after.position))
    .bind(after.map_or_else(String::new, |after| after.instance.to_string()))
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let unit = unit_of(row)?;
            let place =
                Place { wave: row.try_get("wave")?, position: row.try_get("position")?, instance: unit.instance };
            Ok(NamedUnit {
                subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
                from: row.try_get::<Option<&str>, _>("from_version")?.map(Version::from_stored).transpose()?,
                place,
                unit,
            })
        })
        .collect()
}

/// How far each wave has come, the first one first; without those that had nothing to be updated.
pub(crate) async fn waves(db: &Db, id: RolloutId) -> Result<Vec<Wave>, Error> {
    let rows = sqlx::query(
        "select wave, state, count(*) as number from rollout_units where rollout_id = $1 and state <> 'excused'
         group by wave, state order by wave",
    )
    .bind(id.to_string())
    .fetch_all(db.read())
    .await?;
    let mut waves: Vec<Wave> = Vec::new();
    for row in &rows {
        let number = |column| Ok::<_, Error>(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX));
        let wave = number("wave")?;
        if waves.last().is_none_or(|(last, _)| *last != wave) {
            waves.push((wave, Vec::new()));
        }
        if let Some((_, counts)) = waves.last_mut() {
            counts.push((unit_state(row)?, number("number")?));
        }
    }
    Ok(waves)
}
