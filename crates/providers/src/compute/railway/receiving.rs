//! Takes what a guard sends. Nothing of it passes for whole that was cut off, broken off, or changed on its way.

use std::io;
use std::time::Duration;

use archive::{FrameError, Frames, Kept, Piece};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use reqwest::Response;
use tokio::sync::mpsc::Sender;

/// A guard that sends nothing for so long is not there any more.
const PATIENCE: Duration = Duration::from_mins(2);

/// Why what was sent is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReceived {
    #[error(transparent)]
    Frames(#[from] FrameError),
    #[error("it broke off on its way: {0}")]
    Way(String),
    #[error("the guard broke it off: {0}")]
    BrokenOff(String),
    #[error("what arrived is not what was sent")]
    Changed,
    #[error("nobody takes it any more")]
    Unwanted,
}

impl NotReceived {
    /// Whether the fault is with whoever was to take it.
    pub(super) const fn is_unwanted(&self) -> bool {
        matches!(self, Self::Unwanted)
    }
}

/// Passes an archive on, which ends well only if it came whole. Gives what was said of it at its end.
pub(super) async fn receive(answer: Response, to: Sender<io::Result<Bytes>>) -> Result<Option<Kept>, NotReceived> {
    let outcome = passed_on(answer, &to).await;
    if let Err(why) = &outcome {
        // Whoever went away is not told.
        let _ = to.send(Err(io::Error::other(why.to_string()))).await;
    }
    outcome
}

async fn passed_on(mut answer: Response, to: &Sender<io::Result<Bytes>>) -> Result<Option<Kept>, NotReceived> {
    let (mut frames, mut digest, mut bytes) = (Frames::default(), Context::new(&SHA256), 0);
    let mut said = None;
    loop {
        let came = tokio::time::timeout(PATIENCE, answer.chunk()).await;
        let came = came.map_err(|_| NotReceived::Way(format!("nothing came for {} s", PATIENCE.as_secs())))?;
        let Some(came) = came.map_err(|error| NotReceived::Way(error.without_url().to_string()))? else { break };
        frames.feed(&came);
        while let Some(piece) = frames.take()? {
            match piece {
                Piece::Data(piece) => {
                    digest.update(&piece);
                    bytes += piece.len() as u64;
                    to.send(Ok(piece)).await.map_err(|_| NotReceived::Unwanted)?;
                }
                Piece::End(text) => said = serde_json::from_slice::<Kept>(&text).ok(),
                Piece::Broken(why) => return Err(NotReceived::BrokenOff(why)),
            }
        }
    }
    frames.finish()?;
    let sha256 = hex::encode(digest.finish());
    match &said {
        Some(kept) if kept.sha256 != sha256 || kept.bytes != bytes => Err(NotReceived::Changed),
        _ => Ok(said),
    }
}
