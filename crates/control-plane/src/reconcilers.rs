//! What runs without being asked for: each looks at how things are and takes no hints.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::InstanceState;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use workflow::{Filter, WorkflowState};

use crate::app::Core;
use crate::billing::dunning::reconcile::dun_if_due;
use crate::billing::{closing, spending};
use crate::costs;
use crate::instances::cancellation::reconcile::cancel_if_due;
use crate::instances::{self, Instance};
use crate::inventory::sweep;
use crate::limits;
use crate::mail::{self, deliver::deliver_due};
use crate::payment_events;
use crate::pool;
use crate::usage::sign_ins;

const REPORT_STUCK_EVERY: Duration = Duration::from_secs(10);
/// Each look has an interval of its own; this is how often it is seen whether one is due.
const LOOK_AT_PROVIDERS_EVERY: Duration = Duration::from_mins(1);
const FETCH_PAYMENT_EVENTS_EVERY: Duration = Duration::from_mins(10);
const READ_SIGN_INS_EVERY: Duration = Duration::from_hours(1);
/// The pool has an interval of its own.
const KEEP_POOL_EVERY: Duration = Duration::from_secs(5);
/// A day is closed once; this is how often it is seen whether one is due.
const CLOSE_PERIODS_EVERY: Duration = Duration::from_mins(10);
const WATCH_SPENDING_EVERY: Duration = Duration::from_mins(1);
/// Each step of dunning waits for days; this is how often it is seen whether one is due.
const DUN_EVERY: Duration = Duration::from_mins(1);
/// A cancellation takes effect with an hour; this is how late that may be seen.
const CANCEL_EVERY: Duration = Duration::from_secs(20);
/// What is read has intervals of its own; this is how often it is seen whether something is due.
const READ_COSTS_EVERY: Duration = Duration::from_mins(1);
const LOOK_FOR_MAIL_EVERY: Duration = Duration::from_secs(10);

/// The tasks of the main instance that nobody asks for.
#[derive(Debug)]
pub struct Reconcilers(JoinSet<()>);

