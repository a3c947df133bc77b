//! One seat per project: who may change it, and what was last seen of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ProjectName;
use tokio::time::Instant;

use super::supervisor::Supervisor;

/// What a project's supervisor is doing.
#[derive(Debug, Clone, Default)]
pub(super) enum Phase {
    /// Nothing, on purpose.
    #[default]
    Idle,
    /// About to start it.
    Launching,
    /// It runs.
    Running { pid: u32, since: Instant, well_since: Option<Instant> },
    /// It ended or could not start, and will be tried again.
    Waiting { cause: String },
    /// Stopped because its volume is too full.
    OverQuota { detail: String },
    /// This host cannot run it.
    Impossible { reason: String },
}

/// What is known of a project at this moment.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) restarts: u32,
}

pub(super) type Shared = Arc<Mutex<State>>;

#[derive(Default)]
pub(super) struct Seat {
    turn: tokio::sync::Mutex<Option<Supervisor>>,
    state: Shared,
}

impl Seat {
    /// Waits until nobody else changes the project.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, Option<Supervisor>> {
        self.turn.lock().await
    }

    pub(super) fn state(&self) -> Shared {
        self.state.clone()
    }

    pub(super) fn now(&self) -> State {
        lock(&self.state).clone()
    }

    pub(super) fn cannot_run(&self, reason: String) {
        lock(&self.state).phase = Phase::Impossible { reason };
    }
}

#[derive(Default)]
pub(super) struct Seats(Mutex<BTreeMap<ProjectName, Arc<Seat>>>);

impl Seats {
    pub(super) fn of(&self, name: &ProjectName) -> Arc<Seat> {
        lock(&self.0).entry(name.clone()).or_default().clone()
    }

    pub(super) fn all(&self) -> Vec<Arc<Seat>> {
        lock(&self.0).values().cloned().collect()
    }
}

/// A panic elsewhere cannot have left these values half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
