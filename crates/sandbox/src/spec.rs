//! What one sandbox is made of. A [`Spec`] travels as JSON on the command line, so it must hold
//! no secret: secret variables go through the environment and are only named here
//! ([`Spec::pass_env`]), because command lines can be read by every user of a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::order::Order;

/// Everything needed to run one program in isolation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub(crate) profile: Profile,
    pub(crate) hostname: String,
    #[serde(default)]
    pub(crate) starter: Option<u32>,
    #[serde(default)]
    pub(crate) cgroup: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) read_only: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) binds: Vec<Bind>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) pass_env: BTreeMap<String, String>,
    pub(crate) workdir: PathBuf,
    pub(crate) tmp_bytes: u64,
    pub(crate) limits: Limits,
    pub(crate) linger_seconds: u64,
}

/// Which of the two walls this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The outer wall: a network and a process table of its own, the program as process 1.
    Guard {
        /// Whose rights the guard runs with.
        identity: Identity,
    },
    /// The inner wall: always a user namespace, limits, and a system call filter. The network of
    /// whoever starts it is kept.
    Application,
}

/// Whose rights a guard runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The server is an ordinary user: a user namespace separates, files belong to that user.
    Namespace,
    /// The server is root: this user id (and group id), which nothing else on the host uses.
    Uid(u32),
}

/// One file or folder of the host that the program may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// Where it is for whoever starts the sandbox: a folder, a file or a Unix socket.
    pub source: PathBuf,
    /// Where the program finds it.
    pub target: PathBuf,
    /// What the program may do with it.
    pub access: Access,
}

/// What may be done with a [`Bind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Look, not change. (Connecting to a bound Unix socket works.)
    Read,
    /// Look and change.
    Write,
}

/// Limits the kernel keeps for each process of the application, or for its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Processes and threads of the instance's user together.
    pub processes: u64,
    /// Size of one file, in bytes.
    pub file_bytes: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Private memory of one process in bytes, for hosts without cgroups; `None` leaves memory to
    /// the cgroup.
    pub memory_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processes: 512, file_bytes: 2 << 30, open_files: 4096, memory_bytes: None }
    }
}

impl Spec {
    /// The outer wall around a guard. `hostname` is what the program believes its machine is
    /// called.
    pub fn guard(hostname: &str, identity: Identity) -> Self {
        Self::new(Profile::Guard { identity }, hostname, "/")
    }

    /// The inner wall around an application; `workdir` must be a folder of the view.
    pub fn application(hostname: &str, workdir: impl AsRef<Path>) -> Self {
        Self::new(Profile::Application, hostname, workdir)
    }

    fn new(profile: Profile, hostname: &str, workdir: impl AsRef<Path>) -> Self {
        Self {
            profile,
            hostname: hostname.to_owned(),
            starter: None,
            cgroup: Vec::new(),
            read_only: Vec::new(),
            binds: Vec::new(),
            env: BTreeMap::new(),
            pass_env: BTreeMap::new(),
            workdir: workdir.as_ref().to_owned(),
            tmp_bytes: 256 << 20,
            limits: Limits::default(),
            linger_seconds: 5,
        }
    }

    /// Shows one more file or folder; later ones may lie inside earlier ones.
    #[must_use]
    pub fn bind(mut self, source: impl Into<PathBuf>, target: impl Into<PathBuf>, access: Access) -> Self {
        self.binds.push(Bind { source: source.into(), target: target.into(), access });
        self
    }

    /// Shows a path of the host, read-only, at the place where it is; skipped where it is absent.
    #[must_use]
    pub fn read_only(mut self, path: impl Into<PathBuf>) -> Self {
        self.read_only.push(path.into());
        self
    }

    /// Sets a variable that anybody may know.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets `name` for the program from `source`, a variable of whoever starts the sandbox. This
    /// is the way for secrets. A missing source leaves `name` unset.
    #[must_use]
    pub fn pass_env(mut self, name: impl Into<String>, source: impl Into<String>) -> Self {
        self.pass_env.insert(name.into(), source.into());
        self
    }

    /// The process that starts the sandbox, so that its death before the sandbox could bind
    /// itself to it is noticed too.
    #[must_use]
    pub fn started_by(mut self, pid: u32) -> Self {
        self.starter = Some(pid);
        self
    }

    /// Puts everything into this group of the host's resource control.
    #[must_use]
    pub fn cgroup(mut self, group: &crate::Cgroup) -> Self {
        self.cgroup = group.membership_files();
        self
    }

    /// Replaces the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Size of the private `/tmp` in bytes.
    #[must_use]
    pub fn tmp_bytes(mut self, bytes: u64) -> Self {
        self.tmp_bytes = bytes;
        self
    }

    /// How long, after a stop was asked and the program itself ended, other processes of its
    /// group may still finish.
    #[must_use]
    pub fn linger_seconds(mut self, seconds: u64) -> Self {
        self.linger_seconds = seconds;
        self
    }

    /// The argument that [`crate::run_from_args`] understands.
    pub fn to_argument(&self) -> String {
        Order::Start(self.clone()).to_argument()
    }

    pub(crate) fn without_environment(&self) -> Self {
        Self { env: BTreeMap::new(), pass_env: BTreeMap::new(), ..self.clone() }
    }
}
