//! Counts what a client says over a WebSocket, by looking at frame headers (RFC 6455, 5.2).
//!
//! Text and binary messages count. Pings, pongs and closes do not; neither do messages of one
//! byte, by which widespread protocols keep a connection alive (Engine.IO sends `2` and `3`).
//! Nothing is decoded: the payload is skipped by its length.

use proxy::TunnelWatch;

const FINAL_BIT: u8 = 0x80;
const MASK_BIT: u8 = 0x80;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const KEEPALIVE_BYTES: u64 = 1;

/// Calls back at each message that counts.
pub(crate) struct Frames<F> {
    on_message: F,
    header: Vec<u8>,
    skip: u64,
}

impl<F: FnMut() + Send> Frames<F> {
    pub(crate) fn new(on_message: F) -> Self {
        Self { on_message, header: Vec::with_capacity(14), skip: 0 }
    }
}

impl<F: FnMut() + Send> TunnelWatch for Frames<F> {
    fn client_sent(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(skipped..).unwrap_or_default();
                self.skip -= skipped as u64;
                continue;
            }
            let Some((first, rest)) = bytes.split_first() else { return };
            self.header.push(*first);
            bytes = rest;
            if let Some(frame) = Frame::parse(&self.header) {
                self.header.clear();
                self.skip = frame.payload;
                if frame.counts() {
                    (self.on_message)();
                }
            }
        }
    }
}

struct Frame {
    opcode: u8,
    last: bool,
    payload: u64,
}

impl Frame {
    /// The frame whose complete header this is; `None` while bytes are missing.
    fn parse(header: &[u8]) -> Option<Self> {
        let &[first, second, ref rest @ ..] = header else { return None };
        let (payload, rest) = match second & !MASK_BIT {
            126 => {
                rest.split_first_chunk::<2>().map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest))?
            }
            127 => rest.split_first_chunk::<8>().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
            short => (u64::from(short), rest),
        };
        let mask = if second & MASK_BIT != 0 { 4 } else { 0 };
        (rest.len() == mask).then_some(Self { opcode: first & 0x0f, last: first & FINAL_BIT != 0, payload })
    }

    /// A message counts once, by its first frame.
    fn counts(&self) -> bool {
        matches!(self.opcode, TEXT | BINARY) && (!self.last || self.payload > KEEPALIVE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn frame(opcode: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        match payload {
            0..126 => bytes.push(0x80 | u8::try_from(payload).unwrap()),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(payload).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        // A payload that looks like frames itself must not be taken for any.
        bytes.extend(std::iter::repeat_n(0x81, payload));
        bytes
    }

    fn counted(stream: &[u8], piece: usize) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let mut frames = Frames::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        stream.chunks(piece).for_each(|bytes| frames.client_sent(bytes));
        count.load(Ordering::Relaxed)
    }

    #[test]
    fn messages_count_and_what_keeps_a_connection_alive_does_not() {
        for (frames, expected, what) in [
            (vec![frame(1, 5)], 1, "text"),
            (vec![frame(2, 200), frame(2, 70_000)], 2, "binary, with both longer lengths"),
            (vec![frame(9, 4), frame(10, 0), frame(8, 2)], 0, "ping, pong, close"),
            (vec![frame(1, 1)], 0, "a keep-alive of one byte"),
            (vec![vec![0x01, 0x81, 0, 0, 0, 0, 9], frame(0, 9)], 1, "a message in two frames"),
            (vec![frame(9, 4), frame(1, 3), frame(9, 4)], 1, "a message between pings"),
        ] {
            let stream = frames.concat();
            for piece in [1, 2, 7, stream.len()] {
                assert_eq!(counted(&stream, piece), expected, "{what} in pieces of {piece}");
            }
        }
    }
}
