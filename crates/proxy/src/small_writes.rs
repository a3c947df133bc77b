//! Writing what lies in several places. A head and a short body are put together first: for so little,
//! the copy costs less than what the system does to gather the pieces.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// Up to so many bytes are copied.
const SMALL: usize = 4 * 1024;

/// Writes some of what is in `slices`.
pub(crate) fn poll_write(
    io: Pin<&mut impl AsyncWrite>,
    context: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    if let [only] = slices {
        return io.poll_write(context, only);
    }
    let length = slices.iter().fold(0, |sum: usize, slice| sum.saturating_add(slice.len()));
    if length > SMALL {
        return io.poll_write_vectored(context, slices);
    }
    let mut together = [0; SMALL];
    let mut room = &mut together[..];
    for slice in slices {
        let (place, rest) = room.split_at_mut(slice.len());
        place.copy_from_slice(slice);
        room = rest;
    }
    io.poll_write(context, together.get(..length).unwrap_or_default())
}
