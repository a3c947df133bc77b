//! An archive between machines. A connection that ends early can look like one that ends well, above all where a proxy
//! stands between; so what is sent comes in frames, the last of which says that it is the last, and what it was.
//!
//! A frame is one byte that says its kind (`d` data, `e` end, `x` broken off), four bytes with the length of what follows
//! (big-endian), and that.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// More never follows in one frame.
pub const LONGEST_FRAME: usize = 256 * 1024;
const HEAD: usize = 5;
const DATA: u8 = b'd';
const END: u8 = b'e';
const BROKEN: u8 = b'x';

/// A piece of the archive as a frame. It must not be longer than [`LONGEST_FRAME`].
#[must_use]
pub fn frame(piece: &[u8]) -> Bytes {
    framed(DATA, piece)
}

/// The last frame of an archive that is whole, with what is to be said of it.
#[must_use]
pub fn end(said: &[u8]) -> Bytes {
    framed(END, said)
}

/// The last frame of an archive that is not, and why.
#[must_use]
pub fn broken(why: &str) -> Bytes {
    let short: String = why.chars().take(1_000).collect();
    framed(BROKEN, short.as_bytes())
}

fn framed(kind: u8, content: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + content.len());
    frame.put_u8(kind);
    frame.put_u32(u32::try_from(content.len()).unwrap_or(u32::MAX));
    frame.put_slice(content);
    frame.freeze()
}

/// What a frame was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A part of the archive.
    Data(Bytes),
    /// It is whole, and this was said of it.
    End(Bytes),
    /// It was broken off where it is made, and why.
    Broken(String),
}

/// Why what comes is no archive in frames.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is something else.
    #[error("what came is no archive")]
    Unreadable,
    /// It ended before its end.
    #[error("it was cut off on its way")]
    Cut,
    /// It went on behind its end.
    #[error("it goes on behind its end")]
    Behind,
}

/// Reads frames from whatever pieces they come in.
#[derive(Debug, Default)]
pub struct Frames {
    waiting: BytesMut,
    is_over: bool,
}

impl Frames {
    /// Takes what came.
    pub fn feed(&mut self, came: &[u8]) {
        self.waiting.extend_from_slice(came);
    }

    /// The next whole frame, if all of it has come.
    ///
    /// # Errors
    /// [`FrameError`] when it is none, or comes behind the end.
    pub fn take(&mut self) -> Result<Option<Piece>, FrameError> {
        if self.is_over {
            return if self.waiting.is_empty() { Ok(None) } else { Err(FrameError::Behind) };
        }
        let Some((kind, rest)) = self.waiting.split_first() else { return Ok(None) };
        if ![DATA, END, BROKEN].contains(kind) {
            return Err(FrameError::Unreadable);
        }
        let Some(length) = rest.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > LONGEST_FRAME {
            return Err(FrameError::Unreadable);
        }
        if rest.len() < 4 + length {
            return Ok(None);
        }
        let kind = *kind;
        self.waiting.advance(HEAD);
        let content = self.waiting.split_to(length).freeze();
        self.is_over = kind != DATA;
        Ok(Some(match kind {
            DATA => Piece::Data(content),
            END => Piece::End(content),
            _ => Piece::Broken(String::from_utf8_lossy(&content).into_owned()),
        }))
    }

    /// To be asked when nothing more comes.
    ///
    /// # Errors
    /// [`FrameError::Cut`] when the last frame did not come.
    pub fn finish(&self) -> Result<(), FrameError> {
        if self.is_over { Ok(()) } else { Err(FrameError::Cut) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sent() -> Vec<u8> {
        [frame(b"one"), frame(b""), frame(b"two"), end(b"{}")].concat()
    }

    #[test]
    fn frames_come_out_as_they_went_in_whatever_pieces_they_come_in() {
        let wanted =
            [Piece::Data("one".into()), Piece::Data("".into()), Piece::Data("two".into()), Piece::End("{}".into())];
        for size in 1..sent().len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for came in sent().chunks(size) {
                frames.feed(came);
                while let Some(piece) = frames.take().unwrap() {
                    found.push(piece);
                }
            }
            frames.finish().unwrap();
            assert_eq!(found, wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn what_ends_early_is_cut_off_wherever_that_is() {
        for length in 0..sent().len() {
            let mut frames = Frames::default();
            frames.feed(&sent()[..length]);
            while let Some(piece) = frames.take().unwrap() {
                assert!(matches!(piece, Piece::Data(_)));
            }
            assert_eq!(frames.finish(), Err(FrameError::Cut), "{length}");
        }
    }

    #[test]
    fn what_was_broken_off_where_it_was_made_says_why_and_is_over() {
        let mut frames = Frames::default();
        frames.feed(&[frame(b"one"), broken("the disk can't be read")].concat());
        frames.take().unwrap();
        assert_eq!(frames.take().unwrap(), Some(Piece::Broken("the disk can't be read".into())));
        frames.finish().unwrap();
        frames.feed(b"d");
        assert_eq!(frames.take(), Err(FrameError::Behind));
    }

    #[test]
    fn a_page_of_a_proxy_is_no_archive_and_no_length_makes_anybody_wait_for_ever() {
        for other in [&b"<html>Bad gateway"[..], b"d\xff\xff\xff\xff"] {
            let mut frames = Frames::default();
            frames.feed(other);
            assert_eq!(frames.take(), Err(FrameError::Unreadable));
        }
    }
}
