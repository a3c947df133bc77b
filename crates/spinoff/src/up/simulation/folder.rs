//! Where a rehearsal keeps its record: apart from the real one, and never for long.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::data_folder::DataFolder;

/// Below the data folder.
const NAME: &str = "simulation";
/// Says that all beside it may be removed.
const MARK: &str = "THIS-FOLDER-IS-EMPTIED-AT-EACH-START";
/// Held by the server that runs in it.
const LOCK: &str = "lock";

/// The folder of rehearsals in a data folder.
pub fn of(data: &DataFolder) -> DataFolder {
    DataFolder::at(data.path().join(NAME))
}

/// Removes what an earlier rehearsal left. To be called by whoever holds the folder's lock.
///
/// # Errors
/// When something is there that no rehearsal left, or it can't be removed.
pub fn empty(folder: &DataFolder) -> anyhow::Result<()> {
    let path = folder.path();
    let what = || format!("emptying {}", path.display());
    let mark = path.join(MARK);
    let entries: Vec<_> = fs::read_dir(path).and_then(Iterator::collect::<io::Result<_>>).with_context(what)?;
    let mut others = entries.iter().filter(|entry| entry.file_name() != LOCK);
    if !mark.exists() {
        if let Some(other) = others.next() {
            bail!(
                "{} holds {}, which no rehearsal left there; move it away, or rehearse in another folder with --data",
                path.display(),
                Path::new(&other.file_name()).display()
            );
        }
        fs::write(&mark, "").with_context(what)?;
        return Ok(());
    }
    for entry in others.filter(|entry| entry.file_name() != MARK) {
        let is_folder = entry.file_type().with_context(what)?.is_dir();
        let removed = if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        removed.with_context(what)?;
    }
    Ok(())
}

/// Makes a folder in it.
///
/// # Errors
/// When it can't be made.
pub fn make(folder: &DataFolder, name: &str) -> anyhow::Result<std::path::PathBuf> {
    let path = folder.path().join(name);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .with_context(|| format!("making {}", path.display()))?;
    fs::canonicalize(&path).with_context(|| format!("finding {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_a_rehearsal_left_is_removed() {
        let data = tempfile::tempdir().unwrap();
        let folder = of(&DataFolder::at(data.path()));
        make(&folder, "").unwrap();
        fs::write(folder.path().join(LOCK), "").unwrap();
        fs::write(folder.store(), "precious").unwrap();
        let error = empty(&folder).unwrap_err().to_string();
        assert!(error.contains("spinoff.db") && folder.store().exists(), "{error}");

        fs::remove_file(folder.store()).unwrap();
        empty(&folder).unwrap();
        fs::write(folder.store(), "of a rehearsal").unwrap();
        make(&folder, "volumes/x").unwrap();
        empty(&folder).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [MARK, LOCK]);
    }
}
