//! Projects are pushed to a git remote.
//!
//! What holds: only what is done is pushed, and names of states; nothing there is ever overwritten; the
//! token goes to its own host and nowhere else, not onto a command line, into a log or an error; and a
//! push goes on when whoever clicked leaves the page.

mod address;
mod errand;
mod journal;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use world::Clock;

pub use address::Address;
pub use errand::{Errand, Patience, Ways};
pub use journal::{Outcome, Push};

use crate::folder::Folder;
use crate::history::Signature;
use crate::name::Name;
use crate::transit::Passing;

/// All pushes; cheap to clone.
#[derive(Clone)]
pub struct Pushes(Arc<Inner>);

struct Inner {
    root: PathBuf,
    ways: Ways,
    patience: Patience,
    clock: Clock,
    /// Projects that are being pushed, and how far.
    under_way: Mutex<BTreeMap<Name, String>>,
    changed: watch::Sender<u64>,
    closing: CancellationToken,
}

impl Pushes {
    /// Pushes of the projects in a data folder.
    #[must_use]
    pub fn new(root: &Path, ways: Ways, patience: Patience, clock: Clock) -> Self {
        let (under_way, changed, closing) = (Mutex::default(), watch::Sender::new(0), CancellationToken::new());
        Self(Arc::new(Inner { root: root.to_owned(), ways, patience, clock, under_way, changed, closing }))
    }

    /// Changes whenever a push goes on.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// How far the push of a project is; `None` while there is none.
    #[must_use]
    pub fn progress(&self, project: &Name) -> Option<String> {
        self.under_way().get(project).cloned()
    }

    /// What was ever pushed of a project, the oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(&self, project: &Name) -> io::Result<Vec<Push>> {
        match self.folder(project)? {
            Some(folder) => journal::all(&folder),
            None => Ok(Vec::new()),
        }
    }

    /// Starts to push, and returns at once. `after` is how many pushes there were when whoever wants
    /// this looked: after one more, nothing is done.
    ///
    /// # Errors
    /// When it cannot be written down; nothing is pushed then.
    pub fn start(&self, project: &Name, errand: Errand, after: usize, by: &Signature) -> io::Result<()> {
        let mut under_way = self.under_way();
        let Some(folder) = self.folder(project)? else { return Ok(()) };
        if under_way.contains_key(project) || journal::all(&folder)?.len() != after {
            return Ok(());
        }
        let push = Push {
            at: by.at,
            by: by.by.to_string(),
            to: errand.address.to_string(),
            commit: errand.commit.clone(),
            outcome: None,
        };
        journal::begin(&folder, &push, errand.tags.iter().map(|(tag, _)| tag.clone()).collect())?;
        under_way.insert(project.clone(), String::new());
        drop(under_way);
        self.tell();
        let (pushes, project) = (self.clone(), project.clone());
        tokio::spawn(async move { pushes.push(&project, &errand).await });
        Ok(())
    }

    /// Breaks off whatever is under way.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    async fn push(&self, project: &Name, errand: &Errand) {
        let heard = |progress: String| {
            if !progress.is_empty() {
                self.under_way().insert(project.clone(), progress);
                self.tell();
            }
        };
        let outcome = match Passing::begin(&self.0.root) {
            Ok(room) => errand.run(&self.0.ways, self.0.patience, room.path(), heard, &self.0.closing).await,
            Err(error) => {
                Err(format!("The data folder cannot be used ({error}). Make room on the disk and try again."))
            }
        };
        let outcome = outcome.map_or_else(Outcome::Failed, |()| Outcome::Pushed);
        let written = self.folder(project).and_then(|folder| match folder {
            Some(folder) => journal::end(&folder, self.0.clock.now(), outcome),
            None => Ok(()),
        });
        if let Err(error) = written {
            tracing::error!(%error, "How a push ended cannot be written down: {error}");
        }
        self.under_way().remove(project);
        self.tell();
    }

    fn folder(&self, project: &Name) -> io::Result<Option<Folder>> {
        match Folder::open(&self.0.root)?.enter("projects")? {
            Some(projects) => projects.enter(project.as_str()),
            None => Ok(None),
        }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<Name, String>> {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests;
