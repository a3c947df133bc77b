//! Processes of this machine, as `/proc` shows them.

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

const PAUSE: Duration = Duration::from_millis(5);
/// Five seconds of pauses.
const PATIENCE: usize = 1000;

/// A process that cannot be mistaken for a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: u32,
    /// When the kernel started it, in its own count since boot.
    started: u64,
    /// The boot it belongs to, so that a count from before a reboot does not match.
    boot: [u8; 16],
}

impl Identity {
    /// The process that has this number now.
    pub(super) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, started: start_of(pid)?, boot: boot()? })
    }

    pub(super) fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Ends the process and, if it leads one, its group; returns once it is gone.
    pub(super) fn end(&self) -> io::Result<()> {
        for _ in 0..PATIENCE {
            if !self.is_alive() {
                return Ok(());
            }
            kill_group(self.pid);
            let _ = kill(Pid::from_raw(self.pid.cast_signed()), Signal::SIGKILL);
            sleep(PAUSE);
        }
        Err(io::Error::other(format!("process {} does not die", self.pid)))
    }
}

/// Asks a process to stop.
pub(super) fn ask_to_stop(pid: u32) {
    // It may have ended by itself; whoever waits for it notices.
    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM);
}

/// Kills what is left of the group that a process leads or led; without one, nothing.
pub(super) fn kill_group(leader: u32) {
    let _ = killpg(Pid::from_raw(leader.cast_signed()), Signal::SIGKILL);
}

/// Memory that a process and all below it hold for themselves, in bytes. Pages of the executable are
/// left out: all instances share one copy of them, and each would be charged for the whole of it.
pub(super) fn own_bytes(top: u32) -> u64 {
    let mut open = vec![top];
    let mut sum = 0;
    while let Some(pid) = open.pop() {
        sum += own_kilobytes(pid).unwrap_or(0) * 1024;
        open.extend(children(pid));
    }
    sum
}

fn own_kilobytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    };
    Some(field("RssAnon:")? + field("RssShmem:")?)
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|line| line.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Field 22 of the process's line, counted behind the name, which may hold blanks; none for one
/// that is dead and merely not yet waited for.
fn start_of(pid: u32) -> Option<u64> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn boot() -> Option<[u8; 16]> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: Vec<u8> = id.bytes().filter_map(|byte| char::from(byte).to_digit(16)).map(|d| d as u8).collect();
    let pairs: Vec<u8> = digits.chunks(2).filter_map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect();
    pairs.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_its_number() {
        let own = Identity::of(std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!Identity { started: own.started + 1, ..own }.is_alive());
        assert!(!Identity { boot: [0; 16], ..own }.is_alive());
        assert!(own_bytes(own.pid) > 100_000);
    }
}
