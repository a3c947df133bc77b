//! What customers read of updates: what is coming, and how it went.

use ::store::Tx;
use ::store::sqlx::Error;
use domain::RolloutId;
use fleet::Stage;
use pages::mail::{self as letters, Written};

use super::Rollout;
use super::units::Unit;
use crate::app::Core;
use crate::instances::{self, Instance};
use crate::mail::{Letter, post};
use crate::releases::{self, Release};

/// An update will come. Whoever has a window or asked for time is told when.
pub(super) async fn announced(tx: &mut Tx, core: &Core, rollout: &Rollout, unit: &Unit) -> Result<(), Error> {
    let Some(instance) = instances::store::find(&core.db, unit.instance).await? else { return Ok(()) };
    let Some(release) = releases::store::find(&core.db, rollout.release).await? else { return Ok(()) };
    let letter = letters::UpdateAnnounced {
        workspace: workspace(core, &instance),
        version: rollout.version.to_string(),
        notes: release.made.notes,
        opens_at: unit.opens_at,
    };
    let written = letter.written();
    write(tx, core, &instance, "announced", unit.rollout, written).await
}

/// It runs the new release.
pub(super) async fn updated(
    tx: &mut Tx,
    core: &Core,
    unit: &Unit,
    instance: &Instance,
    release: &Release,
) -> Result<(), Error> {
    if unit.stage != Stage::Customers {
        return Ok(());
    }
    let letter = letters::Updated {
        workspace: workspace(core, instance),
        version: release.made.version.to_string(),
        notes: release.made.notes.clone(),
    };
    let written = letter.written();
    write(tx, core, instance, "updated", unit.rollout, written).await
}

/// The update failed; all is as it was.
pub(super) async fn went_back(
    tx: &mut Tx,
    core: &Core,
    unit: &Unit,
    instance: &Instance,
    former: Option<&Release>,
) -> Result<(), Error> {
    if unit.stage != Stage::Customers {
        return Ok(());
    }
    let letter = letters::UpdateFailed {
        workspace: workspace(core, instance),
        former: former.map(|former| former.made.version.to_string()),
    };
    let written = letter.written();
    write(tx, core, instance, "not updated", unit.rollout, written).await
}

/// The operator took the release back.
pub(super) async fn taken_back(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    unit: &Unit,
    former: &Release,
    kept_data: bool,
) -> Result<(), Error> {
    if unit.stage != Stage::Customers {
        return Ok(());
    }
    let letter = letters::UpdateTakenBack {
        workspace: workspace(core, instance),
        former: former.made.version.to_string(),
        kept_data,
    };
    let written = letter.written();
    write(tx, core, instance, "taken back", unit.rollout, written).await
}

fn workspace(core: &Core, instance: &Instance) -> letters::Workspace {
    letters::Workspace {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.site_url(&format!("/portal/instances/{}", instance.subdomain)),
    }
}

/// Once for each rollout.
async fn write(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    about: &str,
    rollout: RolloutId,
    written: Written,
) -> Result<(), Error> {
    let key = format!("update {about} {} {rollout}", instance.id);
    post(tx, core, Letter { key: &key, to: &instance.customer_email, written }).await
}
