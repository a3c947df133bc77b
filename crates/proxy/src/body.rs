use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::ClientWatch;
use crate::hop_by_hop::TrailerSieve;
use crate::http2::pace::Pace;
use crate::pool::Lease;

/// An error of a body, whoever produced it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's or an answer's body: streamed from a socket, or made here.
pub struct Body(Kind);

enum Kind {
    Empty,
    Full(Full<Bytes>),
    Incoming(Incoming),
    /// An upstream's answer. Its connection goes back to the pool once the answer is read. Shown as
    /// broken off when its end comes first.
    Leased(Incoming, Option<Lease>, Option<Withdrawal>),
    /// An upstream's endless answer, which finds an orderly end here.
    Endless(Incoming, Lease, End),
    /// A client's body, given up when nothing of it comes for this long.
    Watched(Box<Body>, Duration, Option<Pin<Box<Sleep>>>),
    /// A client's body whose trailers are looked through.
    Sifted(Box<Body>, TrailerSieve),
    /// A client's body that somebody else sees too, until it is at its end.
    Seen(Box<Body>, Option<Box<dyn ClientWatch>>),
    /// An answer of which it is known whether the client takes it.
    Paced(Box<Body>, Pace),
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

/// Resolves when a body must end, read or not.
type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Ends a body early. Costs next to nothing for a body that never lets anybody wait.
struct Withdrawal {
    token: Arc<CancellationToken>,
    waiting: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("whoever was reading may no longer")]
    Withdrawn,
    #[error("nothing came for {} s", .0.as_secs())]
    Stalled(Duration),
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// Any other body, such as one of a web framework.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Kind::Stream(body.map_err(Into::into).boxed_unsync()))
    }

    pub(crate) fn leased(incoming: Incoming, lease: Lease, end: Option<Arc<CancellationToken>>) -> Self {
        Self(Kind::Leased(incoming, Some(lease), end.map(|token| Withdrawal { token, waiting: None })))
    }

    pub(crate) fn endless(incoming: Incoming, lease: Lease, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Kind::Endless(incoming, lease, Box::pin(end)))
    }

    /// The same body, seen by `watch` as it is read.
    pub(crate) fn seen_by(self, mut watch: Box<dyn ClientWatch>) -> Self {
        if self.is_end_stream() {
            watch.client_done();
            return self;
        }
        Self(Kind::Seen(Box::new(self), Some(watch)))
    }

    /// The same body, without the trailers that `sieve` takes.
    pub(crate) fn sifted(self, sieve: TrailerSieve) -> Self {
        if self.is_end_stream() { self } else { Self(Kind::Sifted(Box::new(self), sieve)) }
    }

    /// The same body, telling `pace` whose turn it is.
    pub(crate) fn paced(self, pace: Pace) -> Self {
        if self.is_end_stream() { self } else { Self(Kind::Paced(Box::new(self), pace)) }
    }

    /// The same body, broken off when nothing of it comes for as long as `patience`.
    pub(crate) fn watched(self, patience: Duration) -> Self {
        if self.is_end_stream() { self } else { Self(Kind::Watched(Box::new(self), patience, None)) }
    }
}

