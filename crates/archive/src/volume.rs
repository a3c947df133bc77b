use std::ffi::OsString;
use std::path::PathBuf;

/// Where an application keeps what it keeps.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The folder with its data.
    pub data: PathBuf,
    /// Names right in that folder which are not the application's. They are never packed.
    pub apart: Vec<OsString>,
    /// Where lists of what is packed wait, in files without a name.
    pub spool: PathBuf,
}
