//! What this host offers, found out by doing it in child processes: settings that forbid a feature
//! are many and differ from host to host, and a feature that works needs no reading of them.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::CloneFlags;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::order::{Order, SUBCOMMAND};
use crate::{Access, Identity, Spec, cgroup, ids, syscalls};

/// A user id that no account should have; only used while probing as root.
const PROBE_UID: u32 = 199_999;

/// What this host offers for isolation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Each feature looked at, the necessary ones first.
    pub features: Vec<Feature>,
}

/// One feature of the kernel or the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// What it is called.
    pub name: &'static str,
    /// Whether instances may run without it.
    pub necessary: bool,
    /// Whether it works here.
    pub available: bool,
    /// What was seen.
    pub reason: String,
    /// How to proceed where it is missing; empty where it works.
    pub remedy: &'static str,
}

impl Capabilities {
    /// Whether instances can be isolated.
    pub fn isolate(&self) -> bool {
        self.missing().next().is_none()
    }

    /// Why instances must not be started, and how to proceed; `None` when they may.
    pub fn refusal(&self) -> Option<String> {
        let missing: Vec<String> = self
            .missing()
            .map(|feature| format!("{} is missing ({}): {}", feature.name, feature.reason, feature.remedy))
            .collect();
        if missing.is_empty() {
            return None;
        }
        Some(format!(
            "This host cannot isolate instances from each other. {}. To run them without \
             isolation, on a machine where every customer is trusted, start with \
             --insecure-no-sandbox.",
            missing.join(". ")
        ))
    }

    fn missing(&self) -> impl Iterator<Item = &Feature> {
        self.features.iter().filter(|feature| feature.necessary && !feature.available)
    }
}

/// Probes with this executable, which must call [`crate::run_from_args`].
pub fn probe() -> Capabilities {
    probe_with(Path::new("/proc/self/exe"))
}

/// Probes with another executable that calls [`crate::run_from_args`].
pub fn probe_with(executable: &Path) -> Capabilities {
    let mut features: Vec<Feature> = TRIALS
        .iter()
        .map(|(trial, name, remedy)| feature(name, true, attempt(executable, &Order::Probe(*trial)), remedy))
        .collect();
    features.push(feature(
        "the whole sandbox",
        true,
        rehearse(executable),
        "the features above show what to change; on a container host, allow nested namespaces \
         and an unmasked /proc",
    ));
    features.push(resource_control());
    Capabilities { features }
}

/// One kernel feature to try in a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trial {
    UserNamespace,
    MountNamespace,
    ProcessNamespace,
    NetworkNamespace,
    SystemCallFilter,
}

const TRIALS: &[(Trial, &str, &str)] = &[
    (
        Trial::UserNamespace,
        "user namespaces",
        "allow them for ordinary users: sysctl user.max_user_namespaces > 0, on Debian \
         kernel.unprivileged_userns_clone=1, on Ubuntu \
         kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        Trial::MountNamespace,
        "mount namespaces",
        "use a kernel with CONFIG_NAMESPACES; in a container, grant the right to mount",
    ),
    (Trial::ProcessNamespace, "process namespaces", "use a kernel with CONFIG_PID_NS"),
    (Trial::NetworkNamespace, "network namespaces", "use a kernel with CONFIG_NET_NS"),
    (Trial::SystemCallFilter, "system call filters", "use a kernel with CONFIG_SECCOMP_FILTER"),
];

impl Trial {
    /// Tries the feature in this process, which is good for nothing else afterwards.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let flag = match self {
            Self::SystemCallFilter => return syscalls::deny_dangerous(),
            Self::UserNamespace => CloneFlags::empty(),
            Self::MountNamespace => CloneFlags::CLONE_NEWNS,
            Self::ProcessNamespace => CloneFlags::CLONE_NEWPID,
            Self::NetworkNamespace => CloneFlags::CLONE_NEWNET,
        };
        if geteuid().is_root() {
            if self != Self::UserNamespace {
                return ids::leave(flag);
            }
            // The application's namespace is made by the guard, which is not root.
            ids::become_user(PROBE_UID)?;
        }
        ids::enter_user_namespace(flag)
    }
}

fn feature(name: &'static str, necessary: bool, outcome: Result<String, String>, remedy: &'static str) -> Feature {
    let (available, reason) = match outcome {
        Ok(seen) => (true, seen),
        Err(seen) => (false, seen),
    };
    Feature { name, necessary, available, reason, remedy: if available { "" } else { remedy } }
}

/// Both walls, around a program that does nothing.
fn rehearse(executable: &Path) -> Result<String, String> {
    let exe = executable.canonicalize().map_err(|cause| format!("{}: {cause}", executable.display()))?;
    let identity = if geteuid().is_root() { Identity::Uid(PROBE_UID) } else { Identity::Namespace };
    let outer = Spec::guard("probe", identity).bind(exe, "/spinoff", Access::Read);
    let inner = Spec::application("probe", "/").to_argument();
    let command = ["/spinoff", SUBCOMMAND, &inner, "--", "/bin/sh", "-c", ":"];
    run(Command::new(executable).arg(SUBCOMMAND).arg(outer.to_argument()).arg("--").args(command))
}

fn attempt(executable: &Path, order: &Order) -> Result<String, String> {
    run(Command::new(executable).arg(SUBCOMMAND).arg(order.to_argument()).arg("--"))
}

fn run(command: &mut Command) -> Result<String, String> {
    let done = command.stdin(Stdio::null()).output().map_err(|cause| cause.to_string())?;
    if done.status.success() {
        return Ok("works".to_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    match said.lines().next() {
        Some(line) => Err(line.trim_start_matches("sandbox: ").to_owned()),
        None => Err(format!("ended with {}", done.status)),
    }
}

fn resource_control() -> Feature {
    let name = format!("spinoff-probe-{}", std::process::id());
    let outcome = cgroup::available(&name)
        .map(|controllers| format!("{controllers:?}"))
        .map_err(|cause: io::Error| cause.to_string());
    feature(
        "control groups",
        false,
        outcome,
        "memory and processor time are limited for each process only; to limit instances as a \
         whole, run the server as root, or as a systemd service with Delegate=yes",
    )
}
