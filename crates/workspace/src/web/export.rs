//! Everything in one file, to take away.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::folder::{Folder, Found};
use crate::library::{Library, LibraryError};
use crate::moment;

/// `GET /export.tar`: all files of both shelves and the whole history. It is written while it is
/// sent, so its size does not matter.
pub async fn download(State(app): State<App>) -> Response {
    let (sender, receiver) = mpsc::channel(4);
    let now = moment::now();
    tokio::spawn(async move {
        let write = move |library: &Library| -> Result<(), LibraryError> {
            let outcome = write_all(library, u64::try_from(now.as_second()).unwrap_or(0), &sender);
            if let Err(error) = &outcome {
                // The browser must see a broken download, not a short one.
                let _ = sender.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
            }
            Ok(outcome?)
        };
        if let Err(error) = app.library(write).await {
            tracing::warn!(%error, "A download of everything broke off: {error}");
        }
    });
    let name = now.strftime("attachment; filename=\"notebook-%Y-%m-%d.tar\"").to_string();
    let headers = [(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(ReceiverStream::new(receiver))).into_response()
}

/// How deep folders lie in each other; the notebook itself makes `history/backlog/B-12-title`.
const DEEPEST: usize = 8;

type Sender = mpsc::Sender<io::Result<Bytes>>;

struct Pieces<'a>(&'a Sender);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(library: &Library, now: u64, sender: &Sender) -> io::Result<()> {
    let mut archive = tar::Builder::new(io::BufWriter::with_capacity(64 * 1024, Pieces(sender)));
    let root = library.root()?;
    for top in ["visions", "backlog", "history"] {
        if let Some(folder) = root.enter(top)? {
            write_folder(&mut archive, &folder, top, now, DEEPEST)?;
        }
    }
    archive.into_inner()?.flush()
}

fn write_folder(
    archive: &mut tar::Builder<impl Write>,
    folder: &Folder,
    path: &str,
    now: u64,
    deeper: usize,
) -> io::Result<()> {
    let mut entries = folder.entries()?;
    entries.sort();
    for entry in entries {
        let path = format!("{path}/{entry}");
        match folder.read(&entry)? {
            Found::File(bytes) => {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                header.set_mtime(now);
                archive.append_data(&mut header, &path, bytes.as_slice())?;
            }
            // Only a folder opens as one; links and everything else are left out.
            Found::Unreadable(_) => {
                if deeper > 0
                    && let Ok(Some(inner)) = folder.enter(&entry)
                {
                    write_folder(archive, &inner, &path, now, deeper - 1)?;
                }
            }
            Found::Nothing => {}
        }
    }
    Ok(())
}
