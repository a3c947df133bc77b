//! What fuzzers get to see of the inside. Not part of any build but theirs.

use crate::framing::Framing;

/// How many bytes of a connection, cut into these pieces, are beyond doubt.
pub fn clear_bytes<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> usize {
    let (mut framing, mut clear) = (Framing::default(), 0);
    for piece in pieces {
        match framing.read(piece) {
            Ok(()) => clear += piece.len(),
            Err(refused) => return clear + refused.clear,
        }
    }
    clear
}
