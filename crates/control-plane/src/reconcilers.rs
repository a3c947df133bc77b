//! What runs on a timer: each reads both sides and mends the difference, taking no hints.

use std::sync::Arc;
use std::time::Duration;

use domain::InstanceState;
use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::Core;
use crate::instances::{self, Instance};
use crate::mail::deliver::deliver_due;

const OBSERVE_EVERY: Duration = Duration::from_secs(5);
const LOOK_FOR_MAIL_EVERY: Duration = Duration::from_secs(10);

/// The tasks of the main instance that nobody asks for.
#[derive(Debug)]
pub struct Reconcilers(JoinSet<()>);

impl Reconcilers {
    /// Starts them; they end when told to.
    pub fn start(core: &Arc<Core>, stop: &CancellationToken) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(observe(Arc::clone(core), stop.clone()));
        tasks.spawn(deliver(Arc::clone(core), stop.clone()));
        Self(tasks)
    }

    /// Waits until all have ended.
    pub async fn ended(self) {
        self.0.join_all().await;
    }
}

/// Keeps the store's picture of every instance fresh. Before the first look, every instance is
/// brought to the release that this server sells: it may sell another one than before its last stop.
async fn observe(core: Arc<Core>, stop: CancellationToken) {
    if let Err(error) = deploy_release(&core).await {
        tracing::error!("Bringing the instances to the present release failed: {error:#}");
    }
    while !stop.is_cancelled() {
        if let Err(error) = observe_once(&core).await {
            tracing::error!("Observing the instances failed: {error:#}");
        }
        pause(&stop, OBSERVE_EVERY).await;
    }
}

async fn deploy_release(core: &Core) -> anyhow::Result<()> {
    for instance in all(core, InstanceState::Active).await? {
        if let Err(error) = core.drivers.compute.deploy(&instance.project, &core.settings.release).await {
            tracing::error!(instance.id = %instance.id, "{} was not brought to the release: {error}", instance.project);
        }
    }
    Ok(())
}

async fn observe_once(core: &Core) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    for state in [InstanceState::Active, InstanceState::Suspended] {
        let instances = all(core, state).await?;
        let looks = instances.iter().map(|instance| core.drivers.compute.observe(&instance.project));
        for (instance, look) in instances.iter().zip(join_all(looks).await) {
            match look {
                Ok(Some(observation)) => seen.push((instance.id, observation)),
                // What could not be observed keeps its last observation, with its age.
                Ok(None) => tracing::warn!(instance.id = %instance.id, "{} is not to be found", instance.project),
                Err(error) => tracing::warn!(instance.id = %instance.id, "{error}"),
            }
        }
    }
    if !seen.is_empty() {
        instances::store::observe(&core.db, core.drivers.compute.name(), &seen).await?;
    }
    Ok(())
}

/// Every instance in a state, page by page.
async fn all(core: &Core, state: InstanceState) -> anyhow::Result<Vec<Instance>> {
    let mut found: Vec<Instance> = Vec::new();
    loop {
        let before = found.last().map(|instance| instance.id.to_string());
        let page = instances::store::list(&core.db, Some(state), before.as_deref(), 200).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// Sends the outbox.
async fn deliver(core: Arc<Core>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = deliver_due(&core).await {
            tracing::error!("Delivering mail failed: {error}");
        }
        tokio::select! {
            () = core.mail_waiting.notified() => {}
            () = pause(&stop, LOOK_FOR_MAIL_EVERY) => {}
        }
    }
}

async fn pause(stop: &CancellationToken, length: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(length) => {}
    }
}
