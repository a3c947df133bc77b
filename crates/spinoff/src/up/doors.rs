//! The two doors of the server: an address for browsers, and a socket for guards, which live in
//! network namespaces of their own where nothing else of this machine can be reached.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;

use anyhow::Context as _;
use tokio::net::{TcpListener, UnixListener};

use crate::data_folder::DataFolder;

/// Opens the address that browsers see.
pub async fn for_people(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listening on {address}; if another program uses it, choose another with --listen 127.0.0.1:PORT")
    })
}

/// Opens the socket for guards; one that an earlier server left is replaced.
pub fn for_guards(folder: &DataFolder) -> anyhow::Result<(UnixListener, PathBuf)> {
    let run = folder.path().join("run");
    let what = || format!("making {}", run.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&run).with_context(what)?;
    let path = fs::canonicalize(&run).with_context(what)?.join("main.sock");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", path.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&path).with_context(|| {
        format!(
            "opening the socket {}; its path may have at most 107 bytes, so choose a shorter --data",
            path.display()
        )
    })?;
    // Guards run as users of their own; the folder around the socket keeps everybody else away.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666))
        .with_context(|| format!("letting guards use {}", path.display()))?;
    Ok((listener, path))
}
