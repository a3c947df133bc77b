//! The app made: what is done of a project, running behind the wall on port 3000.
//!
//! What holds: one app runs at a time; it has its own copy of the files and a data folder that stays;
//! it is told what it may know by variables and nothing else; it stops by itself when nobody has used
//! it for a while, since an hour in which it runs may cost something; and it is private until somebody
//! says otherwise.

mod archive;
mod log;
mod traffic;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use world::Clock;

use crate::bench::{Bench, Ended, Job, Launched, Limits, Reach, outgrown};
use crate::history::Signature;
use crate::name::Name;
use crate::project::{CommitId, Problem, Project, Stack};
pub use archive::write_archive;
use log::Log;

/// Where the app listens; the guard in front expects it there.
pub const PORT: u16 = 3000;

/// How the app is kept.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Where it listens.
    pub port: u16,
    /// How long it runs without a visitor.
    pub idle: Duration,
    /// How often it is looked at.
    pub look: Duration,
    /// How long it may take until it listens.
    pub start: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            port: PORT,
            idle: Duration::from_secs(30 * 60),
            look: Duration::from_secs(15),
            start: Duration::from_secs(60),
        }
    }
}

/// The app made; cheap to clone.
#[derive(Clone)]
pub struct Made(Arc<Inner>);

struct Inner {
    bench: Bench,
    clock: Clock,
    habits: Habits,
    now: Mutex<Life>,
    changed: watch::Sender<u64>,
}

struct Life {
    state: State,
    log: Log,
    stop: CancellationToken,
}

/// How the app is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was not started since this program was.
    Never,
    /// It is installed and built, or does not listen yet.
    Starting(Run),
    /// It takes connections.
    Running {
        /// Which.
        run: Run,
        /// When somebody was last seen to use it.
        used: Timestamp,
    },
    /// It does not run.
    Ended {
        /// Which did.
        run: Run,
        /// When it ended.
        at: Timestamp,
        /// Why.
        why: String,
    },
}

/// One run of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The vision's name.
    pub vision: Name,
    /// The state of what is done that runs.
    pub commit: CommitId,
    /// Since when.
    pub since: Timestamp,
    /// Who started it.
    pub by: String,
}

