//! The third wall: one command of somebody else's, run inside a program that is itself behind the
//! other two, or behind none.
//!
//! It needs no namespace and no privilege, so it stands wherever Landlock does. What holds, as far
//! as [`Promises`] say so:
//!
//! - the command writes in its project folder and its temporary folder, reads those and the
//!   system's folders, and opens nothing else;
//! - it reaches the listed ports or a loopback of its own, and no other network: no datagrams, no
//!   raw or local sockets by name;
//! - it signals, traces and reads the memory and environment of no process but its own;
//! - when it ends, takes too long, grows too large, or whoever started it is gone, every process
//!   that came from it is killed, however it hid.
//!
//! What does not hold: names of processes and their command lines can be read in `/proc`, and
//! whether a file exists at a path that is guessed. Neither has to hold a secret.

mod calls;
mod descendants;
mod enclosure;
mod ending;
mod files;
mod network;
mod promises;
mod scope;
mod supervisor;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::order::{Order, SUBCOMMAND};

pub(crate) use enclosure::become_enclosed;
pub use ending::Ending;
pub(crate) use promises::report as report_promises;
pub use promises::{Loopback, Promises};
pub(crate) use supervisor::run as supervise;

/// The byte that asks a command to stop by itself, sent through the stream of [`Wall::command`].
pub const STOP: u8 = b'S';

/// Everything needed to run one command. Like a [`crate::Spec`] it travels on a command line, so
/// it must hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wall {
    pub(crate) project: PathBuf,
    pub(crate) temporary: PathBuf,
    pub(crate) project_is_read_only: bool,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) read_only: Vec<PathBuf>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) network: Network,
    pub(crate) limits: Limits,
    pub(crate) memory_in_all: Option<u64>,
    pub(crate) seconds: Option<u64>,
    pub(crate) linger_seconds: u64,
}

/// Where a command may connect to and listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nowhere.
    None,
    /// These TCP ports, wherever they are: what listens there has to be known. Where the kernel
    /// cannot tell ports apart, nowhere.
    Ports {
        /// Ports it may connect to.
        connect: BTreeSet<u16>,
        /// Ports it may listen on.
        listen: BTreeSet<u16>,
    },
    /// A loopback on which it can start servers and connect to them. It is one of its own where
    /// the kernel gives out network namespaces. Where it does not and this machine has no network
    /// but loopback, it is the machine's, ephemeral ports only. Elsewhere it is nowhere: a port is
    /// all that Landlock looks at, and the whole internet has ephemeral ports.
    Loopback {
        /// Ports of the machine's loopback that it may not use although they are ephemeral.
        except: BTreeSet<u16>,
    },
}

impl Wall {
    /// A wall around a command that works in `project` and keeps passing things in `temporary`;
    /// both exist. It has no network, no environment and the usual limits until told otherwise.
    pub fn around(project: impl Into<PathBuf>, temporary: impl Into<PathBuf>) -> Self {
        Self {
            project: project.into(),
            temporary: temporary.into(),
            project_is_read_only: false,
            writable: Vec::new(),
            read_only: Vec::new(),
            env: BTreeMap::new(),
            network: Network::None,
            limits: Limits { processes: 128, file_bytes: 256 << 20, open_files: 1024, memory_bytes: Some(1 << 30) },
            memory_in_all: Some(2 << 30),
            seconds: Some(600),
            linger_seconds: 5,
        }
    }

    /// Lets the command read its project folder and not change it.
    #[must_use]
    pub fn project_read_only(mut self) -> Self {
        self.project_is_read_only = true;
        self
    }

    /// Lets the command change one more folder, which exists.
    #[must_use]
    pub fn writable(mut self, path: impl Into<PathBuf>) -> Self {
        self.writable.push(path.into());
        self
    }

    /// Lets the command read one more file or folder and run what is in it; skipped where absent.
    #[must_use]
    pub fn read_only(mut self, path: impl Into<PathBuf>) -> Self {
        self.read_only.push(path.into());
        self
    }

    /// Sets a variable. The command has these and no others.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Replaces the network.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Replaces the limits. Processes are counted for this command alone, threads among them.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Bytes of memory that all its processes may have in use together.
    #[must_use]
    pub fn memory_in_all(mut self, bytes: Option<u64>) -> Self {
        self.memory_in_all = bytes;
        self
    }

    /// How long it may take; `None` for what is to run until it is stopped.
    #[must_use]
    pub fn seconds(mut self, seconds: Option<u64>) -> Self {
        self.seconds = seconds;
        self
    }

    /// How long it may go on after it was asked to stop.
    #[must_use]
    pub fn linger_seconds(mut self, seconds: u64) -> Self {
        self.linger_seconds = seconds;
        self
    }

    /// The command behind this wall, and the stream that holds it: a written [`STOP`] asks it to
    /// stop, the end of the stream (a drop, or the death of its holder) kills all of it at once,
    /// and what can be read from it is the [`Ending`]. `executable` calls
    /// [`crate::run_from_args`]; output is the caller's to set. The returned command holds the
    /// other end of the stream: drop it after the start.
    ///
    /// # Errors
    /// When the system has no more descriptors.
    pub fn command(&self, executable: &Path, command: &[OsString]) -> io::Result<(Command, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut starting = Command::new(executable);
        starting.arg(SUBCOMMAND).arg(Order::Wall(Box::new(self.clone())).to_argument()).arg("--").args(command);
        starting.env_clear().stdin(Stdio::from(OwnedFd::from(theirs)));
        Ok((starting, ours))
    }

    pub(crate) fn without_environment(&self) -> Self {
        Self { env: BTreeMap::new(), ..self.clone() }
    }
}
