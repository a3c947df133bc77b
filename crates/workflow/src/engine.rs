use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::{Db, Engine as StoreEngine};
use jiff::SignedDuration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use world::{Clock, Entropy};

use crate::backoff::Backoff;
use crate::definition::{OnFailure, Stop, Workflow};
use crate::fault::Faults;
use crate::lease::Claimed;
use crate::run::Run;
use crate::state::WorkflowState;
use crate::store;

/// How the engine works; the defaults suit production.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How this replica is called in leases.
    pub owner: String,
    /// How long a lease lasts without being renewed; it is renewed at a third of that.
    pub lease: SignedDuration,
    /// How long to wait between looks for due work when nobody woke the engine.
    pub poll: Duration,
    /// How many workflows run at once.
    pub parallel: u32,
    /// Delays between tries.
    pub backoff: Backoff,
    /// Rehearsed failures.
    pub faults: Faults,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            owner: format!("process {}", std::process::id()),
            lease: SignedDuration::from_secs(30),
            poll: Duration::from_millis(500),
            parallel: 32,
            backoff: Backoff::default(),
            faults: Faults::none(),
        }
    }
}

/// Why an operator's wish can't be granted.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such workflow.
    #[error("there is no workflow {0}")]
    NotFound(String),
    /// It is over.
    #[error("this workflow is {0}; nothing of it is left to {1}")]
    Over(WorkflowState, &'static str),
    /// No code for this kind is registered.
    #[error("no workflow of kind {0:?} is known to this version")]
    UnknownKind(String),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] sqlx::Error),
}

/// What runs share.
pub(crate) struct Context {
    pub db: Db,
    pub clock: Clock,
    pub entropy: Entropy,
    pub settings: Settings,
    wake: Notify,
    changes: watch::Sender<u64>,
}

impl Context {
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|version| *version += 1);
    }
}

/// Runs workflows: claims what is due, holds it while it works, hands it on when it stops.
#[derive(Clone)]
pub struct Engine {
    context: Arc<Context>,
    kinds: Arc<HashMap<&'static str, Arc<dyn Workflow>>>,
}

impl Engine {
    /// An engine that knows these kinds of workflows.
    pub fn new(
        db: Db,
        clock: Clock,
        entropy: Entropy,
        settings: Settings,
        kinds: impl IntoIterator<Item = Arc<dyn Workflow>>,
    ) -> Self {
        let context = Context { db, clock, entropy, settings, wake: Notify::new(), changes: watch::Sender::new(0) };
        let kinds = kinds.into_iter().map(|workflow| (workflow.kind(), workflow)).collect();
        Self { context: Arc::new(context), kinds: Arc::new(kinds) }
    }

    /// Looks for due work at once. To be called after committing a new workflow.
    pub fn wake(&self) {
        self.context.wake.notify_one();
    }

