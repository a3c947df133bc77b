use std::fs::{File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use anyhow::{Context as _, bail};

use crate::data_folder::DataFolder;

/// Makes the data folder if there is none.
pub fn make(folder: &DataFolder) -> anyhow::Result<()> {
    let path = folder.path();
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("making the data folder {}", path.display()))
}

/// Makes the data folder if there is none, and makes sure that no other server uses it: the store
/// has one writer, and the instances one supervisor. The lock ends with the process, however it ends.
pub fn take(folder: &DataFolder) -> anyhow::Result<File> {
    let path = folder.path();
    make(folder)?;
    let lock = path.join("lock");
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock);
    let file = file.with_context(|| format!("opening {}", lock.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another server is running on the data folder {}; stop it first, or choose another folder with --data",
            path.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", lock.display())),
    }
}