impl From<Incoming> for Body {
    fn from(incoming: Incoming) -> Self {
        Self(Kind::Incoming(incoming))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Full(Full::new(bytes)))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(full) => Pin::new(full).poll_frame(context).map_err(|never| match never {}),
            Kind::Incoming(incoming) => Pin::new(incoming).poll_frame(context).map_err(Into::into),
            Kind::Leased(incoming, lease, end) => {
                if end.as_ref().is_some_and(|end| end.token.is_cancelled()) {
                    return Poll::Ready(Some(Err(Cut::Withdrawn.into())));
                }
                let polled = match lease {
                    Some(lease) => poll_driven(incoming, lease, context),
                    None => Pin::new(incoming).poll_frame(context),
                };
                if polled.is_pending() && end.as_mut().is_some_and(|end| end.poll(context).is_ready()) {
                    return Poll::Ready(Some(Err(Cut::Withdrawn.into())));
                }
                if matches!(polled, Poll::Ready(None)) {
                    lease.take().into_iter().for_each(Lease::give_back);
                }
                polled.map_err(Into::into)
            }
            Kind::Endless(incoming, lease, end) => match end.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => poll_driven(incoming, lease, context).map_err(Into::into),
            },
            Kind::Watched(body, patience, timer) => {
                let polled = Pin::new(&mut **body).poll_frame(context);
                if polled.is_ready() {
                    *timer = None;
                    return polled;
                }
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(*patience)));
                timer.as_mut().poll(context).map(|()| Some(Err(Cut::Stalled(*patience).into())))
            }
            Kind::Seen(body, watch) => {
                let polled = Pin::new(&mut **body).poll_frame(context);
                show(&polled, body.is_end_stream(), watch);
                polled
            }
            Kind::Sifted(body, sieve) => Pin::new(&mut **body).poll_frame(context).map_ok(|frame| {
                frame.into_trailers().map_or_else(
                    |data| data,
                    |mut trailers| {
                        sieve.sift(&mut trailers);
                        Frame::trailers(trailers)
                    },
                )
            }),
            Kind::Paced(body, pace) => {
                let polled = Pin::new(&mut **body).poll_frame(context);
                if polled.is_ready() {
                    pace.handed_over()
                } else {
                    pace.asked()
                }
                polled
            }
            Kind::Stream(stream) => Pin::new(stream).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(full) => full.is_end_stream(),
            Kind::Incoming(incoming) | Kind::Leased(incoming, ..) | Kind::Endless(incoming, ..) => {
                incoming.is_end_stream()
            }
            Kind::Watched(body, ..) | Kind::Sifted(body, _) | Kind::Seen(body, _) | Kind::Paced(body, _) => {
                body.is_end_stream()
            }
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(full) => full.size_hint(),
            Kind::Incoming(incoming) | Kind::Leased(incoming, ..) | Kind::Endless(incoming, ..) => incoming.size_hint(),
            Kind::Watched(body, ..) | Kind::Sifted(body, _) | Kind::Seen(body, _) | Kind::Paced(body, _) => {
                body.size_hint()
            }
            Kind::Stream(stream) => stream.size_hint(),
        }
    }
}

impl Withdrawal {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let waiting =
            self.waiting.get_or_insert_with(|| Box::pin(CancellationToken::clone(&self.token).cancelled_owned()));
        waiting.as_mut().poll(context)
    }
}

/// The next frame of an answer, for which its connection may have to be moved along. What has arrived
/// is asked for first, since that is what makes the connection fetch more.
fn poll_driven(
    incoming: &mut Incoming,
    lease: &mut Lease,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
    let polled = Pin::new(&mut *incoming).poll_frame(context);
    if polled.is_ready() {
        return polled;
    }
    lease.drive(context);
    Pin::new(incoming).poll_frame(context)
}

/// Shows a frame. Whoever reads a body of known length does not ask for the frame after the last one.
fn show(polled: &Poll<Option<Result<Frame<Bytes>, BoxError>>>, at_end: bool, watch: &mut Option<Box<dyn ClientWatch>>) {
    let Some(seeing) = watch else { return };
    let at_end = match polled {
        Poll::Pending | Poll::Ready(Some(Err(_))) => false,
        Poll::Ready(None) => true,
        Poll::Ready(Some(Ok(frame))) => {
            if let Some(data) = frame.data_ref() {
                seeing.client_sent(data);
            }
            at_end || frame.is_trailers()
        }
    };
    if at_end {
        seeing.client_done();
        *watch = None;
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // A body of known length ends without anybody asking for the frame after the last one.
        // A body that was not read to its end keeps its lease, and the connection closes with it:
        // that is how the upstream learns that the client left.
        if let Kind::Leased(incoming, lease, _) = &mut self.0
            && incoming.is_end_stream()
        {
            lease.take().into_iter().for_each(Lease::give_back);
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &self.0 {
            Kind::Empty => "empty",
            Kind::Full(_) => "full",
            Kind::Incoming(_) => "incoming",
            Kind::Leased(..) => "leased",
            Kind::Endless(..) => "endless",
            Kind::Watched(..) => "watched",
            Kind::Sifted(..) => "sifted",
            Kind::Seen(..) => "seen",
            Kind::Paced(..) => "paced",
            Kind::Stream(_) => "stream",
        };
        write!(formatter, "Body({kind})")
    }
}
