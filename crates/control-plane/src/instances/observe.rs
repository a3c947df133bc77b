//! Keeps the store's picture of every instance fresh.
//!
//! A look at all mostly finds everything as it was. So that it then writes one row and not one for each, an instance that
//! looks as before is not written: it was seen when everything was looked at last (`looks.looked_at`), unless a time of its
//! own says otherwise (`instances.last_seen_at`).

pub(crate) mod store;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use domain::{InstanceId, ProjectName};
use jiff::Timestamp;
use providers::compute::Observation;

use self::store::Kept;
use crate::app::Core;

pub(crate) use store::seen_at;

/// Stores what the compute provider sees of every instance.
///
/// # Errors
/// When the provider, or the store, does not answer.
pub async fn observe_all(core: &Core) -> anyhow::Result<()> {
    let begun = core.clock.now();
    let (projects, known): (Vec<_>, Vec<_>) = store::in_service(&core.db).await?.into_iter().unzip();
    let seen = core.drivers.compute.observe_all(&projects).await?;
    let seen: HashMap<ProjectName, Observation> = seen.into_iter().collect();
    let by = core.drivers.compute.name();
    let is_otherwise = |(project, kept): &(&ProjectName, &Kept)| match seen.get(*project) {
        Some(observation) => !looks_as_before(kept, by, observation, begun),
        None => seen_last(kept, None).is_some(),
    };
    let mut tx = core.db.begin().await?;
    // Of two looks at once, one compares with what the other found.
    let before = store::lock(&mut tx).await?;
    for (project, kept) in projects.iter().zip(&known).filter(is_otherwise) {
        let Some(kept) = store::kept(&mut tx, kept.id).await? else { continue };
        match seen.get(project) {
            Some(observation) if looks_as_before(&kept, by, observation, begun) => {}
            Some(observation) => {
                let at = (observation.at < begun).then_some(observation.at);
                store::write(&mut tx, by, (kept.id, observation, digest(by, observation)), at).await?;
            }
            None => {
                if let Some(at) = seen_last(&kept, before) {
                    store::miss(&mut tx, kept.id, at).await?;
                }
            }
        }
    }
    store::looked(&mut tx, begun).await?;
    Ok(tx.commit().await?)
}

fn looks_as_before(kept: &Kept, by: &str, observation: &Observation, begun: Timestamp) -> bool {
    let is_of_this_look = observation.at >= begun && kept.last_seen.is_none();
    let is_known = kept.last_seen == Some(observation.at);
    kept.digest == Some(digest(by, observation)) && (is_of_this_look || is_known)
}

/// When it was seen last, if this look is the first that misses it.
fn seen_last(kept: &Kept, looked: Option<Timestamp>) -> Option<Timestamp> {
    if kept.last_seen.is_some() {
        return None;
    }
    kept.observed.map(|at| looked.map_or(at, |looked| looked.max(at)))
}

/// Stores what was seen of one instance just now.
pub(crate) async fn note(
    core: &Core,
    instance: InstanceId,
    observation: &Observation,
) -> Result<(), ::store::sqlx::Error> {
    let by = core.drivers.compute.name();
    let mut tx = core.db.begin().await?;
    store::write(&mut tx, by, (instance, observation, digest(by, observation)), None).await?;
    tx.commit().await
}

/// Tells observations apart by what they say, whenever that was. Another version of this program may come to another
/// number; then everything counts as changed once.
fn digest(by: &str, observation: &Observation) -> i64 {
    let Observation { health, at: _, version, restarts, memory_bytes, detail } = observation;
    let mut hasher = DefaultHasher::new();
    (by, health.as_str(), version, restarts, memory_bytes, detail).hash(&mut hasher);
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}
