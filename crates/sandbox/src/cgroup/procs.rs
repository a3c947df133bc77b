//! The processes of a group.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::with_path;

const PAUSE: Duration = Duration::from_millis(5);
/// Five seconds of pauses.
const PATIENCE: usize = 1000;

/// The file that lists a group's processes, and that a process joins by.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("cgroup.procs")
}

pub(super) fn list(folders: &[PathBuf]) -> Vec<u32> {
    let mut found: Vec<u32> = folders
        .iter()
        .filter_map(|folder| fs::read_to_string(file(folder)).ok())
        .flat_map(|text| text.lines().filter_map(|line| line.trim().parse().ok()).collect::<Vec<_>>())
        // Processes that joined from elsewhere show as 0: their numbers say nothing here.
        .filter(|pid| *pid != 0)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Again and again, since processes may start others until each is hit.
pub(super) fn kill_all(folders: &[PathBuf]) -> io::Result<()> {
    for _ in 0..PATIENCE {
        for folder in folders {
            // Only the second generation has it; elsewhere the signals below do the work.
            let _ = fs::write(folder.join("cgroup.kill"), "1");
        }
        let left = list(folders);
        if left.is_empty() {
            return Ok(());
        }
        for pid in left {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
        sleep(PAUSE);
    }
    Err(io::Error::other(format!(
        "processes {:?} do not die; the kernel holds them, most often in a file system call",
        list(folders)
    )))
}

/// A group stays busy for a moment after its last process.
pub(super) fn remove_when_empty(folder: &Path) -> io::Result<()> {
    for _ in 0..PATIENCE {
        match fs::remove_dir(folder) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) if cause.kind() == io::ErrorKind::ResourceBusy => sleep(PAUSE),
            other => return other.map_err(with_path(folder)),
        }
    }
    fs::remove_dir(folder).map_err(with_path(folder))
}
