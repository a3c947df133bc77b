//! The socket on which guards reach the main instance: they live in network namespaces of their
//! own, where nothing else of this machine can be reached.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;

use anyhow::Context as _;
use control_plane::App;
use hyper::Request;
use hyper::body::Incoming;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::data_folder::DataFolder;

/// Opens the socket; one that an earlier server left is replaced.
pub fn listen(folder: &DataFolder) -> anyhow::Result<(UnixListener, PathBuf)> {
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

/// Answers guards until told to stop.
pub async fn serve(listener: UnixListener, app: App, stop: CancellationToken) {
    let router = control_plane::for_guards(&app);
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("A guard's connection could not be accepted: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            async move {
                let answer = router.oneshot(request.map(axum::body::Body::new)).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}).map(proxy::Body::stream))
            }
        });
        tokio::spawn(proxy::serve_connection(stream, service, proxy::Limits::default(), stop.clone()));
    }
}
