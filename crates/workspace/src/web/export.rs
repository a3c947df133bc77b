//! Everything in one file, to take away.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::export;
use crate::library::{Library, LibraryError};
use crate::moment;
use crate::name::Name;
use crate::transit::Passing;

/// `GET /export.tar`: it is written while it is sent.
pub async fn download(State(app): State<App>) -> Response {
    let (sender, receiver) = mpsc::channel(4);
    let now = moment::now();
    tokio::spawn(async move {
        let writing = app.clone();
        let write = move |library: &Library| -> Result<(), LibraryError> {
            let outcome = write(&writing, library, now, &sender);
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
    let name = now.strftime("attachment; filename=\"ai-diy-%Y-%m-%d.tar\"").to_string();
    let headers = [(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(ReceiverStream::new(receiver))).into_response()
}

fn write(app: &App, library: &Library, now: Timestamp, sender: &Sender) -> io::Result<()> {
    let bundle = |name: &Name| {
        let passing = Passing::begin(app.workshop.root())?;
        let made = async { app.workshop.project(name).await?.bundle(passing.path()).await };
        Handle::current().block_on(made).map_err(io::Error::other)?;
        Ok(Bundled(passing))
    };
    export::write(&library.root()?, &app.settings.now(), now, bundle, Pieces(sender))
}

/// A project's file, which is removed once it was sent.
struct Bundled(Passing);

impl AsRef<std::path::Path> for Bundled {
    fn as_ref(&self) -> &std::path::Path {
        self.0.path()
    }
}

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
