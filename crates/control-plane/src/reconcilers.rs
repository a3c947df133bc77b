//! What runs without being asked for: each looks at how things are and takes no hints.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::InstanceState;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use workflow::{Filter, WorkflowState};

use crate::alerts::{self, Kind, tend::tend};
use crate::app::Core;
use crate::backups;
use crate::billing::dunning::reconcile::dun_if_due;
use crate::billing::{closing, spending};
use crate::costs;
use crate::health::{probe, uptime, watch};
use crate::incidents::tell::tell_due;
use crate::instances::cancellation::reconcile::cancel_if_due;
use crate::instances::deletion::reconcile::delete_if_due;
use crate::instances::{self, Instance};
use crate::inventory::sweep;
use crate::isolation;
use crate::limits;
use crate::mail::deliver::deliver_due;
use crate::payment_events;
use crate::pool;
use crate::provider_status;
use crate::rollouts::roll_out;
use crate::support_access;
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
/// Each can be taken back until a moment; this is how late it begins after that.
const DELETE_EVERY: Duration = Duration::from_secs(20);
/// What is read has intervals of its own; this is how often it is seen whether something is due.
/// Each backup has a time of its own; this is how often it is seen whether one has come, or is over.
const LOOK_AT_BACKUPS_EVERY: Duration = Duration::from_mins(2);
/// One look in so many lists all that is kept: twice a day.
const LOOKS_FOR_LEFTOVERS: u32 = 360;
const READ_COSTS_EVERY: Duration = Duration::from_mins(1);
/// Units that are done move a rollout themselves; this is how late windows, stops and what was left behind are seen.
const LOOK_AFTER_ROLLOUTS_EVERY: Duration = Duration::from_secs(2);
/// Each instance has a time of its own; this is how often it is seen who is due.
const PROBE_EVERY: Duration = Duration::from_secs(1);
const TEND_ALERTS_EVERY: Duration = Duration::from_secs(15);
const TELL_SUBSCRIBERS_EVERY: Duration = Duration::from_secs(10);
/// Each page has a time of its own; this is how often it is seen whether one is due.
const READ_PROVIDER_STATUS_EVERY: Duration = Duration::from_mins(1);
const ADD_UP_EVERY: Duration = Duration::from_mins(10);
/// Rounds have an interval of their own; this is how often it is seen whether one is due.
const PROVE_ISOLATION_EVERY: Duration = Duration::from_mins(1);
/// Guards keep the end of a leave to the second; this is how late the rest of us notices.
const END_SUPPORT_ACCESS_EVERY: Duration = Duration::from_secs(20);
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
        tasks.spawn(until_stopped(Box::pin(roll_out(Arc::clone(core)))));
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
        tasks.spawn(until_stopped(Box::pin(delete(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(read_costs(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(look_after_backups(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(ask_instances(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(add_up_days(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(tend_alerts(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(tell_subscribers(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(read_provider_status(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(prove_isolation(Arc::clone(core)))));
        tasks.spawn(until_stopped(Box::pin(end_support_access(Arc::clone(core)))));
        Self(tasks)
    }

    /// Waits until all have ended.
    pub async fn ended(self) {
        self.0.join_all().await;
    }
}

/// Lets the rollout that is open go on, or brings along who was left behind.
async fn roll_out(core: Arc<Core>) {
    loop {
        if let Err(error) = roll_out::look_after(&core).await {
            tracing::error!("Looking after rollouts failed; it is tried again later: {error}");
        }
        tokio::time::sleep(LOOK_AFTER_ROLLOUTS_EVERY).await;
    }
}

/// Keeps the store's picture of every instance fresh.
async fn observe(core: Arc<Core>) {
    loop {
        if let Err(error) = observe_once(&core).await {
            tracing::error!("Observing the instances failed: {error:#}");
        }
        // Also when the provider could not be asked: what it said before gets older.
        if let Err(error) = watch::judge_all(&core).await {
            tracing::error!("Judging the instances failed; it is tried again with the next look: {error}");
        }
        tokio::time::sleep(core.drivers.compute.observe_every()).await;
    }
}

/// Stores what the compute provider sees of every instance.
///
/// # Errors
/// When the provider, or the store, does not answer.
pub async fn observe_once(core: &Core) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    for state in [InstanceState::Active, InstanceState::Suspended] {
        let instances = all(core, state).await?;
        let projects: Vec<_> = instances.iter().map(|instance| instance.project.clone()).collect();
        let ids: BTreeMap<_, _> = instances.iter().map(|instance| (&instance.project, instance.id)).collect();
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

/// Begins deletions whose time to be taken back is over.
async fn delete(core: Arc<Core>) {
    loop {
        tokio::time::sleep(DELETE_EVERY).await;
        if let Err(error) = delete_if_due(&core).await {
            tracing::error!("Looking for deletions that are due failed; it is tried again later: {error}");
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

/// Takes backups that are due, and removes those whose time is over. Not in the first minutes: bringing the instances up
/// has the right of way.
async fn look_after_backups(core: Arc<Core>) {
    let mut looks = 0_u32;
    loop {
        tokio::time::sleep(LOOK_AT_BACKUPS_EVERY).await;
        if let Err(error) = backups::schedule::take_due(&core).await {
            tracing::error!("Looking for backups that are due failed; it is tried again later: {error}");
        }
        if let Err(error) = backups::proofs::prove_due(&core).await {
            tracing::error!("Beginning the next proof of a backup failed; it is tried again later: {error}");
        }
        if let Err(error) = backups::prune::prune(&core).await {
            tracing::error!("Looking for backups that are over failed; it is tried again later: {error}");
        }
        if looks.is_multiple_of(LOOKS_FOR_LEFTOVERS)
            && let Err(error) = backups::prune::remove_leftovers(&core).await
        {
            tracing::error!("Looking for what is left of old backups failed; it is tried again later: {error}");
        }
        looks = looks.wrapping_add(1);
    }
}

/// Ends what customers allowed support for a while, and waives the hours that support used alone.
async fn end_support_access(core: Arc<Core>) {
    loop {
        tokio::time::sleep(END_SUPPORT_ACCESS_EVERY).await;
        if let Err(error) = support_access::end_if_due(&core).await {
            tracing::error!("Ending support's access failed; it is tried again later: {error}");
        }
        if let Err(error) = support_access::hours::waive_if_due(&core).await {
            tracing::error!("Waiving the hours of support failed; it is tried again later: {error}");
        }
    }
}

/// Begins rounds of the isolation prover. Not in the first minute: bringing the instances up has the right of way.
async fn prove_isolation(core: Arc<Core>) {
    loop {
        tokio::time::sleep(PROVE_ISOLATION_EVERY).await;
        if let Err(error) = isolation::round::begin_if_due(&core).await {
            tracing::error!("Beginning a round of the isolation prover failed; it is tried again later: {error}");
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

/// Asks instances through their hostnames.
async fn ask_instances(core: Arc<Core>) {
    loop {
        tokio::time::sleep(PROBE_EVERY).await;
        if let Err(error) = probe::ask_due(&core).await {
            tracing::error!("Asking instances through their hostnames failed; it is tried again: {error}");
        }
    }
}

/// Looks after alerts that wait.
async fn tend_alerts(core: Arc<Core>) {
    loop {
        if let Err(error) = tend(&core).await {
            tracing::error!("Looking after alerts failed; it is tried again: {error}");
        }
        tokio::time::sleep(TEND_ALERTS_EVERY).await;
    }
}

/// Tells subscribers of what was said on the status page.
async fn tell_subscribers(core: Arc<Core>) {
    loop {
        if let Err(error) = tell_due(&core).await {
            tracing::error!("Telling subscribers of an incident failed; it is tried again: {error}");
        }
        tokio::time::sleep(TELL_SUBSCRIBERS_EVERY).await;
    }
}

/// Reads what providers say of themselves.
async fn read_provider_status(core: Arc<Core>) {
    loop {
        tokio::time::sleep(READ_PROVIDER_STATUS_EVERY).await;
        if let Err(error) = provider_status::read_if_due(&core).await {
            tracing::error!("Reading what providers say of themselves failed; it is tried again: {error}");
        }
    }
}

/// Adds up the days that are over.
async fn add_up_days(core: Arc<Core>) {
    loop {
        if let Err(error) = uptime::add_up(&core).await {
            tracing::error!("Adding up the days failed; it is tried again later: {error}");
        }
        tokio::time::sleep(ADD_UP_EVERY).await;
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
    let mut stuck = BTreeSet::new();
    for record in workflow::list(&core.db, &filter).await? {
        let key = format!("stuck {} {}", record.id, record.attempt);
        let what = format!("Workflow {} of {} waits for you", record.kind, record.subject);
        let why = record.error.unwrap_or_default();
        let mut tx = core.db.begin().await?;
        let path = format!("/admin/workflows/{}", record.id);
        alerts::raise(&mut tx, core, Kind::WorkStuck, &key, &what, &why, &path).await?;
        tx.commit().await?;
        stuck.insert(key);
    }
    let mut tx = core.db.begin().await?;
    for key in alerts::store::open_keys(&mut tx, "stuck").await? {
        if !stuck.contains(&key) {
            alerts::resolve(&mut tx, core, &key).await?;
        }
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
