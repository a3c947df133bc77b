//! An archive on its way: made on a thread of its own, no faster than it is read.

use std::io::{self, Read, Write};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// A piece that is sent at once.
const CHUNK: usize = 64 * 1024;
/// So many pieces wait to be read; more is never held in memory.
const WAITING: usize = 4;
/// Who reads nothing for so long has gone away without saying so. Whoever stores what is read may have to try again
/// meanwhile.
const STALLED: Duration = Duration::from_mins(5);

/// The bytes of an archive. An error in the middle means that what came before it is not whole.
#[derive(Debug)]
pub struct Archive(Receiver<io::Result<Bytes>>);

impl Archive {
    /// What `write` writes, beside the async threads. It fails in its next write once nobody reads any more. Must be
    /// called inside a Tokio runtime.
    pub fn written_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            let mut sink = Sink { sender, runtime, chunk: Vec::with_capacity(CHUNK) };
            let outcome = write(&mut sink).and_then(|()| sink.flush());
            if let Err(error) = outcome {
                // Whoever went away is not told.
                let _ = sink.send(Err(error));
            }
        });
        Self(receiver)
    }

    /// What is sent, until the sender is dropped. As much waits there as anywhere.
    pub fn fed() -> (Sender<io::Result<Bytes>>, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (sender, Self(receiver))
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.0.recv().await
    }

    /// The same, for what is polled itself.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.0.poll_recv(context)
    }

    /// Its bytes for a thread that may wait.
    pub fn into_reader(self) -> Pieces {
        Pieces { archive: self, piece: Bytes::new() }
    }
}

/// Reads an archive on a thread that may wait; never on one of an async runtime.
#[derive(Debug)]
pub struct Pieces {
    archive: Archive,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.archive.0.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

struct Sink {
    sender: Sender<io::Result<Bytes>>,
    runtime: Handle,
    chunk: Vec<u8>,
}

impl Sink {
    fn send(&self, piece: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(async { tokio::time::timeout(STALLED, self.sender.send(piece)).await });
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the archive any more");
        sent.map_err(|_| gone())?.map_err(|_| gone())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend(bytes.iter().take(fits));
        if self.chunk.len() == CHUNK {
            self.flush()?;
        }
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.send(Ok(chunk.into()))
    }
}
