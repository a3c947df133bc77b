//! Folders for what only passes through: `transit/` in the data folder. What a sudden end left in
//! them is cleared away at the next start; what was brought in and waits for a click is kept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const FOLDER: &str = "transit";
const PASSING: &str = "passing-";

/// A folder that is removed when this is dropped.
pub struct Passing(PathBuf);

impl Passing {
    /// A new empty one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(root: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = folder(root)?.join(format!("{PASSING}{number}"));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "A folder for what passes through stays until the next start: {error}");
        }
    }
}

/// The folder of all of them, by a path that holds wherever a process works.
///
/// # Errors
/// When it cannot be made.
pub fn folder(root: &Path) -> io::Result<PathBuf> {
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    folder.canonicalize()
}

/// Removes what an earlier life left.
///
/// # Errors
/// When the disk fails.
pub fn clear(root: &Path) -> io::Result<()> {
    let Ok(entries) = std::fs::read_dir(root.join(FOLDER)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PASSING) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
