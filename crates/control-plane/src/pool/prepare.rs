//! Makes an instance that nobody ordered yet, or leaves nothing behind.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use fleet::Stage;
use jiff::SignedDuration;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::{Warm, WarmEvent, names, store as warm};
use crate::alerts::{self, Kind};
use crate::app::Core;
use crate::audit;
use crate::instances::place::{self, Filled};
use crate::instances::{self, Place};
use crate::releases;
use crate::workflows::{self, Plan};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const KIND: &str = "prepare.v1";

/// See the module.
pub(crate) struct Prepare(pub Arc<Core>);

/// Begins to make one. False when chance drew a name that can't be had; a unique violation means that it is
/// somebody's.
pub(super) async fn start(tx: &mut Tx, core: &Core) -> Result<bool, Error> {
    let now = core.clock.now();
    let Some(subdomain) = names::draw(&core.entropy) else { return Ok(false) };
    let id = InstanceId::new(now, core.entropy.bytes());
    instances::names::store::take(tx, id, &subdomain, now).await?;
    let place = Place { id, project: ProjectName::of(&subdomain), subdomain };
    let release = releases::store::current(&mut **tx, Stage::Customers).await?;
    let release = release.ok_or_else(|| Error::Decode("no release is current".into()))?.id;
    warm::insert(tx, &place, &release.to_string(), now).await?;
    releases::store::note_run(tx, id, release, now).await?;
    let subject = id.to_string();
    let plan = Plan { kind: KIND, time_limit: core.drivers.compute.patience(), subject: &subject };
    workflows::begin(tx, core, &plan, &id).await?;
    Ok(true)
}

#[async_trait]
impl Workflow for Prepare {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        self.0.drivers.compute.patience()
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let warm = &find(core, run.input()?).await?;
        // Nobody is let in: there is nobody yet.
        place::make(run, core, &warm.place, async { Ok(Filled::Empty) }, async { Ok(()) }).await?;
        run.step("record", || record(core, warm.place.id)).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let warm = &find(core, run.input()?).await?;
        place::unmake(run, core, &warm.place).await?;
        let reason = run.failure().await?;
        run.step("tell operator", || give_up(core, warm, &reason, run.id())).await
    }
}

async fn find(core: &Core, id: InstanceId) -> Result<Warm, Stop> {
    let found = warm::find(&core.db, id).await?;
    found.ok_or_else(|| Stop::Failed(format!("there is no instance {id} in the pool")))
}

async fn record(core: &Core, id: InstanceId) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    warm::transition(&mut tx, id, WarmEvent::Prepared, core.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// What failed for one will mostly fail for the next, so the operator hears of it once a day.
async fn give_up(core: &Core, failed: &Warm, reason: &str, workflow: &str) -> Result<(), StepError> {
    let (id, now) = (failed.place.id, core.clock.now());
    let mut tx = core.db.begin().await?;
    warm::transition(&mut tx, id, WarmEvent::Discard, now).await?;
    warm::transition(&mut tx, id, WarmEvent::Removed, now).await?;
    instances::names::store::release_all(&mut tx, id).await?;
    audit::record(&mut tx, core, "pool", "pool.prepare_failed", &id.to_string(), reason).await?;
    let key = format!("prepare failed {}", now.strftime("%Y-%m-%d"));
    let what = "An instance could not be made ahead; that was undone, and is tried again".to_owned();
    alerts::raise(&mut tx, core, Kind::WorkUndone, &key, &what, reason, &format!("/admin/workflows/{workflow}"))
        .await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
