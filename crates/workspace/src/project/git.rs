//! The git program, behind the wall, told everything and allowed to find out nothing by itself.

mod bundle;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use bundle::BUNDLE;

use super::{Branch, Commit, CommitId, FileChange, FilePath, MAIN, Tag};
use crate::bench::{Bench, BenchError, Ended, Job, Limits, Output, Reach};

/// What is told on every command line. Hooks, filters and helpers would run programs that the
/// project chose; links would lead readers out of its folder.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.bare", "false"),
    ("core.symlinks", "false"),
    ("core.quotePath", "false"),
    ("core.fsync", "committed,reference"),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("protocol.allow", "never"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("init.defaultBranch", MAIN),
    ("safe.directory", "*"),
    ("advice.detachedHead", "false"),
];

const IDENTITY: (&str, &str) = ("AI-DIY", "team@ai-diy.invalid");

/// What installers make, which is made again rather than kept.
const NOT_KEPT: &str = "node_modules/\n__pycache__/\n.venv/\n.ai-diy-*\n";

/// Between fields and between records of a list; texts do not hold them.
const FIELD: char = '\u{1f}';
const RECORD: char = '\u{1e}';

/// What every git is told on its command line, before what it is to do.
pub fn hardened() -> impl Iterator<Item = String> {
    SETTINGS.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
}

/// A tree of files, by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree(CommitId);

/// Why something did not go with a project's history.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no git here.
    #[error("The program git is not on this machine, and projects are kept with it. Install git, then try again.")]
    NoGit,
    /// Something was done meanwhile.
    #[error("The project has changed in the meantime. Nothing was changed now: look at it again.")]
    Moved,
    /// A folder of the project is a repository of its own, whose files could not be kept.
    #[error("The folder “{0}” is a git repository of its own, so its files cannot be kept. Remove its .git folder.")]
    Nested(String),
    /// git said no.
    #[error("The project's history cannot be used: {0}. Try again; if it stays so, look at the project's git folder.")]
    Unexpected(String),
    /// It could not be run.
    #[error(transparent)]
    Bench(BenchError),
    /// The disk failed or is full.
    #[error("The project's folder cannot be used ({0}). Make room on the disk and try again.")]
    Disk(#[from] std::io::Error),
}

/// A repository and a folder with files of it.
#[derive(Clone)]
pub(super) struct Git {
    bench: Bench,
    repository: PathBuf,
    work: PathBuf,
}

struct Done {
    output: Output,
    errors: String,
    code: i32,
}

impl Git {
    pub(super) fn new(bench: Bench, repository: PathBuf, work: PathBuf) -> Self {
        Self { bench, repository, work }
    }

    /// The same repository with another folder, and with an index of its own.
    pub(super) fn elsewhere(&self, folder: &Path) -> Self {
        Self { work: folder.to_owned(), ..self.clone() }
    }

    /// Makes the repository and its first state, as far as they are missing.
    pub(super) async fn begin(&self, now: Timestamp) -> Result<(), Problem> {
        let repository = self.repository.display().to_string();
        done_well(self.execute(&["init", "--quiet", "--bare", &repository], environment(now)).await?)?;
        std::fs::create_dir_all(self.repository.join("info"))?;
        std::fs::write(self.repository.join("info/exclude"), NOT_KEPT)?;
        if self.resolve(&Branch::main().full()).await?.is_none() {
            let empty = self.hash(&["hash-object", "-t", "tree", "-w", "/dev/null"]).await?;
            let first = self.commit(&Tree(empty), &[], "The project begins", now).await?;
            self.move_branch(&Branch::main(), &first, None).await?;
        }
        Ok(())
    }

