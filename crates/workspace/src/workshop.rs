//! Where the team works: the workbench, the sprints, the projects and the app made, over one data
//! folder.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use world::Clock;

use crate::bench::{Bench, BenchError, Tools};
use crate::events::Changes;
use crate::folder::Folder;
use crate::made::{Habits, Made, Shown};
use crate::model::Model;
use crate::name::Name;
use crate::project::{Problem, Project};
use crate::remote::{Patience, Pushes, Ways};
use crate::sprint::Sprints;

/// Open pages hear of work this often at most.
const BREATH: Duration = Duration::from_secs(1);

/// All that works; cheap to clone.
#[derive(Clone)]
pub struct Workshop {
    root: PathBuf,
    clock: Clock,
    /// Runs commands.
    pub bench: Bench,
    /// The sprints.
    pub sprints: Sprints,
    /// The app made.
    pub made: Made,
    /// Pushes projects elsewhere.
    pub pushes: Pushes,
}

/// Why the workshop cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// The workbench cannot be used.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// The disk failed.
    #[error("the data folder cannot be used ({0})")]
    Disk(#[from] io::Error),
}

impl Workshop {
    /// The workshop in a data folder. `executable` is this program, which hands over to the sandbox
    /// when told to. Nothing is worked on yet.
    ///
    /// # Errors
    /// [`WorkshopError`]
    pub fn open(
        root: &Path,
        executable: PathBuf,
        tools: Tools,
        model: Model,
        clock: Clock,
        made: (Habits, Shown),
    ) -> Result<Self, WorkshopError> {
        let ways = Ways { programs: tools.programs.clone(), proxy: tools.proxy.clone() };
        let pushes = Pushes::new(root, ways, Patience::default(), clock.clone());
        let bench = Bench::open(&root.join("bench"), executable, tools, clock.clone())?;
        let sprints = Sprints::open(root, bench.clone(), model, clock.clone())?;
        let made = Made::open(root, bench.clone(), clock.clone(), made)?;
        Ok(Self { root: root.to_owned(), clock, bench, sprints, made, pushes })
    }

    /// The data folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The open data folder.
    ///
    /// # Errors
    /// When it is gone.
    pub fn folder(&self) -> io::Result<Folder> {
        Folder::open(&self.root)
    }

    /// The project of a vision.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn project(&self, vision: &Name) -> Result<Project, Problem> {
        Project::open(&self.root.join("projects"), vision, &self.bench, self.clock.now()).await
    }

    /// Whether a vision has a project yet.
    #[must_use]
    pub fn has_project(&self, vision: &Name) -> bool {
        self.root.join("projects").join(vision.as_str()).is_dir()
    }

    /// Tells open pages of everything that happens here, until `closing`; then all work is broken off.
    pub async fn tell(self, changes: Changes, mut closing: watch::Receiver<bool>) {
        let (mut written, mut changed) = (self.sprints.shelf().written(), self.made.changed());
        let mut pushed = self.pushes.changed();
        loop {
            // The senders live as long as this does.
            tokio::select! {
                _ = written.changed() => changes.stir(),
                _ = changed.changed() => changes.app(),
                _ = pushed.changed() => changes.stir(),
                _ = closing.wait_for(|closing| *closing) => break,
            }
            tokio::time::sleep(BREATH).await;
        }
        self.made.stop();
        self.pushes.close();
        self.sprints.close().await;
    }
}
