//! The application's life as the guard leads it: it runs, or it rests because the main instance wants so.

use std::future::pending;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use world::Clock;

use super::rest::RestRecord;
use super::swap::Exchange;
use crate::child::{Program, Running};

/// Orders that wait for their turn; each is carried out before the next is looked at.
const WAITING: usize = 8;

/// What is wanted of the application.
enum Wish {
    Rest(oneshot::Sender<()>),
    Wake(oneshot::Sender<()>),
    /// If it rests, it goes on resting for as long as from now.
    RestOn,
}

/// Leads it.
pub(crate) struct Life {
    /// None where others start the application, which then can't rest.
    program: Option<Program>,
    running: Option<Running>,
    record: RestRecord,
    /// What may have to be brought to its end before the application starts.
    exchange: Option<Exchange>,
    rests_until: Option<Timestamp>,
    wishes: mpsc::Receiver<Wish>,
    rests: Arc<AtomicBool>,
    works: Arc<Semaphore>,
    clock: Clock,
}

/// Has it led.
#[derive(Clone)]
pub(crate) struct Leash {
    wishes: mpsc::Sender<Wish>,
    rests: Arc<AtomicBool>,
    /// Held by whoever works on what the application keeps. It is not woken meanwhile.
    pub(crate) works: Arc<Semaphore>,
    can_rest: bool,
}

/// There is nobody who could do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfReach;

impl Life {
    /// Prepared; nothing runs yet. `can_rest` says whether the guard starts the application itself, and knows where it
    /// keeps its data.
    ///
    /// # Errors
    /// When it can't be read whether it is to rest.
    pub(crate) fn new(
        can_rest: bool,
        record: RestRecord,
        exchange: Option<Exchange>,
        begins_at_rest: bool,
        clock: Clock,
    ) -> anyhow::Result<(Self, Leash)> {
        let rests_until = if can_rest { record.at_start(begins_at_rest, clock.now())? } else { None };
        let rests = Arc::new(AtomicBool::new(rests_until.is_some()));
        let (sender, wishes) = mpsc::channel(WAITING);
        let works = Arc::new(Semaphore::new(1));
        let leash = Leash { wishes: sender, rests: Arc::clone(&rests), works: Arc::clone(&works), can_rest };
        Ok((Self { program: None, running: None, record, exchange, rests_until, wishes, rests, works, clock }, leash))
    }

    /// Starts the application, unless it rests. What a former guard was in the middle of is brought to its end before.
    ///
    /// # Errors
    /// When it can't be started, or what it keeps is not whole and can't be made so.
    pub(crate) async fn begin(&mut self, program: Option<Program>) -> anyhow::Result<()> {
        self.see_that_data_is_whole().await?;
        self.program = program;
        match (&self.program, self.rests_until) {
            (Some(program), None) => self.running = Some(program.start()?),
            (Some(_), Some(until)) => tracing::info!("The application rests, until {until} at most"),
            (None, _) => {}
        }
        Ok(())
    }

    /// Does what is wanted of it, until it ends by itself. May be broken off.
    ///
    /// # Errors
    /// When it can't be started again, or what becomes of it can't be written down.
    pub(crate) async fn live(&mut self) -> anyhow::Result<ExitStatus> {
        loop {
            let (rests_until, works, clock) = (self.rests_until, &self.works, &self.clock);
            let wish = tokio::select! {
                biased;
                Some(wish) = self.wishes.recv() => Some(wish),
                ended = ended(self.running.as_mut()) => return Ok(ended?),
                permit = over(rests_until, works, clock) => {
                    tracing::warn!("Nobody woke the application in time; it is woken");
                    // Nobody begins to work on what it keeps until it runs.
                    let _permit = permit;
                    self.wake().await?;
                    None
                }
            };
            match wish {
                Some(Wish::Rest(done)) => {
                    self.rest().await?;
                    let _ = done.send(());
                }
                Some(Wish::Wake(done)) => {
                    self.wake().await?;
                    let _ = done.send(());
                }
                Some(Wish::RestOn) if self.rests_until.is_some() => self.rest().await?,
                Some(Wish::RestOn) | None => {}
            }
        }
    }

    /// Takes no more orders; who waits for one is told so.
    pub(crate) fn hear_no_more(&mut self) {
        self.wishes.close();
        while self.wishes.try_recv().is_ok() {}
    }

    /// Asks it to stop, and insists after a while.
    pub(crate) async fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.stop().await;
        }
    }

    async fn rest(&mut self) -> anyhow::Result<()> {
        // Written down before: a restart in the middle must not find it running.
        self.rests_until = Some(self.record.rest(self.clock.now())?);
        self.rests.store(true, Ordering::SeqCst);
        if let Some(running) = &mut self.running {
            running.stop_with_all_it_started().await;
            self.running = None;
            tracing::info!("The application rests");
        }
        Ok(())
    }

    async fn wake(&mut self) -> anyhow::Result<()> {
        self.see_that_data_is_whole().await?;
        self.record.wake()?;
        self.rests_until = None;
        if let (Some(program), None) = (&self.program, &self.running) {
            self.running = Some(program.start()?);
            tracing::info!("The application runs again");
        }
        self.rests.store(false, Ordering::SeqCst);
        Ok(())
    }

    async fn see_that_data_is_whole(&self) -> anyhow::Result<()> {
        let Some(exchange) = self.exchange.clone() else { return Ok(()) };
        let finished = tokio::task::spawn_blocking(move || exchange.finish()).await?;
        finished.context("what the application keeps was being replaced, and that can't be brought to its end")
    }
}

impl Leash {
    /// Whether it rests, so that visitors wait.
    pub(crate) fn rests(&self) -> bool {
        self.rests.load(Ordering::SeqCst)
    }

    /// Makes it rest. It has stopped when this is done.
    pub(crate) async fn rest(&self) -> Result<(), OutOfReach> {
        self.wish(Wish::Rest).await
    }

    /// Lets it go on. Nobody may be working on what it keeps.
    pub(crate) async fn wake(&self) -> Result<(), OutOfReach> {
        self.wish(Wish::Wake).await
    }

    /// A rest under way counts from now.
    pub(crate) fn rest_on(&self) {
        // Full or gone: then it ends as it would have.
        let _ = self.wishes.try_send(Wish::RestOn);
    }

    async fn wish(&self, wish: impl FnOnce(oneshot::Sender<()>) -> Wish) -> Result<(), OutOfReach> {
        if !self.can_rest {
            return Err(OutOfReach);
        }
        let (tell, told) = oneshot::channel();
        self.wishes.send(wish(tell)).await.map_err(|_| OutOfReach)?;
        told.await.map_err(|_| OutOfReach)
    }
}

async fn ended(application: Option<&mut Running>) -> std::io::Result<ExitStatus> {
    match application {
        Some(application) => application.ended().await,
        None => pending().await,
    }
}

/// Comes when a rest has lasted long enough and nobody works on what the application keeps, nor can until this is dropped.
/// Who works says that the rest goes on before it lets go.
async fn over(until: Option<Timestamp>, works: &Arc<Semaphore>, clock: &Clock) -> Option<OwnedSemaphorePermit> {
    let Some(until) = until else { return pending().await };
    loop {
        let left = until.duration_since(clock.now());
        if !left.is_positive() {
            break;
        }
        tokio::time::sleep(left.unsigned_abs().max(Duration::from_millis(1))).await;
    }
    // Never closed.
    Arc::clone(works).acquire_owned().await.ok()
}
