//! Instances as supervised, sandboxed processes on this machine.
//!
//! What is wanted stands in each project's folder; what runs is a supervisor task per project.
//! Nothing outlives the server: the sandbox binds every process to the server's life, and what an
//! earlier server nevertheless left is removed before anything starts.

mod backoff;
mod compute;
mod deployment;
mod disk;
mod egress;
mod folder;
mod health;
mod isolation;
mod journal;
mod launch;
mod ports;
mod processes;
mod restore;
mod running;
mod seats;
mod settings;
mod spawner;
mod supervisor;
mod sweeper;

use std::sync::Arc;

use domain::ProjectName;
use world::{Clock, Sealer};

use crate::ProviderError;
pub use egress::{EgressRule, EgressRuleError};
use folder::{Folder, Folders};
use isolation::Walls;
use launch::Launcher;
use seats::Seats;
pub use settings::{InstanceLimits, Isolation, LocalSettings};
pub use spawner::Spawner;
use supervisor::Supervisor;
use sweeper::Sweeper;

/// Each keeps a thread and the disk busy for as long as somebody downloads.
const EXPORTS_AT_ONCE: usize = 4;
/// Each reads or writes a whole volume; who comes too many waits.
const BACKUPS_AT_ONCE: usize = 2;

/// Runs instances on this machine. Keep it for as long as they shall run: when it is dropped, they
/// die. Call [`crate::compute::Compute::shutdown`] to stop them gently.
pub struct Local {
    folders: Folders,
    walls: Walls,
    launcher: Arc<Launcher>,
    clock: Clock,
    /// Knocks at guards.
    http: reqwest::Client,
    seats: Seats,
    /// Slots and ports are handed out one project at a time.
    allocation: tokio::sync::Mutex<()>,
    /// Archives that may be made at once.
    exports: Arc<tokio::sync::Semaphore>,
    /// Backups that may be taken or put back at once.
    backups: tokio::sync::Semaphore,
    _sweeper: Sweeper,
}

impl Local {
    /// Removes what an earlier server left running, then starts every deployed project again.
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// Refused when the folder cannot be used or an old process cannot be ended.
    pub async fn open(settings: LocalSettings, clock: Clock, sealer: Arc<Sealer>) -> Result<Self, ProviderError> {
        let folders = Folders::open(&settings.folder)?;
        let sweeper = Sweeper::start(folders.clone()).map_err(no_thread)?;
        for project in folders.list()? {
            let folder = folders.of(&project);
            on_blocking_thread(move || {
                running::clear(&folder)?;
                restore::discard(&folder);
                Ok(())
            })
            .await?;
        }
        let walls = Walls::new(&settings);
        let spawner = Spawner::start().map_err(no_thread)?;
        let launcher = Arc::new(Launcher { settings, sealer, spawner, clock: clock.clone(), room: egress::room() });
        let local = Self {
            folders,
            walls,
            launcher,
            clock,
            http: client()?,
            seats: Seats::default(),
            allocation: tokio::sync::Mutex::default(),
            exports: Arc::new(tokio::sync::Semaphore::new(EXPORTS_AT_ONCE)),
            backups: tokio::sync::Semaphore::new(BACKUPS_AT_ONCE),
            _sweeper: sweeper,
        };
        local.start_deployed().await?;
        Ok(local)
    }

    async fn start_deployed(&self) -> Result<(), ProviderError> {
        for name in self.folders.list()? {
            let folder = self.folders.of(&name);
            if folder.load()?.is_some_and(|project| project.is_to_run()) {
                let seat = self.seats.of(&name);
                let mut turn = seat.turn().await;
                match self.walls.refusal().await {
                    None => *turn = Some(self.supervise(&name, &folder, &seat)?),
                    Some(reason) => seat.cannot_run(reason),
                }
            }
        }
        Ok(())
    }

    fn supervise(
        &self,
        name: &ProjectName,
        folder: &Folder,
        seat: &Arc<seats::Seat>,
    ) -> Result<Supervisor, ProviderError> {
        let project = folder.expect_project(name)?;
        Ok(Supervisor::start(name.clone(), folder.clone(), project, self.launcher.clone(), seat.state()))
    }
}

/// A guard on this machine answers soon or not at all.
fn client() -> Result<reqwest::Client, ProviderError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(std::time::Duration::from_secs(10))
        .build()
        .map_err(|error| ProviderError::unavailable("making the client that knocks at guards", error))
}

fn no_thread(cause: std::io::Error) -> ProviderError {
    ProviderError::refused("start the threads of the local driver", cause, "raise the limit on threads")
}

/// Runs what may take long, or waits for the kernel, beside the async threads.
async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ProviderError> + Send + 'static,
) -> Result<T, ProviderError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(cause) => Err(ProviderError::unavailable("work on a project's folder", cause)),
    }
}
