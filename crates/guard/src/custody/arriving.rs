//! The body of an order: its terms, one line, and what follows them.

use std::pin::Pin;
use std::time::Duration;

use access::orders::LONGEST_TERMS;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use proxy::BoxError;

/// Nothing that came for so long will come.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Arriving<B> {
    body: Pin<Box<B>>,
    /// What came with the terms.
    ahead: BytesMut,
}

impl<B> Arriving<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(body: B) -> Self {
        Self { body: Box::pin(body), ahead: BytesMut::new() }
    }

    /// The terms, without the end of their line; none where there is no line, or one without an end.
    pub(super) async fn terms(&mut self) -> Option<Bytes> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line = self.ahead.split_to(end + 1).freeze();
                return (end < LONGEST_TERMS).then(|| line.slice(..end));
            }
            if self.ahead.len() >= LONGEST_TERMS {
                return None;
            }
            let piece = self.piece().await?.ok()?;
            self.ahead.extend_from_slice(&piece);
        }
    }

    /// Hands on what follows, as fast as it is read. Where nobody reads any more the rest is let go by: whoever sends it
    /// hears our answer only once all of it has left.
    pub(super) async fn hand_on(mut self, to: tokio::sync::mpsc::Sender<std::io::Result<Bytes>>) {
        let ahead = std::mem::take(&mut self.ahead).freeze();
        let mut next =
            Some(Ok(ahead)).filter(|piece: &Result<Bytes, String>| piece.as_ref().is_ok_and(|it| !it.is_empty()));
        loop {
            let piece = match next.take() {
                Some(piece) => Some(piece),
                None => self.piece().await,
            };
            let Some(piece) = piece else { return };
            let is_last = piece.is_err();
            let _ = to.send(piece.map_err(std::io::Error::other)).await;
            if is_last {
                return;
            }
        }
    }

    async fn piece(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            let Ok(frame) = tokio::time::timeout(PATIENCE, self.body.frame()).await else {
                return Some(Err(format!("nothing came for {} s", PATIENCE.as_secs())));
            };
            match frame? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Some(Ok(data)),
                    // Trailers.
                    Err(_) => {}
                },
                Err(error) => return Some(Err(error.into().to_string())),
            }
        }
    }
}
