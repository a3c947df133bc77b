//! A client's connection, as whoever serves it reads and writes it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::framing::{Framing, Refused, Within};
use crate::room::Seat;
use crate::small_writes;

/// What a client that speaks HTTP/2 begins with (RFC 9113, 3.4). No HTTP/1 request does.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Put in place of the byte that completes an ambiguous head: no parser takes it in any part of a
/// head, and none waits for more after two line ends. So the one who serves refuses the request in
/// the way in which it refuses all that are malformed.
const NOT_HTTP: &[u8] = b"\0\n\n";

/// How long a client that is still sending is listened to after the connection's end, and how much of
/// that at most. What arrives at a closed connection is answered with a reset, which would take away
/// the answer that the client has not read yet.
const LAST_WORDS: Duration = Duration::from_secs(1);
const LAST_BYTES: usize = 4 * 1024 * 1024;

/// A connection in its place. The place is free again when this is dropped, wherever an upgrade may
/// have carried it.
pub(crate) struct Connection<I> {
    io: I,
    begun: Begun,
    checks: Option<Checks>,
    patience: Patience,
    leaving: Option<Leaving>,
    _seat: Seat,
}

/// The time after an end that the client has not noticed yet.
struct Leaving {
    over: Pin<Box<Sleep>>,
    bytes: usize,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Bytes that were read to learn the protocol, not yet given to whoever serves it.
#[derive(Default)]
struct Begun {
    bytes: [u8; PREFACE.len()],
    given: usize,
    read: usize,
}

/// What an HTTP/1 client sends, looked through until the connection is a tunnel.
struct Checks {
    framing: Framing,
    is_tunnel: Arc<AtomicBool>,
    refusal: Option<Refusal>,
}

/// What there is to read after something ambiguous.
enum Refusal {
    Head(&'static [u8]),
    Body,
}

/// How long the client may take to accept another byte.
struct Patience {
    stalled: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<I> Connection<I> {
    pub(crate) fn new(io: I, seat: Seat, stalled: Duration) -> Self {
        let patience = Patience { stalled, timer: None };
        Self { io, begun: Begun::default(), checks: None, patience, leaving: None, _seat: seat }
    }

    /// Reads heads and framing strictly from here on, until `is_tunnel` says that what comes is no
    /// HTTP any more.
    pub(crate) fn check_framing(&mut self, is_tunnel: Arc<AtomicBool>) {
        self.checks = Some(Checks { framing: Framing::default(), is_tunnel, refusal: None });
    }
}

impl<I: AsyncRead + Unpin> Connection<I> {
    /// Reads just enough to tell the protocol. Can be given up and begun again without losing a byte.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) async fn protocol(&mut self) -> io::Result<Protocol> {
        loop {
            let (read, unread) = self.begun.bytes.split_at_mut(self.begun.read);
            if !PREFACE.starts_with(read) {
                return Ok(Protocol::Http1);
            }
            if unread.is_empty() {
                return Ok(Protocol::Http2);
            }
            match self.io.read(unread).await? {
                // Half a preface and an end: no protocol, and the same to whoever serves.
                0 => return Ok(Protocol::Http1),
                read => self.begun.read += read,
            }
        }
    }
}

impl Checks {
    /// Whether the client is in the middle of a body that nobody wants.
    fn is_still_sent_to(&self) -> bool {
        self.refusal.is_none() && !self.is_tunnel.load(Ordering::Relaxed) && self.framing.is_within_body()
    }
}

impl Begun {
    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let bytes = self.bytes.get(self.given..self.read).unwrap_or_default();
        let bytes = bytes.get(..buffer.remaining()).unwrap_or(bytes);
        buffer.put_slice(bytes);
        self.given += bytes.len();
    }
}

impl Checks {
    /// Looks through what was read behind the first `old` bytes of the buffer.
    fn check(&mut self, buffer: &mut ReadBuf<'_>, old: usize) -> io::Result<()> {
        // A service that switched protocols is the last one on this connection to see a request.
        if self.is_tunnel.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Err(Refused { clear, within }) = self.framing.read(buffer.filled().get(old..).unwrap_or_default()) else {
            return Ok(());
        };
        tracing::debug!("A request was refused: its framing can be read in more than one way");
        buffer.set_filled(old + clear);
        let refusal = self.refusal.insert(match within {
            Within::Head => Refusal::Head(NOT_HTTP),
            Within::Body => Refusal::Body,
        });
        if clear > 0 { Ok(()) } else { refusal.read(buffer) }
    }
}

impl Leaving {
    fn new() -> Self {
        Self { over: Box::pin(tokio::time::sleep(LAST_WORDS)), bytes: LAST_BYTES }
    }

    fn hear_out(&mut self, io: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) -> Poll<()> {
        let mut unread = [0; 8 * 1024];
        while self.bytes > 0 && self.over.as_mut().poll(context).is_pending() {
            let mut unread = ReadBuf::new(&mut unread);
            match ready!(Pin::new(&mut *io).poll_read(context, &mut unread)) {
                Ok(()) if !unread.filled().is_empty() => {
                    self.bytes = self.bytes.saturating_sub(unread.filled().len());
                }
                // The end, or nobody there any more.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl Refusal {
    fn read(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        match self {
            Self::Head(left) => {
                let (given, rest) = left.split_at(left.len().min(buffer.remaining()));
                buffer.put_slice(given);
                *left = rest;
                Ok(())
            }
            Self::Body => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the body's framing can be read in more than one way"))
            }
        }
    }
}

impl Patience {
    /// Passes on what became of a write, and an error once writes are stuck for too long.
    fn with<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.stalled)));
        ready!(timer.as_mut().poll(context));
        let why = format!("the client took nothing for {} s", self.stalled.as_secs());
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Connection<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { io, begun, checks, .. } = &mut *self;
        if let Some(Checks { refusal: Some(refusal), .. }) = checks {
            return Poll::Ready(refusal.read(buffer));
        }
        let old = buffer.filled().len();
        begun.give(buffer);
        let given = buffer.filled().len() - old;
        match Pin::new(io).poll_read(context, buffer) {
            Poll::Pending if given > 0 => {}
            read => ready!(read)?,
        }
        Poll::Ready(checks.as_mut().map_or(Ok(()), |checks| checks.check(buffer, old)))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.patience.with(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.patience.with(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.leaving.is_none() {
            let shut_down = Pin::new(&mut self.io).poll_shutdown(context);
            ready!(self.patience.with(context, shut_down))?;
            if !self.checks.as_ref().is_some_and(Checks::is_still_sent_to) {
                return Poll::Ready(Ok(()));
            }
        }
        let Self { io, leaving, .. } = &mut *self;
        leaving.get_or_insert_with(Leaving::new).hear_out(io, context).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = small_writes::poll_write(Pin::new(&mut self.io), context, slices);
        self.patience.with(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
