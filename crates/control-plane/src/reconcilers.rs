//! What runs without being asked for: each looks at how things are and takes no hints.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::alerts::{stuck, tend};
use crate::analytics::win_back;
use crate::app::Core;
use crate::billing::{closing, dunning, spending};
use crate::health::{probe, uptime, watch};
use crate::incidents::tell;
use crate::instances::{cancellation, deletion, moves};
use crate::inventory::sweep;
use crate::isolation::round;
use crate::mail::deliver;
use crate::rollouts::roll_out;
use crate::store_backups::schedule;
use crate::support_access::{self, hours};
use crate::tickets::closing as tickets;
use crate::usage::sign_ins;
use crate::{backups, costs, limits, payment_events, pool, provider_status};

/// Before the first look of what can wait: bringing the instances up has the right of way.
const UNTIL_INSTANCES_ARE_UP: Duration = Duration::from_mins(1);

type Look = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// One task of the main instance that nobody asks for.
pub struct Reconciler {
    /// What it does: `Looking after rollouts`.
    pub task: &'static str,
    first: Duration,
    every: Duration,
    /// Looks earlier when somebody calls.
    called: Option<Arc<Notify>>,
    look: fn(Arc<Core>) -> Look,
}

macro_rules! look {
    ($look:path) => {
        |core| Box::pin(async move { $look(&core).await.map(drop).map_err(anyhow::Error::from) })
    };
}

fn at_once(task: &'static str, every: Duration, look: fn(Arc<Core>) -> Look) -> Reconciler {
    Reconciler { task, first: Duration::ZERO, every, called: None, look }
}

fn later(task: &'static str, every: Duration, look: fn(Arc<Core>) -> Look) -> Reconciler {
    Reconciler { first: every, ..at_once(task, every, look) }
}

/// Every one of them. Most of what they look for has times of its own, years or days apart: the interval here is how late
/// it may be seen that such a time has come.
pub fn all(core: &Core) -> Vec<Reconciler> {
    let (minutes, seconds, hours) = (Duration::from_mins, Duration::from_secs, Duration::from_hours);
    let first = UNTIL_INSTANCES_ARE_UP;
    vec![
        // Units that are done move a rollout themselves: this is for windows, stops and what was left behind.
        at_once("Looking after rollouts", seconds(2), look!(roll_out::look_after)),
        at_once("Watching the instances", core.drivers.compute.observe_every(), look!(watch::look_around)),
        Reconciler {
            called: Some(Arc::clone(&core.mail_waiting)),
            ..at_once("Delivering mail", seconds(10), look!(deliver::deliver_due))
        },
        at_once("Telling the operator of stuck workflows", seconds(10), look!(stuck::tell_of_stuck)),
        at_once("Reading the sign-ins at the edge", hours(1), look!(sign_ins::read)),
        at_once("Fetching events of the payment provider", minutes(10), look!(payment_events::reconcile)),
        later("Reading the ceilings of the providers", minutes(1), look!(limits::watch::read_if_due)),
        later("Comparing the providers with the store", minutes(1), look!(sweep::sweep_if_due)),
        at_once("Looking after the pool", seconds(5), look!(pool::keeper::keep)),
        // Guards that were away first report what was used.
        later("Starting the day's closing", minutes(10), look!(closing::close_if_due)),
        later("Watching caps and budgets", minutes(1), look!(spending::watch::look_at_all)),
        later("Looking for invoices that are overdue", minutes(1), look!(dunning::reconcile::dun_if_due)),
        later("Looking for cancellations that are due", seconds(20), look!(cancellation::reconcile::cancel_if_due)),
        // Each can be taken back until a moment.
        later("Looking for deletions that are due", seconds(20), look!(deletion::reconcile::delete_if_due)),
        // Once in a customer's life, days after they left.
        later("Writing to customers who left", hours(1), look!(win_back::write_if_due)),
        later("Reminding of moves that nobody has confirmed", hours(1), look!(moves::remind::remind_if_due)),
        later("Reading what instances cost", minutes(1), look!(costs::reading::read_if_due)),
        later("Looking for backups that are due", minutes(2), look!(backups::schedule::take_due)),
        later("Backing up the store", minutes(2), look!(schedule::take_if_due)),
        later("Beginning the next proof of a backup", minutes(2), look!(backups::proofs::prove_due)),
        later("Looking for backups that are over", minutes(2), look!(backups::prune::prune)),
        // It lists all that is kept.
        Reconciler {
            first,
            ..later("Looking for what is left of old backups", hours(12), look!(backups::prune::remove_leftovers))
        },
        later("Asking instances through their hostnames", seconds(1), look!(probe::ask_due)),
        at_once("Adding up the days", minutes(10), look!(uptime::add_up)),
        at_once("Looking after alerts", seconds(15), look!(tend::tend)),
        at_once("Telling subscribers of an incident", seconds(10), look!(tell::tell_due)),
        later("Reading what providers say of themselves", minutes(1), look!(provider_status::read_if_due)),
        later("Beginning a round of the isolation prover", minutes(1), look!(round::begin_if_due)),
        // Guards keep the end of a leave to the second; this is how late the rest of us notices.
        later("Ending support's access", seconds(20), look!(support_access::end_if_due)),
        later("Waiving the hours of support", seconds(20), look!(hours::waive_if_due)),
        later("Closing tickets that were solved", hours(1), look!(tickets::close_if_due)),
    ]
}

impl Reconciler {
    /// Looks once.
    ///
    /// # Errors
    /// When the store, or a provider, does not answer.
    pub async fn look(&self, core: &Arc<Core>) -> anyhow::Result<()> {
        (self.look)(Arc::clone(core)).await
    }

    async fn run(self, core: Arc<Core>) {
        tokio::time::sleep(self.first).await;
        loop {
            if let Err(error) = self.look(&core).await {
                tracing::error!("{} failed; it is tried again later: {error:#}", self.task);
            }
            match &self.called {
                Some(called) => drop(tokio::time::timeout(self.every, called.notified()).await),
                None => tokio::time::sleep(self.every).await,
            }
        }
    }
}

/// The tasks, running.
#[derive(Debug)]
pub struct Reconcilers(JoinSet<()>);

impl Reconcilers {
    /// Starts them; they end when told to.
    pub fn start(core: &Arc<Core>, stop: &CancellationToken) -> Self {
        let mut tasks = JoinSet::new();
        for reconciler in all(core) {
            let (core, stop) = (Arc::clone(core), stop.clone());
            // What is under way when the server stops is dropped: each of them starts from what it reads.
            tasks.spawn(async move { stop.run_until_cancelled(reconciler.run(core)).await.unwrap_or_default() });
        }
        Self(tasks)
    }

    /// Waits until all have ended.
    pub async fn ended(self) {
        self.0.join_all().await;
    }
}
