//! How a rollout is and went, for whoever looks: its instances with their names, its waves, and which instances a person
//! means. Changes nothing.

mod store;

use domain::{InstanceId, Subdomain};
use fleet::{UnitState, Version};

use super::Reach;
use super::units::Unit;
use crate::app::Core;
use crate::error::{AppError, refused};
use crate::instances;

pub(crate) use store::{Place, units, waves};

/// A unit, and what it is called.
#[derive(Debug, Clone)]
pub(crate) struct NamedUnit {
    pub unit: Unit,
    pub subdomain: Subdomain,
    /// What it ran before.
    pub from: Option<Version>,
    /// Where it stands in the list.
    pub place: Place,
}

/// How many units of a wave are in which state.
pub(crate) type Wave = (u32, Vec<(UnitState, u32)>);

/// The instances that a person named, by id, project or subdomain; nobody named means all.
pub(crate) async fn reach(core: &Core, named: Option<&[String]>) -> Result<Reach, AppError> {
    let Some(named) = named else { return Ok(Reach::Whole) };
    if named.is_empty() {
        let next = "Name instances by id, project name or subdomain, or leave `only` out for all.";
        return Err(refused(422, "Nobody is named", next));
    }
    let mut these: Vec<InstanceId> = Vec::new();
    for reference in named {
        let found = instances::store::find_by_reference(&core.db, reference).await?.ok_or_else(|| {
            let next = "Give an id, a project name or a subdomain; `spinoff instances list` shows all.";
            refused(404, &format!("There is no instance {reference}"), next)
        })?;
        if !these.contains(&found.id) {
            these.push(found.id);
        }
    }
    Ok(Reach::Only(these))
}
