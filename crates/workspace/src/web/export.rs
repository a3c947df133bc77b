//! Everything in one file, to take away.

use std::io::{self, Read, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::folder::Folder;
use crate::library::{Library, LibraryError};
use crate::moment;

/// Folders that are part of what is taken away; settings, members and keys are not.
const FOLDERS: [&str; 6] = ["visions", "backlog", "decisions", "meetings", "team", "history"];

/// Files that are.
const FILES: [&str; 1] = ["usage.jsonl"];

/// `GET /export.tar`: all documents with their whole history, all meetings, and the account of use.
/// It is written while it is sent, so its size does not matter.
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
    for top in FOLDERS {
        if let Some(folder) = root.enter(top)? {
            write_folder(&mut archive, &folder, top, now, DEEPEST)?;
        }
    }
    for file in FILES {
        write_file(&mut archive, &root, file, file, now)?;
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
        // Only a folder opens as one; links and everything else are left out.
        if let Ok(Some(inner)) = folder.enter(&entry) {
            if deeper > 0 {
                write_folder(archive, &inner, &path, now, deeper - 1)?;
            }
        } else {
            write_file(archive, folder, &entry, &path, now)?;
        }
    }
    Ok(())
}

fn write_file(
    archive: &mut tar::Builder<impl Write>,
    folder: &Folder,
    name: &str,
    path: &str,
    now: u64,
) -> io::Result<()> {
    let Ok(Some(file)) = folder.open_to_read(name) else { return Ok(()) };
    // A journal may grow while it is read; what comes meanwhile is in the next download.
    let size = file.metadata()?.len();
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(now);
    archive.append_data(&mut header, path, file.take(size))
}
