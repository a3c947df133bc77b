//! A project: what is made of one vision, with everything it ever was.
//!
//! What holds: the repository lies outside of the folder that the project's code can write, and git
//! itself works behind the wall; nothing is ever deleted, since going back is a step forward to what
//! was before; and every change of a branch names the state it is made to, so that a step may run
//! twice.

mod carried;
mod git;
mod id;
mod path;
mod stack;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::bench::{Bench, BenchError};
use crate::folder::{Folder, Found};
use crate::name::Name;
pub use carried::BUNDLE;
use git::Git;
pub use git::{Problem, environment, hardened};
pub use id::{Branch, CommitId, Tag};
pub use path::FilePath;
pub use stack::{PYTHON_PACKAGES, SHOW_FILES, Stack, Tests};

/// The branch of what is done.
pub const MAIN: &str = "main";

/// The most commits that are listed.
const MOST_LISTED: usize = 500;

/// What is made of one vision.
#[derive(Clone)]
pub struct Project {
    name: Name,
    folder: PathBuf,
    git: Git,
}

/// One state of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Which.
    pub id: CommitId,
    /// When it was made.
    pub at: Timestamp,
    /// What it says of itself: a line, and more below it.
    pub message: String,
    /// The tags on it.
    pub tags: Vec<String>,
}

/// What a difference of two states says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file.
    pub path: String,
    /// Lines that are new; `None` for what is no text.
    pub added: Option<u64>,
    /// Lines that are gone.
    pub removed: Option<u64>,
}

/// How a merge went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// It is on the main branch, in this state.
    Done(CommitId),
    /// Both sides changed the same; these files.
    Conflict(Vec<String>),
}

impl Project {
    /// The project of a vision, in a folder of its own below `projects`, made where it is missing.
    ///
    /// # Errors
    /// When git or the disk cannot be used.
    pub async fn open(projects: &Path, name: &Name, bench: &Bench, now: Timestamp) -> Result<Self, Problem> {
        std::fs::create_dir_all(projects)?;
        let home = Folder::open(projects)?.enter_or_make(name.as_str())?;
        for inside in ["git", "work", "cache"] {
            home.enter_or_make(inside)?;
        }
        let folder = projects.canonicalize()?.join(name.as_str());
        let git = Git::new(bench.clone(), folder.join("git"), folder.join("work"));
        let project = Self { name: name.clone(), folder, git };
        project.git.begin(now).await?;
        Ok(project)
    }

    /// The vision's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The folder with the files of the branch that is worked on.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The folder in which installers keep what they fetched.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// What installers, and programs that use what they installed, have to know in one of its folders.
    #[must_use]
    pub fn variables(&self, folder: &Path) -> Vec<(&'static str, String)> {
        let cache = self.cache().display().to_string();
        let python = folder.join(PYTHON_PACKAGES).display().to_string();
        vec![("npm_config_cache", cache.clone()), ("PIP_CACHE_DIR", cache), ("PYTHONPATH", python)]
    }

