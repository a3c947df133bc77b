//! Puts a backup back: into a new folder beside the present one, which takes its place by one rename once all of it is
//! there and proven whole. Until then the present data is not touched, and whatever goes wrong leaves it as it was.

use std::fs::File;
use std::io;
use std::path::Path;

use access::app_site::SHARING_RECORD;
use archive::remove_tree;
use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};

use super::folder::Folder;

/// Lets what was unpacked take the place of the present data, which is removed.
pub(super) fn swap(folder: &Folder) -> io::Result<()> {
    let (incoming, data) = (folder.incoming(), folder.data());
    // What all may see of the present data, nobody has said of other data.
    remove_if_there(&folder.instance().join(SHARING_RECORD))?;
    // On the disk before it counts.
    syncfs(File::open(&incoming)?)?;
    renameat_with(CWD, &incoming, CWD, &data, RenameFlags::EXCHANGE)?;
    syncfs(File::open(&data)?)?;
    discard(folder);
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

/// Removes what is not, or not any more, the instance's data. What can't be removed now is tried again at the next start.
pub(super) fn discard(folder: &Folder) {
    let incoming = folder.incoming();
    if let Err(cause) = remove_tree(&incoming) {
        tracing::warn!("{} could not be removed and is tried again later: {cause}", incoming.display());
    }
}
