//! The processes that watch commands, on disk: when this program dies they kill what they watch, and
//! the next life waits until they are through with that.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FOLDER: &str = "watchers";
/// How long a watcher of an earlier life may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// A note that a process watches a command.
pub(super) struct Watcher(PathBuf);

impl Watcher {
    pub(super) fn note(bench: &Path, pid: Option<u32>) -> io::Result<Self> {
        let pid = pid.ok_or_else(|| io::Error::other("a command ended before it was noted"))?;
        let file = bench.join(FOLDER).join(pid.to_string());
        std::fs::create_dir_all(bench.join(FOLDER))?;
        std::fs::write(&file, "")?;
        Ok(Self(file))
    }

    pub(super) fn forget(self) {
        // A note too many costs a look at the next start.
        let _ = std::fs::remove_file(self.0);
    }
}

/// Waits until every watcher of an earlier life is gone.
///
/// # Errors
/// When one stays, or the disk fails.
pub(super) fn await_all(bench: &Path) -> io::Result<()> {
    let Ok(notes) = std::fs::read_dir(bench.join(FOLDER)) else { return Ok(()) };
    let mut waited = Duration::ZERO;
    for note in notes {
        let note = note?;
        let Some(pid) = note.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        while watches(pid, bench) {
            if waited > PATIENCE {
                return Err(io::Error::other(format!("process {pid} of an earlier start is still there; end it")));
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        std::fs::remove_file(note.path())?;
    }
    Ok(())
}

/// Whether the process is a watcher of this workbench, and not another one that was given its number.
fn watches(pid: u32, bench: &Path) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*bench.to_string_lossy())
}
