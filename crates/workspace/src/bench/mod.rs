//! The workbench: runs commands of the project's code, behind the wall, within limits, on record.
//!
//! What holds: nothing of the project's is ever run by this program itself, only here; a command is
//! written down before it starts and again when it ended; and when this returns, or the program dies,
//! nothing that came from the command is left.

mod launch;
mod output;
mod record;
mod registries;
mod space;
mod watcher;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use sandbox::{Ending, Loopback, Promises};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use world::Clock;

pub use launch::{Launched, Rest};
pub use output::Output;
pub use record::Records;
use registries::Gate;
pub use registries::{Registries, USUAL};

/// How many commands run at the same time; more wait.
const AT_ONCE: usize = 2;

/// Runs commands; cheap to clone.
#[derive(Clone)]
pub struct Bench(Arc<Inner>);

struct Inner {
    /// This program, which turns into the wall.
    executable: PathBuf,
    /// What it keeps: records, outputs, and the temporary folders of commands that run.
    folder: PathBuf,
    tools: Tools,
    promises: Promises,
    records: Records,
    clock: Clock,
    turns: Semaphore,
    /// The way to package registries, once it is open.
    gate: OnceLock<Gate>,
}

/// What commands find on this machine beside the system's own folders, and what they must not touch.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// Folders with programs, searched before the system's.
    pub programs: Vec<PathBuf>,
    /// Further folders that they read.
    pub readable: Vec<PathBuf>,
    /// Ports of this machine's loopback that are somebody else's.
    pub taken_ports: Vec<u16>,
    /// A proxy on the way out, for what is done outside of the wall.
    pub proxy: Option<String>,
}

/// Where a command may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere.
    Nowhere,
    /// Servers that it starts itself.
    Itself,
    /// Package registries, where there is a way to them.
    Registries,
    /// It listens on this port of the machine's loopback.
    Serve(u16),
}

/// One command to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it works.
    pub folder: PathBuf,
    /// Whether it may change that folder.
    pub changes_folder: bool,
    /// Further folders that it may change.
    pub writable: Vec<PathBuf>,
    /// Further folders that it may read.
    pub readable: Vec<PathBuf>,
    /// Variables beside the usual ones.
    pub env: Vec<(&'static str, String)>,
    /// Where it may reach.
    pub reach: Reach,
    /// How much it may use.
    pub limits: Limits,
    /// What it is for, on record; commands of this program itself are not recorded.
    pub purpose: Option<Purpose>,
}

/// What a command is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// The project's name.
    pub project: String,
    /// The sprint and the story, where there is one, such as `S-2` and `B-12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<(String, String)>,
}

/// How much a command may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take; `None` until it is stopped.
    pub time: Option<Duration>,
    /// Bytes it may say before it is stopped.
    pub output: u64,
    /// Bytes that its folders may hold before it is stopped.
    pub disk: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Bytes of memory of all its processes together.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Some(Duration::from_secs(120)),
            output: 16 << 20,
            disk: 1 << 30,
            processes: 200,
            memory: 1536 << 20,
        }
    }
}

/// How a command came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// As the wall tells.
    Told(Ending),
    /// It was stopped here, by a person or since the program stops.
    Stopped,
    /// It said more than this many bytes.
    TooMuchOutput(u64),
    /// Its folders held more than this many bytes.
    TooMuchDisk(u64),
    /// The wall itself ended without a word.
    Vanished,
}

impl Ended {
    /// Whether it ended by itself and says that all is well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Told(ending) if ending.is_success())
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Told(ending) => ending.fmt(f),
            Self::Stopped => f.write_str("was stopped"),
            Self::TooMuchOutput(most) => write!(f, "was stopped because it said more than {} MiB", most >> 20),
            Self::TooMuchDisk(most) => {
                write!(f, "was stopped because its folders held more than {} MiB", most >> 20)
            }
            Self::Vanished => f.write_str("ended together with the process that watched it"),
        }
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Outcome {
    /// Its number on record, if it is recorded.
    pub number: Option<u64>,
    /// How it ended.
    pub ended: Ended,
    /// What it said.
    pub output: Output,
    /// What it said on standard error, where that is kept apart.
    pub errors: Output,
    /// How long it took.
    pub took: Duration,
}

