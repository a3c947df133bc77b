//! The app made: what is done of a project, running behind the wall on port 3000.
//!
//! What holds: one app runs at a time; it has its own copy of the files and a data folder that stays;
//! it is told what it may know by variables and nothing else; it stops by itself when nobody has used
//! it for a while, with notice, since an hour in which it runs may cost something; and it is private
//! until an owner says otherwise, which is for the guard in front to heed.

mod address;
mod archive;
mod contents;
mod diary;
mod door;
mod log;
mod running;
mod sharing;
mod traffic;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use world::Clock;

use crate::bench::Bench;
use crate::history::Signature;
use crate::name::Name;
use crate::project::{CommitId, Problem, Project};
pub use address::Whereabouts;
pub use archive::write_archive;
pub use contents::{BACK_TO, Contents};
use diary::{Diary, Entry};
pub use diary::{Open, Wish};
pub use door::{Door, DoorError};
use log::Log;
pub use log::{Place, Said};
pub use sharing::SharingError;

/// Where the app listens; the guard in front expects it there.
pub const PORT: u16 = 3000;

/// So long after it stopped by itself, people are told on every page.
const NEWS: SignedDuration = SignedDuration::from_mins(30);

/// How the app is kept.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Where it listens.
    pub port: u16,
    /// How long it runs without a visitor.
    pub idle: Duration,
    /// How long before that people are told.
    pub notice: Duration,
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
            notice: Duration::from_secs(10 * 60),
            look: Duration::from_secs(15),
            start: Duration::from_secs(60),
        }
    }
}

/// To whom the app is shown, and where.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Where it is seen.
    pub whereabouts: Whereabouts,
    /// Who lets everybody see it, if the operator allows that.
    pub door: Option<Door>,
}

/// The app made; cheap to clone.
#[derive(Clone)]
pub struct Made(Arc<Inner>);

struct Inner {
    bench: Bench,
    clock: Clock,
    habits: Habits,
    shown: Shown,
    diary: Diary,
    now: Mutex<Life>,
    changed: watch::Sender<u64>,
    heard: watch::Sender<u64>,
    restarting: tokio::sync::Mutex<()>,
    switching: tokio::sync::Mutex<()>,
}

struct Life {
    state: State,
    log: Log,
    stop: CancellationToken,
}

/// How the app is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was never started.
    Never,
    /// It is installed and built, or does not listen yet.
    Starting(Run),
    /// It takes connections.
    Running {
        /// Which.
        run: Run,
        /// When somebody was last seen to use it, or wanted it to go on.
        used: Timestamp,
    },
    /// It does not run.
    Ended {
        /// Which did.
        run: Run,
        /// When it ended.
        at: Timestamp,
        /// Why.
        end: End,
    },
}

/// Why the app does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nobody had used it for so many minutes.
    Idle(u64),
    /// Something else, in a sentence.
    Otherwise(String),
}

