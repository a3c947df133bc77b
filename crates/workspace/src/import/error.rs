//! Why an export was not brought in.

use std::io;

use super::carrying::CarryError;
use super::unpacking::Fault;
use crate::library::LibraryError;

/// Why an export was not brought in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Another one is being brought in.
    #[error(
        "Another export is being looked at or brought in at this moment. Wait until that is done, then reload this page."
    )]
    Busy,
    /// A sprint is worked on.
    #[error("S-{0} is being worked on. Pause it first: what is brought in must not come between.")]
    Working(u32),
    /// There is none to bring in.
    #[error("No export waits to be brought in. Choose the file again.")]
    Nothing,
    /// What would happen is not what was shown.
    #[error("Something has changed here since this page was shown. Nothing was brought in yet: look at it again.")]
    Moved,
    /// The archive is not taken.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A project in it is not taken.
    #[error("The project “{0}” in the archive is not taken, and so nothing is: {1} Download the export again.")]
    Project(String, String),
    /// The documents here cannot be read.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// It was begun and did not come to its end.
    #[error(
        "It is not brought in whole yet: {0}. Nothing is lost. Make room on the disk if it is full, and let it go on."
    )]
    Unfinished(#[from] CarryError),
    /// The disk failed or is full.
    #[error("The data folder cannot be used ({0}). Make room on the disk and try again.")]
    Disk(#[from] io::Error),
}
