//! Takes down an instance that was made ahead and that nobody is to have.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use domain::InstanceId;
use jiff::SignedDuration;
use providers::Removed;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::{Warm, WarmEvent, WarmState, store as warm};
use crate::app::Core;
use crate::workflows::{self, Plan, step_error};
use crate::{audit, instances};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const KIND: &str = "discard.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// See the module.
pub(crate) struct Discard(pub Arc<Core>);

/// Starts it in the transaction in which the reason for it comes to be.
pub(super) async fn start(tx: &mut Tx, core: &Core, discarded: &Warm, why: &str) -> Result<(), Error> {
    let (place, now) = (&discarded.place, core.clock.now());
    // Also locks it: of two who discard it one sees the other.
    let Some(before) = warm::locked(tx, place.id).await? else { return Ok(()) };
    if before.state == WarmState::Discarding || warm::transition(tx, place.id, WarmEvent::Discard, now).await?.is_none()
    {
        return Ok(());
    }
    // Its hostname still leads to it: until that is gone the name is nobody else's.
    instances::names::store::reserve(tx, place.id, &place.subdomain, now).await?;
    let subject = place.id.to_string();
    audit::record(tx, core, "pool", "pool.discarded", &subject, why).await?;
    workflows::begin(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject: &subject }, &place.id).await?;
    Ok(())
}

/// The same for one whose customer came to nothing, if the instance was made ahead at all.
pub(crate) async fn start_if_claimed(tx: &mut Tx, core: &Core, id: InstanceId) -> Result<(), Error> {
    match warm::locked(tx, id).await? {
        Some(found) if found.state == WarmState::Claimed => {
            start(tx, core, &found, "the order for it came to nothing, and nobody is given what another had").await
        }
        _ => Ok(()),
    }
}

/// The same for one that is ready, unless it is somebody's by now.
pub(crate) async fn start_if_unclaimed(tx: &mut Tx, core: &Core, id: InstanceId, why: &str) -> Result<(), Error> {
    match warm::locked(tx, id).await? {
        Some(found) if found.state == WarmState::Ready => start(tx, core, &found, why).await,
        _ => Ok(()),
    }
}

#[async_trait]
impl Workflow for Discard {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let id: InstanceId = run.input()?;
        let Some(warm) = &warm::find(&core.db, id).await? else { return Ok(()) };
        // The map first: what leads to a hostname that nobody serves could be taken over.
        let mut removed: Vec<Removed> = run
            .step("remove address", || async {
                let mut removed = Vec::new();
                for hostname in hostnames(core, warm).await? {
                    removed.extend(core.drivers.edge.remove(&hostname, id).await.map_err(step_error)?);
                }
                Ok(removed)
            })
            .await?;
        removed.extend(
            run.step("remove compute", || async {
                core.drivers.compute.delete_project(&warm.place.project, id).await.map_err(step_error)
            })
            .await?,
        );
        run.step("record", || record(core, id, &removed)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Its own, and those at which a customer who came to nothing was let in.
async fn hostnames(core: &Core, warm: &Warm) -> Result<BTreeSet<String>, Error> {
    let mut all = BTreeSet::from([core.hostname(&warm.place.subdomain)]);
    if let Some(instance) = instances::store::find(&core.db, warm.place.id).await? {
        all.extend(instances::names::hostnames(core, &instance).await?);
    }
    Ok(all)
}

async fn record(core: &Core, id: InstanceId, removed: &[Removed]) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    warm::transition(&mut tx, id, WarmEvent::Removed, core.clock.now()).await?;
    instances::names::store::release_all(&mut tx, id).await?;
    let names: Vec<String> = removed.iter().map(|entry| format!("{} {}", entry.kind, entry.name)).collect();
    audit::record(&mut tx, core, "pool", "pool.removed", &id.to_string(), &names.join(", ")).await?;
    Ok(tx.commit().await?)
}