    /// The folder with the app's own copy of the files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn app_folder(&self) -> io::Result<PathBuf> {
        self.inner_folder("app")
    }

    /// The folder with what the app keeps; it stays whatever becomes of the code.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn data_folder(&self) -> io::Result<PathBuf> {
        self.inner_folder("data")
    }

    /// The folder in which files are put together to be taken away.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn download_folder(&self) -> io::Result<PathBuf> {
        self.inner_folder("download")
    }

    fn inner_folder(&self, name: &str) -> io::Result<PathBuf> {
        Folder::open(&self.folder)?.enter_or_make(name)?;
        Ok(self.folder.join(name))
    }

    /// The state that a branch is in; `None` where there is no such branch.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, Problem> {
        self.git.resolve(&branch.full()).await
    }

    /// The state of what is done.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn main(&self) -> Result<CommitId, Problem> {
        self.head(&Branch::main()).await?.ok_or_else(|| Problem::Unexpected("the main branch is gone".to_owned()))
    }

    /// Makes a branch that begins at what is done, unless there is one already, and puts its files
    /// into the work folder: exactly those, apart from what installers made.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn work_on(&self, branch: &Branch) -> Result<CommitId, Problem> {
        let head = match self.head(branch).await? {
            Some(head) => head,
            None => {
                let main = self.main().await?;
                self.git.note_base(branch, &main).await?;
                self.git.move_branch(branch, &main, None).await?;
                main
            }
        };
        self.git.check_out(branch).await?;
        Ok(head)
    }

    /// Keeps what is in the work folder as the next state of a branch. The same again where nothing
    /// is different.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn keep(&self, branch: &Branch, message: &str, now: Timestamp) -> Result<CommitId, Problem> {
        let parent = self.head(branch).await?.ok_or_else(|| Problem::Unexpected(format!("{branch} is gone")))?;
        let tree = self.git.write_tree().await?;
        if tree == self.git.tree_of(&parent).await? {
            return Ok(parent);
        }
        let commit = self.git.commit(&tree, &[&parent], message, now).await?;
        self.git.move_branch(branch, &commit, Some(&parent)).await?;
        Ok(commit)
    }

    /// Puts files back into the work folder as they were in a state; tells which of them were
    /// different or gone.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn put_back(&self, from: &CommitId, files: &[FilePath]) -> Result<Vec<FilePath>, Problem> {
        let mut different = Vec::new();
        for file in files {
            let kept = self.git.show(from, file).await?;
            // What cannot be read, such as a link in its place, is different too.
            if self.read(file).ok().flatten().is_none_or(|bytes| bytes != kept) {
                self.write(file, &kept)?;
                different.push(file.clone());
            }
        }
        Ok(different)
    }

    /// Brings a branch into what is done. Where it is there already, nothing changes.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn merge(&self, branch: &Branch, message: &str, now: Timestamp) -> Result<Merged, Problem> {
        let (main, head) = (self.main().await?, self.head(branch).await?);
        let head = head.ok_or_else(|| Problem::Unexpected(format!("{branch} is gone")))?;
        if self.git.contains(&main, &head).await? {
            return Ok(Merged::Done(main));
        }
        let tree = match self.git.merge_trees(&main, &head).await? {
            Ok(tree) => tree,
            Err(files) => return Ok(Merged::Conflict(files)),
        };
        let commit = self.git.commit(&tree, &[&main, &head], message, now).await?;
        self.git.move_branch(&Branch::main(), &commit, Some(&main)).await?;
        Ok(Merged::Done(commit))
    }

    /// Gives a state a name that it keeps; a name that is given already stays where it is.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn tag(&self, tag: &Tag, commit: &CommitId) -> Result<(), Problem> {
        if self.git.resolve(&tag.full()).await?.is_none() {
            self.git.tag(tag, commit).await?;
        }
        Ok(())
    }

    /// The states of what is done, the newest first.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn history(&self) -> Result<Vec<Commit>, Problem> {
        self.git.log(&Branch::main(), MOST_LISTED).await
    }

    /// What changes from one state to another, file by file.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn changes(&self, from: &CommitId, to: &CommitId) -> Result<Vec<FileChange>, Problem> {
        self.git.changes(from, to).await
    }

    /// What changes from one state to another, line by line; of much, the beginning and the end.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn diff(&self, from: &CommitId, to: &CommitId) -> Result<String, Problem> {
        self.git.diff(from, to).await
    }

    /// What was done on a branch since it began, line by line; nothing where there is no such branch.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn work_of(&self, branch: &Branch) -> Result<String, Problem> {
        match (self.git.base_of(branch).await?, self.head(branch).await?) {
            (Some(base), Some(head)) => self.diff(&base, &head).await,
            _ => Ok(String::new()),
        }
    }

    /// Makes what is done the same as it was in a former state, as a new state after the present one,
    /// `based_on`, which was shown to whoever wants this.
    ///
    /// # Errors
    /// [`Problem`]; of them [`Problem::Moved`] when something was done meanwhile.
    pub async fn go_back(
        &self,
        to: &CommitId,
        based_on: &CommitId,
        message: &str,
        now: Timestamp,
    ) -> Result<CommitId, Problem> {
        let main = self.main().await?;
        if main != *based_on {
            return Err(Problem::Moved);
        }
        if !self.git.contains(&main, to).await? {
            return Err(Problem::Unexpected("that was never a state of what is done".to_owned()));
        }
        let tree = self.git.tree_of(to).await?;
        if tree == self.git.tree_of(&main).await? {
            return Ok(main);
        }
        let commit = self.git.commit(&tree, &[&main], message, now).await?;
        self.git.move_branch(&Branch::main(), &commit, Some(&main)).await?;
        Ok(commit)
    }

    /// Puts the files of a state into a folder, which holds them and nothing else afterwards, apart
    /// from what installers made there.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn unpack(&self, commit: &CommitId, folder: &Path) -> Result<(), Problem> {
        self.git.elsewhere(folder).unpack(commit).await
    }

    /// The paths of all files of a state.
    ///
    /// # Errors
    /// [`Problem`]
    pub async fn files(&self, commit: &CommitId) -> Result<Vec<String>, Problem> {
        self.git.files(commit).await
    }

    /// A file of the work folder; `None` where there is none. Links are not followed.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, path: &FilePath) -> io::Result<Option<Vec<u8>>> {
        read_below(&self.work(), path)
    }

    /// Writes a file of the work folder, and the folders it lies in.
    ///
    /// # Errors
    /// When the disk is full, or a link or a file is in the way.
    pub fn write(&self, path: &FilePath, bytes: &[u8]) -> io::Result<()> {
        let mut folder = Folder::open(&self.work())?;
        for name in path.folders() {
            folder = folder.enter_or_make(name)?;
        }
        folder.replace(path.file(), bytes)
    }
}

/// A file below a folder; `None` where there is none. Links are not followed.
fn read_below(folder: &Path, path: &FilePath) -> io::Result<Option<Vec<u8>>> {
    let mut folder = Folder::open(folder)?;
    for name in path.folders() {
        let Some(inside) = folder.enter(name)? else { return Ok(None) };
        folder = inside;
    }
    match folder.read(path.file())? {
        Found::File(bytes) => Ok(Some(bytes)),
        Found::Nothing => Ok(None),
        Found::Unreadable(why) => Err(io::Error::other(why)),
    }
}

impl From<BenchError> for Problem {
    fn from(error: BenchError) -> Self {
        Self::Bench(error)
    }
}

#[cfg(test)]
mod tests;
