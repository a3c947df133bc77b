//! The requests of one connection: how many are under way, and which of them the client lets wait.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::http2::pace::Pace;

/// Runs the requests of one connection, each as a task.
#[derive(Clone)]
pub(crate) struct Streams {
    stalled: Duration,
    state: Arc<Mutex<State>>,
}

struct State {
    under_way: usize,
    /// Since when none is under way, if none is.
    idle_since: Instant,
    /// Of the request whose task is started next.
    next: Option<Pace>,
}

/// One request under way.
struct UnderWay(Streams);

impl Streams {
    /// Answers of which the client takes nothing for as long as `stalled` are broken off.
    pub(crate) fn new(stalled: Duration) -> Self {
        let state = State { under_way: 0, idle_since: Instant::now(), next: None };
        Self { stalled, state: Arc::new(Mutex::new(state)) }
    }

    /// The pace of the answer to a request that was just taken. Its task is started before another
    /// request is taken.
    pub(crate) fn next_pace(&self) -> Pace {
        let pace = Pace::default();
        self.lock().next = Some(pace.clone());
        pace
    }

    /// Waits until no request was under way for so long. Looks about once in that time, so that a
    /// request costs no timer.
    pub(crate) async fn idle_for(&self, time: Duration) {
        loop {
            let idle_since = {
                let state = self.lock();
                if state.under_way == 0 { state.idle_since } else { Instant::now() }
            };
            if idle_since.elapsed() >= time {
                return;
            }
            tokio::time::sleep_until(idle_since + time).await;
        }
    }

    fn begin(&self) -> (UnderWay, Pace) {
        let mut state = self.lock();
        state.under_way += 1;
        (UnderWay(self.clone()), state.next.take().unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (under_way, pace) = self.begin();
        let stalled = self.stalled;
        tokio::spawn(async move {
            let _under_way = under_way;
            run(stream, &pace, stalled).await;
        });
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way -= 1;
        if state.under_way == 0 {
            state.idle_since = Instant::now();
        }
    }
}

/// Runs until the request is answered, or until the client has left it waiting for too long. Then it
/// is dropped, which the client sees as a reset.
async fn run(stream: impl Future, pace: &Pace, stalled: Duration) {
    let mut stream = pin!(stream);
    let mut waiting: Option<(usize, Pin<Box<Sleep>>)> = None;
    std::future::poll_fn(|context| {
        if stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(turn) = pace.client_turn() else {
            waiting = None;
            return Poll::Pending;
        };
        if waiting.as_ref().is_none_or(|(of_turn, _)| *of_turn != turn) {
            waiting = Some((turn, Box::pin(tokio::time::sleep(stalled))));
        }
        let Some((_, timer)) = &mut waiting else { return Poll::Pending };
        timer.as_mut().poll(context).map(|()| {
            tracing::debug!("An answer was broken off: its client took nothing for {} s", stalled.as_secs());
        })
    })
    .await;
}