    /// Changes whenever a workflow of this process moves: a hint to look again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.context.changes.subscribe()
    }

    /// Works until told to stop. What is under way then is dropped between or within steps, and
    /// goes on after the next start.
    ///
    /// # Errors
    /// When the store can't be used at the start.
    pub async fn work(&self, stop: CancellationToken) -> Result<(), sqlx::Error> {
        if self.context.db.engine() == StoreEngine::Sqlite {
            store::free_all_leases(&self.context.db).await?;
        }
        let slots = Arc::new(Semaphore::new(self.context.settings.parallel as usize));
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            let free = u32::try_from(slots.available_permits()).unwrap_or(u32::MAX);
            let claimed = match self.claim(free).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!("Looking for due workflows failed: {error}");
                    Vec::new()
                }
            };
            let found = !claimed.is_empty();
            for claimed in claimed {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
                let engine = self.clone();
                running.spawn(async move {
                    engine.advance(claimed).await;
                    drop(slot);
                    engine.wake();
                });
            }
            if !found {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = self.context.wake.notified() => {}
                    () = tokio::time::sleep(self.context.settings.poll) => {}
                }
            }
            while running.try_join_next().is_some() {}
        }
        running.shutdown().await;
        Ok(())
    }

    /// Runs everything that is due now, until nothing is. For tests, and for commands that do
    /// their work without a server.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn run_due(&self) -> Result<(), sqlx::Error> {
        loop {
            let claimed = self.claim(self.context.settings.parallel).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            let mut running = JoinSet::new();
            for claimed in claimed {
                let engine = self.clone();
                running.spawn(async move { engine.advance(claimed).await });
            }
            running.join_all().await;
        }
    }

    /// When the next workflow goes on by itself: where a test's clock may be moved to.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn next_due(&self) -> Result<Option<jiff::Timestamp>, sqlx::Error> {
        store::next_due(&self.context.db).await
    }

    /// Makes a workflow that waits, or is stuck, go on at once.
    ///
    /// # Errors
    /// [`EngineError`] when there is none, or when it is over.
    pub async fn retry(&self, id: &str) -> Result<(), EngineError> {
        let record = self.find(id).await?;
        let kind = self.kind(&record.kind)?;
        let now = self.context.clock.now();
        let deadline = now + kind.time_limit();
        let done = match record.state {
            WorkflowState::Running | WorkflowState::Undoing => {
                store::make_due(&self.context.db, id, now, deadline).await?
            }
            WorkflowState::Stuck => {
                let to = match kind.on_failure() {
                    OnFailure::Undo => WorkflowState::Undoing,
                    OnFailure::Halt => WorkflowState::Running,
                };
                store::leave_stuck(&self.context.db, id, to, None, now, deadline).await?
            }
            over => return Err(EngineError::Over(over, "try again")),
        };
        self.moved(done, id, "try again").await
    }

    /// Gives a workflow up: one that runs takes back what it did, one that is stuck is closed.
    ///
    /// # Errors
    /// [`EngineError`] when there is none, or when it is over or being taken back already.
    pub async fn abandon(&self, id: &str, by: &str) -> Result<(), EngineError> {
        let record = self.find(id).await?;
        let reason = format!("abandoned by {by}");
        let now = self.context.clock.now();
        let done = match record.state {
            WorkflowState::Running => store::request_cancel(self.context.db.write(), id, &reason, now).await?,
            WorkflowState::Stuck => {
                let note = format!("{reason}; before: {}", record.error.unwrap_or_default());
                store::leave_stuck(&self.context.db, id, WorkflowState::Abandoned, Some(&note), now, now).await?
            }
            over => return Err(EngineError::Over(over, "abandon")),
        };
        self.moved(done, id, "abandon").await
    }

    async fn moved(&self, done: bool, id: &str, what: &'static str) -> Result<(), EngineError> {
        if !done {
            return Err(EngineError::Over(self.find(id).await?.state, what));
        }
        self.context.changed();
        self.wake();
        Ok(())
    }

    async fn find(&self, id: &str) -> Result<crate::WorkflowRecord, EngineError> {
        store::find(&self.context.db, id).await?.ok_or_else(|| EngineError::NotFound(id.to_owned()))
    }

    fn kind(&self, kind: &str) -> Result<Arc<dyn Workflow>, EngineError> {
        self.kinds.get(kind).cloned().ok_or_else(|| EngineError::UnknownKind(kind.to_owned()))
    }

    async fn claim(&self, limit: u32) -> Result<Vec<Claimed>, sqlx::Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let context = &self.context;
        let now = context.clock.now();
        store::claim(&context.db, &context.settings.owner, now, now + context.settings.lease, limit).await
    }

    /// Carries a leased workflow as far as it goes, and stores how it stopped.
    async fn advance(&self, claimed: Claimed) {
        let lease = claimed.lease.clone();
        let stopped = tokio::select! {
            stopped = self.tell(claimed) => stopped,
            () = self.hold(&lease) => Err(Stop::Released),
        };
        if let Err(error) = stopped {
            match error {
                Stop::Store(error) => {
                    tracing::error!(workflow.id = %lease.id, "The store failed under workflow {}: {error}", lease.id);
                }
                Stop::Released | Stop::Until(_) | Stop::Failed(_) => {
                    tracing::info!(workflow.id = %lease.id, "Workflow {} was let go; it goes on when its lease ends", lease.id);
                }
            }
        }
        self.context.changed();
    }

    async fn tell(&self, claimed: Claimed) -> Result<(), Stop> {
        let context = &self.context;
        let lease = claimed.lease.clone();
        let Ok(kind) = self.kind(&claimed.kind) else {
            // Another replica, of another version, may know it.
            let later = context.clock.now() + SignedDuration::from_mins(1);
            let error = format!("no workflow of kind {:?} is known to this version", claimed.kind);
            return Ok(store::release(&context.db, &lease, later, Some(&error)).await?);
        };
        let undoing = claimed.undoing;
        let run = Run::load(Arc::clone(context), claimed).await?;
        let told = if undoing { kind.undo(&run).await } else { kind.run(&run).await };
        let now = context.clock.now();
        match told {
            Ok(()) if undoing => store::turn(&context.db, &lease, WorkflowState::Failed, None, now).await?,
            Ok(()) => store::turn(&context.db, &lease, WorkflowState::Done, None, now).await?,
            Err(Stop::Until(due)) => store::release(&context.db, &lease, due, None).await?,
            Err(Stop::Failed(error)) => {
                let to = if undoing || kind.on_failure() == OnFailure::Halt {
                    WorkflowState::Stuck
                } else {
                    WorkflowState::Undoing
                };
                tracing::warn!(workflow.id = %lease.id, "Workflow {} is {to}: {error}", lease.id);
                store::turn(&context.db, &lease, to, Some(&error), now).await?;
            }
            Err(stop) => return Err(stop),
        }
        Ok(())
    }

    /// Renews a lease until that fails: then another replica may hold it, and this one must stop.
    async fn hold(&self, lease: &crate::lease::Lease) {
        let context = &self.context;
        let third = Duration::try_from(context.settings.lease / 3).unwrap_or(Duration::from_secs(10));
        loop {
            tokio::time::sleep(third).await;
            let until = context.clock.now() + context.settings.lease;
            match store::renew(&context.db, lease, until).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(workflow.id = %lease.id, "Renewing the lease of {} failed: {error}", lease.id);
                    return;
                }
            }
        }
    }
}