impl Reconcilers {
    /// Starts them; they end when told to.
    pub fn start(core: &Arc<Core>, stop: &CancellationToken) -> Self {
        let mut tasks = JoinSet::new();
        // What is under way when the server stops is dropped: each of them starts from what it reads.
        let until_stopped = |task: Pin<Box<dyn Future<Output = ()> + Send>>| {
            let stop = stop.clone();
            async move { stop.run_until_cancelled_owned(task).await.unwrap_or_default() }
        };
        tasks.spawn(until_stopped(Box::pin(deploy(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(observe(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(deliver(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(report_stuck(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(read_sign_ins(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(fetch_payment_events(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(look_at_providers(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(keep_pool(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(close_periods(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(watch_spending(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(dun(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(cancel(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(read_costs(Arc::clone(core)))));
        Self(tasks)
    }

    /// Waits until all have ended.
    pub async fn ended(self) {
        self.0.join_all().await;
    }
}

/// Brings every instance to the release that this server sells: it may sell another one than before
/// its last stop.
async fn deploy(core: Arc<Core>) {
    if let Err(error) = deploy_release(&core).await {
        tracing::error!("Bringing the instances to the present release failed: {error:#}");
    }
}

/// Keeps the store's picture of every instance fresh.
async fn observe(core: Arc<Core>) {
    loop {
        if let Err(error) = observe_once(&core).await {
            tracing::error!("Observing the instances failed: {error:#}");
        }
        tokio::time::sleep(core.drivers.compute.observe_every()).await;
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
        let projects: Vec<_> = instances.iter().map(|instance| instance.project.clone()).collect();
        let ids: BTreeMap<_, _> = instances.iter().map(|instance| (&instance.project, instance.id)).collect();
        // What could not be observed keeps its last observation, with its age.
        for (project, observation) in core.drivers.compute.observe_all(&projects).await? {
            seen.extend(ids.get(&project).map(|id| (*id, observation)));
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

/// Reads the providers' ceilings, and compares what exists there with what should. Not in the first
/// minute: bringing the instances up has the right of way.
async fn look_at_providers(core: Arc<Core>) {
    loop {
        tokio::time::sleep(LOOK_AT_PROVIDERS_EVERY).await;
        if let Err(error) = limits::watch::read_if_due(&core).await {
            tracing::error!("Reading the ceilings of the providers failed: {error}");
        }
        if let Err(error) = sweep::sweep_if_due(&core).await {
            tracing::error!("Comparing the providers with the store failed: {error}");
        }
    }
}

/// Keeps instances ready ahead of their customers.
async fn keep_pool(core: Arc<Core>) {
    loop {
        if let Err(error) = pool::keeper::keep(&core).await {
            tracing::error!("Looking after the pool failed: {error}");
        }
        tokio::time::sleep(KEEP_POOL_EVERY).await;
    }
}

/// Starts the day's closing. Not at once: guards that were away first report what was used.
async fn close_periods(core: Arc<Core>) {
    loop {
        tokio::time::sleep(CLOSE_PERIODS_EVERY).await;
        if let Err(error) = closing::close_if_due(&core).await {
            tracing::error!("Starting the day's closing failed; it is tried again later: {error}");
        }
    }
}

/// Holds customers to their caps, and tells them of their budgets.
async fn watch_spending(core: Arc<Core>) {
    loop {
        tokio::time::sleep(WATCH_SPENDING_EVERY).await;
        if let Err(error) = spending::watch::look_at_all(&core).await {
            tracing::error!("Watching caps and budgets failed; it is tried again later: {error}");
        }
    }
}

/// Tells dunning what days bring.
async fn dun(core: Arc<Core>) {
    loop {
        tokio::time::sleep(DUN_EVERY).await;
        if let Err(error) = dun_if_due(&core).await {
            tracing::error!("Looking for invoices that are overdue failed; it is tried again later: {error}");
        }
    }
}

/// Takes the steps of cancellations that are due.
async fn cancel(core: Arc<Core>) {
    loop {
        tokio::time::sleep(CANCEL_EVERY).await;
        if let Err(error) = cancel_if_due(&core).await {
            tracing::error!("Looking for cancellations that are due failed; it is tried again later: {error}");
        }
    }
}

/// Reads what serving customers costs. Not in the first minute: bringing the instances up has the right of way.
async fn read_costs(core: Arc<Core>) {
    loop {
        tokio::time::sleep(READ_COSTS_EVERY).await;
        if let Err(error) = costs::reading::read_if_due(&core).await {
            tracing::error!("Reading what instances cost failed; it is tried again later: {error}");
        }
    }
}

/// Fetches what the payment provider said and that never came.
async fn fetch_payment_events(core: Arc<Core>) {
    loop {
        if let Err(error) = payment_events::reconcile(&core).await {
            tracing::error!("Fetching events of the payment provider failed; it is tried again later: {error:#}");
        }
        tokio::time::sleep(FETCH_PAYMENT_EVENTS_EVERY).await;
    }
}

/// Reads the edge's log of sign-ins, to compare the used hours with.
async fn read_sign_ins(core: Arc<Core>) {
    loop {
        if let Err(error) = sign_ins::read(&core).await {
            tracing::warn!("The sign-ins at the edge were not read, so usage stands without them: {error:#}");
        }
        tokio::time::sleep(READ_SIGN_INS_EVERY).await;
    }
}

/// Sends the outbox.
async fn deliver(core: Arc<Core>) {
    loop {
        if let Err(error) = deliver_due(&core).await {
            tracing::error!("Delivering mail failed: {error}");
        }
        // Either somebody wrote, or a delivery that failed may be due again.
        let _ = tokio::time::timeout(LOOK_FOR_MAIL_EVERY, core.mail_waiting.notified()).await;
    }
}

/// Tells the operator of every workflow that waits for a person, once each time it got stuck.
async fn report_stuck(core: Arc<Core>) {
    loop {
        if let Err(error) = report_stuck_once(&core).await {
            tracing::error!("Telling the operator of stuck workflows failed: {error}");
        }
        tokio::time::sleep(REPORT_STUCK_EVERY).await;
    }
}

async fn report_stuck_once(core: &Core) -> Result<(), store::sqlx::Error> {
    let filter = Filter { state: Some(WorkflowState::Stuck), before: None, limit: 200 };
    for record in workflow::list(&core.db, &filter).await? {
        let key = format!("stuck {} {}", record.id, record.attempt);
        let what = format!("Workflow {} of {} waits for you", record.kind, record.subject);
        let why = record.error.unwrap_or_default();
        let mut tx = core.db.begin().await?;
        mail::alert(&mut tx, core, &key, &what, &why, &format!("/admin/workflows/{}", record.id)).await?;
        tx.commit().await?;
    }
    core.mail_waiting.notify_one();
    Ok(())
}
