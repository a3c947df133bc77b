//! A whole repository as one file that any git can clone, and back.

use std::path::{Path, PathBuf};

use super::{Git, MAIN, NOT_KEPT, Problem, environment};
use crate::bench::Bench;

/// The file's name.
pub const BUNDLE: &str = "project.bundle";

/// Everything that a repository here holds.
const KEPT: [&str; 3] = ["heads", "tags", "bases"];

impl Git {
    /// Writes everything that the repository holds into a file in an empty folder.
    pub(in crate::project) async fn bundle(&self, folder: &Path) -> Result<PathBuf, Problem> {
        // HEAD follows the work, and whoever clones wants what is done: so the file is made from a
        // git folder that shares everything but HEAD.
        std::fs::write(folder.join("HEAD"), format!("ref: refs/heads/{MAIN}\n"))?;
        std::fs::write(folder.join("commondir"), format!("{}\n", self.repository.display()))?;
        let shared = Self::new(self.bench.clone(), folder.to_owned(), self.repository.clone());
        let file = folder.join(BUNDLE);
        let to = file.display().to_string();
        // Git works in the repository, where HEAD is the name of a file too: hence the last word.
        shared.run(&["bundle", "create", "--quiet", &to, "HEAD", "--glob=refs/*", "--"]).await?;
        Ok(file)
    }

    /// Makes a new repository of what such a file holds. It lies in `folder`; nothing that is wrong in
    /// it is taken.
    pub(in crate::project) async fn unbundle(bench: &Bench, folder: &Path, repository: &Path) -> Result<Self, Problem> {
        let git = Self::new(bench.clone(), repository.to_owned(), folder.to_owned());
        let path = repository.display().to_string();
        let begun = ["init", "--quiet", "--bare", &path];
        super::done_well(git.execute(&begun, environment(jiff::Timestamp::UNIX_EPOCH)).await?)?;
        std::fs::create_dir_all(repository.join("info"))?;
        std::fs::write(repository.join("info/exclude"), NOT_KEPT)?;
        let file = folder.join(BUNDLE).display().to_string();
        let refs = KEPT.map(|kind| format!("+refs/{kind}/*:refs/{kind}/*"));
        let mut arguments = vec!["-c", "protocol.file.allow=always", "-c", "transfer.fsckObjects=true", "fetch"];
        // Nothing works in the new repository yet, whatever its HEAD says.
        arguments.extend(["--quiet", "--no-tags", "--update-head-ok", "--no-write-fetch-head", &file]);
        arguments.extend(refs.iter().map(String::as_str));
        git.run(&arguments).await?;
        Ok(git)
    }
}
