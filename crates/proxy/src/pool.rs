//! Connections kept for the next request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Context;
use std::time::Duration;

use tokio::time::Instant;

use crate::wire::Wire;

/// More idle connections than this to one upstream are closed instead of kept.
const MOST_IDLE: usize = 64;

/// Idle connections to one upstream, the freshest taken first.
pub(crate) struct Pool {
    idle_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    sweeping: bool,
}

struct Idle {
    wire: Wire,
    since: Instant,
}

/// A connection in use; goes back to its pool, or closes when dropped.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    wire: Wire,
}

impl Pool {
    pub(crate) fn new(idle_timeout: Duration) -> Arc<Self> {
        Arc::new(Self { idle_timeout, state: Mutex::default() })
    }

    /// A kept connection that is fresh and ready.
    pub(crate) fn take(&self) -> Option<Wire> {
        let mut state = self.lock();
        while let Some(Idle { mut wire, since }) = state.idle.pop() {
            if since.elapsed() < self.idle_timeout && wire.is_ready() {
                return Some(wire);
            }
        }
        None
    }

    fn put(self: &Arc<Self>, wire: Wire) {
        if wire.is_closed() {
            return;
        }
        let mut state = self.lock();
        if state.idle.len() >= MOST_IDLE {
            return;
        }
        state.idle.push(Idle { wire, since: Instant::now() });
        if !state.sweeping {
            state.sweeping = true;
            tokio::spawn(sweep(Arc::downgrade(self), self.idle_timeout));
        }
    }

    fn sweep(&self) -> Swept {
        let mut state = self.lock();
        state.idle.retain(|idle| !idle.wire.is_closed() && idle.since.elapsed() < self.idle_timeout);
        if !state.idle.is_empty() {
            return Swept::SomeLeft;
        }
        state.sweeping = false;
        state.idle.shrink_to_fit();
        Swept::NoneLeft
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a pool holds connections after those whose time is over were closed.
#[derive(PartialEq, Eq)]
enum Swept {
    SomeLeft,
    NoneLeft,
}

/// Sweeps until no connections are left, so that an idle proxy has no timers running, or until the
/// pool is gone, and its connections with it.
async fn sweep(pool: Weak<Pool>, idle_timeout: Duration) {
    loop {
        tokio::time::sleep(idle_timeout).await;
        if pool.upgrade().is_none_or(|pool| pool.sweep() == Swept::NoneLeft) {
            return;
        }
    }
}

impl Lease {
    pub(crate) fn new(pool: Arc<Pool>, wire: Wire) -> Self {
        Self { pool, wire }
    }

    /// Moves the bytes of the answer that is being read.
    pub(crate) fn drive(&mut self, context: &mut Context<'_>) {
        self.wire.drive(context);
    }

    /// Returns the connection after its answer was read to the end.
    pub(crate) fn give_back(self) {
        let Self { pool, mut wire } = self;
        // The runtime may be gone when the last bodies are dropped; then the connection is too.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if wire.is_ready() {
            pool.put(wire);
            return;
        }
        // The request may still be on its way (an early answer to an upload), or the connection's
        // own task has not run yet.
        runtime.spawn(async move {
            if wire.ready().await.is_ok() {
                pool.put(wire);
            }
        });
    }
}
