//! Dying together. The kernel sends SIGKILL to a process when the *thread* that started it ends,
//! so whoever starts a sandbox must do it from a thread that lives as long as itself.

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use crate::failure::{Failure, Step};

const ORPHANED: &str = "the process that started this sandbox is gone; nothing is left to do";

/// The parent at the start of a process, checked against the one expected.
pub(crate) fn parent(expected: Option<u32>) -> Result<u32, Failure> {
    let parent = getppid().as_raw().cast_unsigned();
    match expected {
        Some(pid) if pid != parent => Err(orphaned(pid, parent)),
        _ => Ok(parent),
    }
}

/// Binds this process to the life of its parent. Must come after every change of user id, which
/// silently undoes it; the second look at the parent closes the gap in between.
pub(crate) fn follow(parent: u32) -> Result<(), Failure> {
    bind_to_parent()?;
    let now = getppid().as_raw().cast_unsigned();
    if now == parent { Ok(()) } else { Err(orphaned(parent, now)) }
}

/// The same for process 1 of a namespace, whose parent has no number there: the old `/proc`, still
/// mounted, tells it.
pub(crate) fn follow_from_inside(parent: u32) -> Result<(), Failure> {
    bind_to_parent()?;
    let status =
        std::fs::read_to_string("/proc/self/status").step("read /proc/self/status", "mount /proc on this host")?;
    let now = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .and_then(|rest| rest.trim().parse().ok())
        .unwrap_or_default();
    if now == parent { Ok(()) } else { Err(orphaned(parent, now)) }
}

fn bind_to_parent() -> Result<(), Failure> {
    prctl::set_pdeathsig(Signal::SIGKILL).step("bind its life to its parent's", ORPHANED)
}

fn orphaned(expected: u32, found: u32) -> Failure {
    Failure::new("find its parent", format!("expected process {expected}, found {found}"), ORPHANED)
}
