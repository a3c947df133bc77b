//! Folders that live as long as the command that made them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

/// A folder of our own, removed with all it holds when this value goes.
#[derive(Debug)]
pub struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Makes an empty folder in the system's temporary folder, where paths are short enough for sockets.
    ///
    /// Folders of the same name left over by commands that were killed are removed on the way.
    pub fn new(name: &str) -> Result<Self> {
        let home = std::env::temp_dir();
        let prefix = format!("spinoff-{name}-");
        for entry in fs::read_dir(&home).with_context(|| format!("reading {}", home.display()))?.flatten() {
            let file = entry.file_name();
            let owner =
                file.to_str().and_then(|file| file.strip_prefix(&prefix)).and_then(|rest| rest.split('-').next());
            if owner.is_some_and(|pid| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()) {
                // Somebody else's leftovers are theirs to remove.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = home.join(format!("{prefix}{}-{number}", std::process::id()));
        // Never one that is there already: in a folder that anybody may write to, it can be a trap.
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("can't remove {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn two_at_once_are_apart_and_both_go() {
        let (one, two) = (TemporaryFolder::new("xtask-test").unwrap(), TemporaryFolder::new("xtask-test").unwrap());
        let paths = [one.path().to_path_buf(), two.path().to_path_buf()];
        assert_ne!(paths[0], paths[1]);
        drop((one, two));
        assert!(paths.iter().all(|path| !path.exists()));
    }

    #[test]
    fn what_a_killed_command_left_is_removed_by_the_next() {
        // Above the highest process id there can be.
        let left = std::env::temp_dir().join("spinoff-xtask-left-99999999-0");
        fs::create_dir_all(left.join("inside")).unwrap();
        let _new = TemporaryFolder::new("xtask-left").unwrap();
        assert!(!left.exists());
    }
}
