//! An archive on its way out, in frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use archive::{Archive, broken, end, frame};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::oneshot;

/// A body of frames. Whoever makes the archive goes on only as fast as this is read, and stops when it is dropped.
pub(super) struct Sending {
    what: &'static str,
    archive: Archive,
    /// What is said at its end, once all of it was made.
    said: oneshot::Receiver<Vec<u8>>,
    is_over: bool,
}

impl Sending {
    pub(super) fn new(what: &'static str, archive: Archive, said: oneshot::Receiver<Vec<u8>>) -> Self {
        Self { what, archive, said, is_over: false }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let piece = match ready!(self.archive.poll_next(context)) {
            Some(Ok(piece)) => frame(&piece),
            Some(Err(cause)) => {
                tracing::warn!("{} was broken off: {cause}", self.what);
                self.is_over = true;
                broken(&cause.to_string())
            }
            None => {
                self.is_over = true;
                match self.said.try_recv() {
                    Ok(said) => end(&said),
                    Err(_) => broken("it ended early"),
                }
            }
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_over {
            tracing::warn!("{} was not wanted to its end", self.what);
        }
    }
}
