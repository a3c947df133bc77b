//! A connection to an upstream. Whoever waits for its answer moves its bytes, so that most requests
//! go there and back without changing tasks.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::Body;

/// What is held of one answer, or of one request, while the other side doesn't take it; also the
/// longest head of an answer.
const BUFFER_BYTES: usize = 128 * 1024;

/// A connection and what moves its bytes.
pub(crate) struct Wire {
    sender: SendRequest<Body>,
    driver: Driver,
}

enum Driver {
    /// Moves when it is polled along with whatever waits for it.
    Here(Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>),
    /// Moves by itself.
    Elsewhere,
    /// The connection is over.
    Ended,
}

impl Wire {
    /// Speaks HTTP/1 over a fresh connection.
    ///
    /// # Errors
    /// None is known: nothing is sent yet.
    pub(crate) async fn new<S>(stream: S) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) =
            http1::Builder::new().max_buf_size(BUFFER_BYTES).handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Driver::Here(Box::pin(connection.with_upgrades())) })
    }

    /// Sends a request and gives the head of its answer.
    ///
    /// # Errors
    /// With the request, if not a byte of it was sent.
    pub(crate) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        // A body goes up while the answer may already be coming down, and a tunnel both ways: that
        // takes somebody who is there for it whether or not the answer is being read.
        if !request.body().is_end_stream() || request.headers().contains_key(http::header::UPGRADE) {
            self.driver.leave();
        }
        let Self { sender, driver } = self;
        let mut sending = pin!(sender.try_send_request(request));
        poll_fn(|context| {
            driver.drive(context);
            sending.as_mut().poll(context)
        })
        .await
    }

    /// Moves what can be moved now. Whoever does so is woken when more can be.
    pub(crate) fn drive(&mut self, context: &mut Context<'_>) {
        self.driver.drive(context);
    }

    /// Whether another request can be sent, as far as is known without waiting.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.driver.drive(&mut Context::from_waker(Waker::noop()));
        self.sender.is_ready()
    }

    /// Whether the other side has closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until another request can be sent, or never can.
    ///
    /// # Errors
    /// When the connection is over.
    pub(crate) async fn ready(&mut self) -> hyper::Result<()> {
        let Self { sender, driver } = self;
        poll_fn(|context| {
            driver.drive(context);
            sender.poll_ready(context)
        })
        .await
    }
}

impl Driver {
    fn drive(&mut self, context: &mut Context<'_>) {
        let Self::Here(connection) = self else { return };
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            note(ended);
            *self = Self::Ended;
        }
    }

    fn leave(&mut self) {
        if let Self::Here(connection) = std::mem::replace(self, Self::Elsewhere) {
            tokio::spawn(async move { note(connection.await) });
        }
    }
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "A connection to the upstream broke off: {error}");
    }
}
