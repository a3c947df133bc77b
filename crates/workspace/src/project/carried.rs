//! A project on its way: as one file that any git can clone, and out of one.

use std::path::{Path, PathBuf};

use super::git::Git;
use super::{Branch, CommitId, Problem, Project};
use crate::bench::Bench;

pub use super::git::BUNDLE;

impl Project {
    /// Writes everything that the project ever was into a file in an empty folder; gives the file.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn bundle(&self, folder: &Path) -> Result<PathBuf, Problem> {
        self.git.bundle(folder).await
    }

    /// Makes a new repository of the file [`BUNDLE`] in a folder; gives the state of what is done in it.
    ///
    /// # Errors
    /// [`Problem`], when the file is no such file too.
    pub async fn unbundle(bench: &Bench, folder: &Path, repository: &Path) -> Result<CommitId, Problem> {
        let git = Git::unbundle(bench, folder, repository).await?;
        let main = git.resolve(&Branch::main().full()).await?;
        main.ok_or_else(|| Problem::Unexpected("it has no main branch".to_owned()))
    }

    /// Whether what is done is, or once was, in this state.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn has_been(&self, state: &CommitId) -> Result<bool, Problem> {
        match self.git.resolve(state.as_str()).await? {
            Some(known) => self.git.contains(&self.main().await?, &known).await,
            None => Ok(false),
        }
    }

    /// Where the repository keeps what it holds.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.folder.join("git/objects")
    }
}
