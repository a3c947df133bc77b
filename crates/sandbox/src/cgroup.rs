//! Groups of processes whose resources the kernel counts together: what all processes of an
//! instance may use up in sum, and a way to find and kill every one of them. Works with both
//! generations of the kernel's interface; on hosts where the server may not write to either,
//! there is no group and [`crate::Limits`] alone hold.

mod controllers;
mod procs;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Step};
use controllers::Hierarchy;
pub use controllers::{CgroupLimits, Controller};

/// A group of this host. Serialisable, so that what a crashed server left can be found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    /// One folder per hierarchy: several in the first generation, one in the second.
    folders: Vec<PathBuf>,
    /// The limits that are in force; the others this host does not offer.
    enforced: Vec<Controller>,
}

impl Cgroup {
    /// Makes the group `name` below the server's own group, or finds it, and sets its limits.
    ///
    /// # Errors
    /// If this host lets the server make no group at all: names the place and the cause.
    pub fn create(name: &str, limits: &CgroupLimits) -> io::Result<Self> {
        let mut group = Self { folders: Vec::new(), enforced: Vec::new() };
        let mut refusal = io::Error::other("no cgroup file system is mounted on this host");
        for hierarchy in Hierarchy::all()? {
            match hierarchy.create(name, limits) {
                Ok((folder, enforced)) => {
                    group.folders.push(folder);
                    group.enforced.extend(enforced);
                }
                Err(cause) => refusal = cause,
            }
        }
        if group.folders.is_empty() {
            return Err(refusal);
        }
        Ok(group)
    }

    /// The limits this group enforces.
    pub fn enforced(&self) -> &[Controller] {
        &self.enforced
    }

    /// Sends SIGKILL to every process in the group until none is left.
    ///
    /// # Errors
    /// If processes are still there after five seconds, which only the kernel itself can cause.
    pub fn kill_all(&self) -> io::Result<()> {
        procs::kill_all(&self.folders)
    }

    /// The processes in the group, by their numbers in the caller's process namespace.
    pub fn processes(&self) -> Vec<u32> {
        procs::list(&self.folders)
    }

    /// Bytes of memory in use by the group, if this host counts them.
    pub fn memory_bytes(&self) -> Option<u64> {
        ["memory.current", "memory.usage_in_bytes"]
            .iter()
            .flat_map(|file| self.folders.iter().map(move |folder| folder.join(file)))
            .find_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok())
    }

    /// Kills what is left in the group and removes it. Removing a group that is gone is fine.
    ///
    /// # Errors
    /// As [`Self::kill_all`], or if the host refuses the removal.
    pub fn remove(&self) -> io::Result<()> {
        self.kill_all()?;
        self.folders.iter().try_for_each(|folder| procs::remove_when_empty(folder))
    }

    pub(crate) fn membership_files(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| procs::file(folder)).collect()
    }
}

/// Puts this process, and with it all that come from it, into a group.
pub(crate) fn join(membership_files: &[PathBuf]) -> Result<(), Failure> {
    membership_files.iter().try_for_each(|file| {
        fs::write(file, "0")
            .step(format!("join {}", file.display()), "the group may have been removed; start the instance again")
    })
}

/// Which limits a group of this host would enforce, found out by making one.
pub(crate) fn available(name: &str) -> io::Result<Vec<Controller>> {
    let group = Cgroup::create(
        name,
        &CgroupLimits { memory_bytes: Some(64 << 20), processes: Some(64), cpu_thousandths: Some(1000) },
    )?;
    group.remove()?;
    Ok(group.enforced)
}

fn with_path(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |cause| io::Error::new(cause.kind(), format!("{path}: {cause}"))
}