/// Why a command was not run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// This machine cannot wall commands off.
    #[error("Nothing is run on this machine, since it could not be kept from harm. {0}")]
    NoWall(String),
    /// The disk or the system failed.
    #[error("The workbench cannot be used ({0}). Make room on the disk and try again.")]
    Disk(#[from] io::Error),
}

impl Bench {
    /// A workbench that keeps what it needs in `folder`. `executable` is this program, which hands
    /// over to the sandbox when told to.
    ///
    /// # Errors
    /// When the folder cannot be used, or it cannot be found out what this machine can promise.
    pub fn open(folder: &Path, executable: PathBuf, tools: Tools, clock: Clock) -> Result<Self, BenchError> {
        std::fs::create_dir_all(folder)?;
        // Paths go to processes that work elsewhere.
        let folder = folder.canonicalize()?;
        let promises = Promises::find_out(&executable).map_err(BenchError::NoWall)?;
        watcher::await_all(&folder)?;
        // Nothing of an earlier life still runs, so nothing of it is still needed.
        match std::fs::remove_dir_all(folder.join("temporary")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let records = Records::open(&folder)?;
        let turns = Semaphore::new(AT_ONCE);
        let gate = OnceLock::new();
        Ok(Self(Arc::new(Inner { executable, folder, tools, promises, records, clock, turns, gate })))
    }

    /// Opens the way to package registries, where that opens no other; says whether it did.
    ///
    /// # Errors
    /// When there is no port for it.
    pub async fn open_registries(&self, registries: Registries) -> io::Result<bool> {
        let Promises { ports, loopback, .. } = self.0.promises;
        let leads_nowhere_else = loopback == Loopback::Shared || registries.insist;
        if registries.hosts.is_empty() || !ports || !leads_nowhere_else {
            return Ok(false);
        }
        let gate = Gate::open(registries).await?;
        // Whoever opened it before has opened it already.
        let _ = self.0.gate.set(gate);
        Ok(true)
    }

    /// What this machine can promise.
    #[must_use]
    pub fn promises(&self) -> Promises {
        self.0.promises
    }

    /// Everything that was ever run.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.0.records
    }

    /// Runs a command until it ends, is stopped, or uses too much. `heard` is given what it says as
    /// it comes.
    ///
    /// # Errors
    /// When it was not run; whatever a command itself does is an [`Outcome`].
    pub async fn run(
        &self,
        job: &Job,
        heard: impl FnMut(&[u8]) + Send + 'static,
        stop: &CancellationToken,
    ) -> Result<Outcome, BenchError> {
        // The semaphore is never closed.
        let _turn = self.0.turns.acquire().await.map_err(io::Error::other)?;
        let begun = self.now();
        let number = self.0.records.begin(job, begun)?;
        let mut launched = self.launch(job)?;
        let said_too_much = Arc::new(Notify::new());
        let reading = launched.output.read_all(job.limits.output, heard, Arc::clone(&said_too_much));
        let errors = launched.errors.read_all(job.limits.output, |_| (), Arc::clone(&said_too_much));
        let (output, errors) = (tokio::spawn(reading), tokio::spawn(errors));
        let ended = tokio::select! {
            ended = launched.leash.ending() => ended,
            () = stop.cancelled() => Ended::Stopped,
            () = said_too_much.notified() => Ended::TooMuchOutput(job.limits.output),
            () = outgrown(job, &launched.rest) => Ended::TooMuchDisk(job.limits.disk),
        };
        launched.rest.end(launched.leash).await?;
        let (output, errors) = (joined(output.await)?, joined(errors.await)?);
        let took = (self.now() - begun).unsigned_abs();
        self.0.records.end(number, self.now(), took, &ended, &output)?;
        Ok(Outcome { number, ended, output, errors, took })
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

/// Returns once the folders of a command that runs hold more than they may.
pub async fn outgrown(job: &Job, rest: &Rest) {
    let folders = job.writable.iter().chain([&rest.temporary, &job.folder]).cloned().collect();
    space::exceeds(folders, job.limits.disk, job.limits.time.is_none()).await;
}

fn joined<T>(outcome: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    outcome.map_err(io::Error::other)?
}

#[cfg(test)]
pub(crate) mod tests;