/// Why the app was not started.
#[derive(Debug, thiserror::Error)]
pub enum MadeError {
    /// One runs.
    #[error("An app is running already. Stop it first.")]
    Busy,
    /// Nothing that could be started is done yet.
    #[error("There is nothing to start yet: the project has no package.json, index.html or Python file.")]
    Nothing,
    /// The project cannot be used.
    #[error(transparent)]
    Project(#[from] Problem),
    /// The disk failed or is full.
    #[error("The app's folder cannot be used ({0}). Make room on the disk and try again.")]
    Disk(#[from] io::Error),
}

impl Made {
    /// The app of a data folder. It is not started.
    #[must_use]
    pub fn new(bench: Bench, clock: Clock, habits: Habits) -> Self {
        let life = Life { state: State::Never, log: Log::default(), stop: CancellationToken::new() };
        let changed = watch::Sender::new(0);
        Self(Arc::new(Inner { bench, clock, habits, now: Mutex::new(life), changed }))
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.life().state.clone()
    }

    /// The last it said.
    #[must_use]
    pub fn log(&self) -> String {
        self.life().log.text()
    }

    /// Changes whenever its state does.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// How long it runs without a visitor.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.0.habits.idle
    }

    /// Starts what is done of a project. It returns at once; [`Made::state`] tells how it goes on.
    ///
    /// # Errors
    /// [`MadeError`]
    pub async fn start(&self, project: &Project, by: &Signature) -> Result<(), MadeError> {
        let commit = project.main().await?;
        let run = Run { vision: project.name().clone(), commit, since: by.at, by: by.by.to_string() };
        let stop = CancellationToken::new();
        {
            let mut life = self.life();
            if matches!(life.state, State::Starting(_) | State::Running { .. }) {
                return Err(MadeError::Busy);
            }
            *life = Life { state: State::Starting(run.clone()), log: Log::default(), stop: stop.clone() };
        }
        self.tell();
        let (made, project) = (self.clone(), project.clone());
        tokio::spawn(async move {
            let why = made.live(&project, &run, &stop).await.unwrap_or_else(|error| error.to_string());
            made.life().state = State::Ended { run, at: made.0.clock.now(), why };
            made.tell();
        });
        Ok(())
    }

    /// Stops it; it has a few seconds to do so by itself. Where nothing runs, nothing happens.
    pub fn stop(&self) {
        self.life().stop.cancel();
    }

    /// From the files to the end of the app; why it ended.
    async fn live(&self, project: &Project, run: &Run, stop: &CancellationToken) -> Result<String, MadeError> {
        let folder = project.app_folder()?;
        project.unpack(&run.commit, &folder).await?;
        let stack = Stack::at(&folder)?;
        let start = stack.start().ok_or(MadeError::Nothing)?;
        let job = self.job(project, &folder)?;
        for (command, reach) in [(stack.install(), Reach::Registries), (stack.build(), Reach::Nowhere)] {
            let Some(command) = command else { continue };
            let limits = Limits { time: Some(Duration::from_secs(600)), ..Limits::default() };
            let made = self.clone();
            let heard = move |piece: &[u8]| made.life().log.add(piece);
            let preparing = Job { command: command.clone(), limits, reach, ..job.clone() };
            let outcome = self.0.bench.run(&preparing, heard, stop).await.map_err(Problem::Bench)?;
            if !outcome.ended.is_success() {
                return Ok(format!("It could not be made ready: {} {}.", command.join(" "), outcome.ended));
            }
        }
        let job = Job { command: start, ..job };
        let launched = self.0.bench.launch(&job).map_err(Problem::Bench)?;
        Ok(self.attend(launched, &job, run, stop).await?)
    }

    async fn attend(
        &self,
        mut launched: Launched,
        job: &Job,
        run: &Run,
        stop: &CancellationToken,
    ) -> io::Result<String> {
        let mut said = launched.output;
        let made = self.clone();
        let listening = tokio::spawn(async move {
            while let Ok(Some(piece)) = said.next().await {
                made.life().log.add(&piece);
            }
        });
        let why = tokio::select! {
            ended = launched.leash.ending() => format!("It ended by itself: it {ended}."),
            () = outgrown(job, &launched.rest) => {
                format!("It was stopped: its folders held more than {} MiB. Nothing in them was removed.", job.limits.disk >> 20)
            }
            why = self.watch(run) => {
                launched.leash.ask_to_stop().await;
                launched.leash.ending().await;
                why
            }
            () = stop.cancelled() => {
                launched.leash.ask_to_stop().await;
                match launched.leash.ending().await {
                    Ended::Vanished => "It was stopped, together with what watched it.".to_owned(),
                    _ => "It was stopped.".to_owned(),
                }
            }
        };
        launched.rest.end(launched.leash).await?;
        // It ends with the app, whose words it hears.
        let _ = listening.await;
        Ok(why)
    }

    /// Waits until it listens, then until nobody has used it for long; why it has to stop.
    async fn watch(&self, run: &Run) -> String {
        let habits = self.0.habits;
        let listens = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, habits.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(habits.start, listens).await.is_err() {
            let seconds = habits.start.as_secs();
            return format!("It was stopped: after {seconds} seconds nothing listened at 127.0.0.1:{}.", habits.port);
        }
        let mut used = self.0.clock.now();
        loop {
            self.life().state = State::Running { run: run.clone(), used };
            self.tell();
            tokio::time::sleep(habits.look).await;
            let now = self.0.clock.now();
            if traffic::is_used(habits.port) {
                used = now;
            } else if (now - used).unsigned_abs() >= habits.idle {
                let minutes = habits.idle.as_secs() / 60;
                return format!(
                    "It stopped by itself: nobody had used it for {minutes} minutes. Start it again at any time."
                );
            }
        }
    }

    fn job(&self, project: &Project, folder: &Path) -> io::Result<Job> {
        let data = project.data_folder()?;
        Ok(Job {
            command: Vec::new(),
            folder: folder.to_owned(),
            changes_folder: true,
            writable: vec![data.clone(), project.cache()],
            readable: Vec::new(),
            env: vec![
                ("PORT", self.0.habits.port.to_string()),
                ("HOST", Ipv4Addr::LOCALHOST.to_string()),
                ("DATA", data.display().to_string()),
                ("NODE_ENV", "production".to_owned()),
                ("npm_config_cache", project.cache().display().to_string()),
            ],
            reach: Reach::Serve(self.0.habits.port),
            limits: Limits { time: None, ..Limits::default() },
            purpose: Some(crate::bench::Purpose { project: project.name().as_str().to_owned(), story: None }),
        })
    }

    fn life(&self) -> std::sync::MutexGuard<'_, Life> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests;
