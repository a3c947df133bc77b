//! What runs of a project, noted so that the next server can remove what this one leaves in a
//! crash.

use std::fs;
use std::io::ErrorKind;

use sandbox::Cgroup;
use serde::{Deserialize, Serialize};

use super::folder::{Folder, fault, write_private};
use super::processes::Identity;
use crate::ProviderError;

/// The outermost process of an instance and the group all its processes are in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) process: Option<Identity>,
    pub(super) group: Option<Cgroup>,
}

impl Running {
    pub(super) fn note(&self, folder: &Folder) -> Result<(), ProviderError> {
        write_private(&folder.running(), self)
    }

    /// Ends every process and removes the group.
    pub(super) fn end(&self) -> std::io::Result<()> {
        if let Some(process) = &self.process {
            process.end()?;
        }
        match &self.group {
            Some(group) => group.remove(),
            None => Ok(()),
        }
    }
}

/// Ends and forgets whatever the note speaks of; fine when there is none.
pub(super) fn clear(folder: &Folder) -> Result<(), ProviderError> {
    let path = folder.running();
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(fault("read", &path)(cause)),
    };
    // A note that does not read was never finished, so nothing was started after it.
    if let Ok(running) = serde_json::from_slice::<Running>(&text) {
        running.end().map_err(fault("end the processes noted in", &path))?;
    }
    match fs::remove_file(&path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(fault("remove", &path)(cause)),
        _ => Ok(()),
    }
}
