//! Finishes deletions that were broken off, beside everything else: neither a start nor a stop of
//! the server waits for it, and what cannot be removed is no reason not to start.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use archive::remove_tree;

use super::folder::Folders;

/// How long what could not be removed is left alone.
const UNTIL_ANOTHER_TRY: Duration = Duration::from_secs(600);

/// Sweeps once, and again later while something is left. Ends after it is dropped.
pub(super) struct Sweeper {
    _end: Sender<()>,
}

impl Sweeper {
    pub(super) fn start(folders: Folders) -> io::Result<Self> {
        let (end, ended) = channel();
        std::thread::Builder::new().name("sweeper".to_owned()).spawn(move || sweep(&folders, &ended))?;
        Ok(Self { _end: end })
    }
}

fn sweep(folders: &Folders, ended: &Receiver<()>) {
    while !sweep_once(folders) {
        if ended.recv_timeout(UNTIL_ANOTHER_TRY) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Whether nothing is left.
fn sweep_once(folders: &Folders) -> bool {
    let gone = match folders.gone() {
        Ok(gone) => gone,
        Err(cause) => {
            tracing::warn!("What earlier deletions left could not be looked for: {cause}");
            return false;
        }
    };
    let mut all = true;
    for path in gone {
        if let Err(cause) = remove_tree(&path) {
            let path = path.display();
            tracing::warn!("{path}, left by a deletion, could not be removed and is tried again later: {cause}");
            all = false;
        }
    }
    all
}