/// What people are told of on every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It stops then, unless somebody uses it.
    Stops(Run, Timestamp),
    /// Then it stopped, since nobody had used it for so many minutes.
    Stopped(Run, Timestamp, u64),
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
    /// The app of a data folder. It is not started; one that ran when this program last ended is told of.
    ///
    /// # Errors
    /// When the record of it cannot be used.
    pub fn open(root: &Path, bench: Bench, clock: Clock, (habits, shown): (Habits, Shown)) -> io::Result<Self> {
        let diary = Diary::open(root)?;
        let mut state = State::Never;
        if let Some(run) = diary.run() {
            let why = "It ended together with the workspace, which was stopped or updated.".to_owned();
            let at = clock.now();
            diary.write(&Entry::Ended { at, why: why.clone() })?;
            state = State::Ended { run, at, end: End::Otherwise(why) };
        }
        let now = Mutex::new(Life { state, log: Log::default(), stop: CancellationToken::new() });
        let (changed, heard) = (watch::Sender::new(0), watch::Sender::new(0));
        Ok(Self(Arc::new(Inner {
            bench,
            clock,
            habits,
            shown,
            diary,
            now,
            changed,
            heard,
            restarting: tokio::sync::Mutex::default(),
            switching: tokio::sync::Mutex::default(),
        })))
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.life().state.clone()
    }

    /// Where it is seen.
    #[must_use]
    pub fn whereabouts(&self) -> &Whereabouts {
        &self.0.shown.whereabouts
    }

    /// The last it said.
    #[must_use]
    pub fn log(&self) -> Said {
        self.life().log.whole()
    }

    /// What it said after a place.
    #[must_use]
    pub fn log_since(&self, place: Place) -> Said {
        self.life().log.since(place)
    }

    /// Changes whenever its state does, or what people are told of it.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Changes whenever it says something.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<u64> {
        self.0.heard.subscribe()
    }

    /// How long it runs without a visitor.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.0.habits.idle
    }

    /// In how many clock hours of today (UTC) it ran, as far as this workspace saw.
    #[must_use]
    pub fn hours_today(&self) -> usize {
        self.0.diary.hours_of_day(self.0.clock.now())
    }

    /// What people are told of on every page, if there is something.
    #[must_use]
    pub fn news(&self) -> Option<News> {
        let now = self.0.clock.now();
        match self.state() {
            State::Running { run, used } => {
                self.is_to_stop(used, now).then(|| News::Stops(run, used.saturating_add(self.idle()).unwrap_or(now)))
            }
            State::Ended { run, at, end: End::Idle(minutes) } if now.duration_since(at) < NEWS => {
                Some(News::Stopped(run, at, minutes))
            }
            _ => None,
        }
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
            if is_up(&life.state) {
                return Err(MadeError::Busy);
            }
            let Run { vision, commit, since, by } = run.clone();
            self.0.diary.write(&Entry::Started { at: since, vision: vision.as_str().to_owned(), commit, by })?;
            *life = Life { state: State::Starting(run.clone()), log: Log::after(&life.log), stop: stop.clone() };
        }
        self.tell();
        let (made, project) = (self.clone(), project.clone());
        tokio::spawn(async move {
            let end = made.live(&project, &run, &stop).await.unwrap_or_else(|error| End::Otherwise(error.to_string()));
            made.end(run, end);
        });
        Ok(())
    }

    /// Stops a run, waits for its end, and starts what is done of the project by now. Where that run is over
    /// already, nothing happens: somebody else was faster.
    ///
    /// # Errors
    /// [`MadeError`]
    pub async fn restart(&self, project: &Project, since: Timestamp, by: &Signature) -> Result<(), MadeError> {
        let _turn = self.0.restarting.lock().await;
        let mut changed = self.changed();
        if self.since() != Some(since) {
            return Ok(());
        }
        self.stop();
        while self.since() == Some(since) {
            // The sender lives as long as this does.
            let _ = changed.changed().await;
        }
        match self.start(project, by).await {
            Err(MadeError::Busy) => Ok(()),
            started => started,
        }
    }

    /// Lets it run on as if somebody had used it now. Where it does not run, nothing happens.
    pub fn keep(&self) {
        let now = self.0.clock.now();
        if let State::Running { used, .. } = &mut self.life().state {
            *used = now;
        }
        self.tell();
    }

    /// Stops it; it has a few seconds to do so by itself. Where nothing runs, nothing happens.
    pub fn stop(&self) {
        self.life().stop.cancel();
    }

    fn end(&self, run: Run, end: End) {
        let at = self.0.clock.now();
        if let Err(error) = self.0.diary.write(&Entry::Ended { at, why: end.words() }) {
            tracing::warn!(%error, "That the app ended could not be written down: {error}");
        }
        self.life().state = State::Ended { run, at, end };
        self.tell();
    }

    /// Since when the app that is up is so.
    fn since(&self) -> Option<Timestamp> {
        match &self.life().state {
            State::Starting(run) | State::Running { run, .. } => Some(run.since),
            State::Never | State::Ended { .. } => None,
        }
    }

    /// Whether it stops so soon that people have to be told.
    fn is_to_stop(&self, used: Timestamp, now: Timestamp) -> bool {
        let Habits { idle, notice, .. } = self.0.habits;
        (now - used).unsigned_abs() >= idle.saturating_sub(notice)
    }

    fn life(&self) -> std::sync::MutexGuard<'_, Life> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, piece: &[u8]) {
        self.life().log.add(piece);
        self.0.heard.send_modify(|count| *count += 1);
    }

    fn tell(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }
}

impl End {
    /// Why, in a sentence or two.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Idle(minutes) => {
                format!("It stopped by itself: nobody had used it for {minutes} minutes. Start it again at any time.")
            }
            Self::Otherwise(why) => why.clone(),
        }
    }
}

fn is_up(state: &State) -> bool {
    matches!(state, State::Starting(_) | State::Running { .. })
}

#[cfg(test)]
mod tests;