    pub(super) async fn resolve(&self, full: &str) -> Result<Option<CommitId>, Problem> {
        let wanted = format!("{full}^{{commit}}");
        let done = self.attempt(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], None).await?;
        match done.code {
            0 => Ok(Some(parse_hash(&done.output.text())?)),
            1 => Ok(None),
            _ => Err(unexpected(&done)),
        }
    }

    pub(super) async fn tree_of(&self, commit: &CommitId) -> Result<Tree, Problem> {
        let wanted = format!("{}^{{tree}}", commit.as_str());
        self.hash(&["rev-parse", "--verify", "--end-of-options", &wanted]).await.map(Tree)
    }

    /// Whether `inner` is `outer` or came before it.
    pub(super) async fn contains(&self, outer: &CommitId, inner: &CommitId) -> Result<bool, Problem> {
        let done = self.attempt(&["merge-base", "--is-ancestor", inner.as_str(), outer.as_str()], None).await?;
        match done.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(unexpected(&done)),
        }
    }

    /// Keeps what a branch begins at; before the branch itself, so that every branch has it.
    pub(super) async fn note_base(&self, branch: &Branch, base: &CommitId) -> Result<(), Problem> {
        self.run(&["update-ref", &branch.base(), base.as_str()]).await.map(|_| ())
    }

    pub(super) async fn base_of(&self, branch: &Branch) -> Result<Option<CommitId>, Problem> {
        self.resolve(&branch.base()).await
    }

    pub(super) async fn check_out(&self, branch: &Branch) -> Result<(), Problem> {
        self.remove_old_locks()?;
        self.run(&["symbolic-ref", "HEAD", &branch.full()]).await?;
        self.run(&["reset", "--quiet", "--hard"]).await?;
        self.run(&["clean", "-ffdxq", "-e", "node_modules", "-e", ".venv"]).await?;
        Ok(())
    }

    pub(super) async fn unpack(&self, commit: &CommitId) -> Result<(), Problem> {
        // The index of the work folder is not this folder's.
        let index = self.repository.join("index-elsewhere").display().to_string();
        let arguments = ["read-tree", "--reset", "-u", commit.as_str()];
        done_well(self.attempt_with(&arguments, None, &[("GIT_INDEX_FILE", index.clone())]).await?)?;
        let clean = ["clean", "-ffdxq", "-e", "node_modules", "-e", ".venv"];
        done_well(self.attempt_with(&clean, None, &[("GIT_INDEX_FILE", index)]).await?)?;
        Ok(())
    }

    /// The files of the work folder as a tree.
    pub(super) async fn write_tree(&self) -> Result<Tree, Problem> {
        self.remove_old_locks()?;
        self.run(&["add", "--all", "--", "."]).await?;
        let staged = self.run(&["ls-files", "--stage", "-z"]).await?.text();
        if let Some(entry) = staged.split('\0').find(|entry| entry.starts_with("160000 ")) {
            let path = entry.split_once('\t').map_or("", |(_, path)| path);
            return Err(Problem::Nested(path.to_owned()));
        }
        self.hash(&["write-tree"]).await.map(Tree)
    }

    pub(super) async fn commit(
        &self,
        tree: &Tree,
        parents: &[&CommitId],
        message: &str,
        now: Timestamp,
    ) -> Result<CommitId, Problem> {
        let mut arguments = vec!["commit-tree", tree.0.as_str()];
        for parent in parents {
            arguments.extend(["-p", parent.as_str()]);
        }
        arguments.extend(["-m", message]);
        let done = done_well(self.attempt(&arguments, Some(now)).await?)?;
        parse_hash(&done.output.text())
    }

    /// Moves a branch from the state it is known to be in; `None` for one that does not exist.
    pub(super) async fn move_branch(
        &self,
        branch: &Branch,
        to: &CommitId,
        from: Option<&CommitId>,
    ) -> Result<(), Problem> {
        let nothing = "0".repeat(to.as_str().len());
        let from = from.map_or(nothing.as_str(), CommitId::as_str);
        let done = self.attempt(&["update-ref", &branch.full(), to.as_str(), from], None).await?;
        if done.code == 0 {
            return Ok(());
        }
        if self.resolve(&branch.full()).await?.as_ref() == Some(to) {
            return Ok(());
        }
        if done.errors.contains("is at") || done.errors.contains("already exists") {
            return Err(Problem::Moved);
        }
        Err(unexpected(&done))
    }

    pub(super) async fn tag(&self, tag: &Tag, commit: &CommitId) -> Result<(), Problem> {
        self.run(&["update-ref", &tag.full(), commit.as_str(), ""]).await.map(|_| ())
    }

    /// The tree of two states together, or the files that both changed.
    pub(super) async fn merge_trees(
        &self,
        main: &CommitId,
        other: &CommitId,
    ) -> Result<Result<Tree, Vec<String>>, Problem> {
        let arguments =
            ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", main.as_str(), other.as_str()];
        let done = self.attempt(&arguments, None).await?;
        let text = done.output.text();
        let mut parts = text.split('\0').filter(|part| !part.is_empty());
        let tree = parts.next().unwrap_or_default();
        match done.code {
            0 => Ok(Ok(Tree(parse_hash(tree)?))),
            1 => Ok(Err(parts.map(str::to_owned).collect())),
            _ => Err(unexpected(&done)),
        }
    }

    pub(super) async fn show(&self, commit: &CommitId, file: &FilePath) -> Result<Vec<u8>, Problem> {
        let object = format!("{}:{file}", commit.as_str());
        let output = self.run(&["cat-file", "blob", &object]).await?;
        output.into_bytes().ok_or_else(|| Problem::Unexpected(format!("{file} is too large")))
    }

    pub(super) async fn files(&self, commit: &CommitId) -> Result<Vec<String>, Problem> {
        let text = self.run(&["ls-tree", "-r", "-z", "--name-only", commit.as_str()]).await?.text();
        Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    pub(super) async fn log(&self, branch: &Branch, most: usize) -> Result<Vec<Commit>, Problem> {
        let format = format!("--format=%H{FIELD}%ct{FIELD}%D{FIELD}%B{RECORD}");
        let most = format!("--max-count={most}");
        let text =
            self.run(&["log", "--first-parent", "--decorate=full", &most, &format, &branch.full()]).await?.text();
        text.split(RECORD).map(str::trim_start).filter(|record| !record.is_empty()).map(read_commit).collect()
    }

    pub(super) async fn changes(&self, from: &CommitId, to: &CommitId) -> Result<Vec<FileChange>, Problem> {
        let arguments =
            ["diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--numstat", "-z", from.as_str(), to.as_str()];
        let text = self.run(&arguments).await?.text();
        let change = |entry: &str| {
            let mut fields = entry.splitn(3, '\t');
            let (added, removed, path) = (fields.next()?, fields.next()?, fields.next()?);
            Some(FileChange { path: path.to_owned(), added: added.parse().ok(), removed: removed.parse().ok() })
        };
        Ok(text.split('\0').filter_map(change).collect())
    }

    pub(super) async fn diff(&self, from: &CommitId, to: &CommitId) -> Result<String, Problem> {
        let arguments =
            ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", from.as_str(), to.as_str()];
        Ok(self.run(&arguments).await?.text())
    }

    /// Whoever held a lock is gone: only one program works here, and one step at a time.
    fn remove_old_locks(&self) -> Result<(), Problem> {
        match std::fs::remove_file(self.repository.join("index.lock")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn hash(&self, arguments: &[&str]) -> Result<CommitId, Problem> {
        parse_hash(&self.run(arguments).await?.text())
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output, Problem> {
        Ok(done_well(self.attempt(arguments, None).await?)?.output)
    }

    async fn attempt(&self, arguments: &[&str], now: Option<Timestamp>) -> Result<Done, Problem> {
        self.attempt_with(arguments, now, &[]).await
    }

    async fn attempt_with(
        &self,
        arguments: &[&str],
        now: Option<Timestamp>,
        more: &[(&'static str, String)],
    ) -> Result<Done, Problem> {
        let mut env = environment(now.unwrap_or(Timestamp::UNIX_EPOCH));
        env.push(("GIT_DIR", self.repository.display().to_string()));
        env.push(("GIT_WORK_TREE", self.work.display().to_string()));
        env.extend(more.iter().cloned());
        self.execute(arguments, env).await
    }

    async fn execute(&self, arguments: &[&str], env: Vec<(&'static str, String)>) -> Result<Done, Problem> {
        let mut command = vec!["git".to_owned()];
        command.extend(hardened());
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let job = Job {
            command,
            folder: self.work.clone(),
            changes_folder: true,
            writable: vec![self.repository.clone()],
            readable: Vec::new(),
            env,
            reach: Reach::Nowhere,
            limits: Limits { time: Some(Duration::from_secs(300)), disk: 8 << 30, ..Limits::default() },
            purpose: None,
        };
        let outcome = self.bench.run(&job, |_| (), &CancellationToken::new()).await?;
        let errors = outcome.errors.tail(1000);
        match outcome.ended {
            Ended::Told(sandbox::Ending::Exited(sandbox::EXIT_NOT_FOUND)) => Err(Problem::NoGit),
            Ended::Told(sandbox::Ending::Exited(code)) => Ok(Done { output: outcome.output, errors, code }),
            other => Err(Problem::Unexpected(format!("git {} {other}", arguments.first().unwrap_or(&"")))),
        }
    }
}

/// Who works here and when, and where nothing is to be looked for.
pub fn environment(now: Timestamp) -> Vec<(&'static str, String)> {
    let at = format!("@{} +0000", now.as_second());
    [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("GIT_AUTHOR_NAME", IDENTITY.0),
        ("GIT_AUTHOR_EMAIL", IDENTITY.1),
        ("GIT_COMMITTER_NAME", IDENTITY.0),
        ("GIT_COMMITTER_EMAIL", IDENTITY.1),
        ("GIT_AUTHOR_DATE", &at),
        ("GIT_COMMITTER_DATE", &at),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn done_well(done: Done) -> Result<Done, Problem> {
    if done.code == 0 { Ok(done) } else { Err(unexpected(&done)) }
}

fn unexpected(done: &Done) -> Problem {
    let said = done.errors.lines().next().unwrap_or("git gave no reason");
    Problem::Unexpected(said.trim_start_matches("fatal: ").to_owned())
}

fn parse_hash(text: &str) -> Result<CommitId, Problem> {
    CommitId::parse(text.trim()).ok_or_else(|| Problem::Unexpected("git's answer was not understood".to_owned()))
}

fn read_commit(record: &str) -> Result<Commit, Problem> {
    let mut fields = record.splitn(4, FIELD);
    let mut next = || fields.next().unwrap_or_default();
    let (id, at, names, message) = (next(), next(), next(), next());
    let second = at.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    let tags = names.split(", ").filter_map(|name| name.strip_prefix("tag: refs/tags/")).map(str::to_owned);
    Ok(Commit {
        id: parse_hash(id)?,
        at: second.ok_or_else(|| Problem::Unexpected("git's times were not understood".to_owned()))?,
        message: message.trim().to_owned(),
        tags: tags.collect(),
    })
}
