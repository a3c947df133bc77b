//! Lines out of pieces.

use memchr::memchr2;

/// No line among chunks is longer: extensions are rare, and trailers short.
const LONGEST_AMONG_CHUNKS: usize = 16 * 1024;
/// A buffer that grew beyond this is not kept for the next line.
const KEPT: usize = 1024;

/// A line of which the end is not there yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    saw_cr: bool,
}

/// What a piece holds of a line. Lengths are in bytes of the piece, up to and with the one that
/// decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut<'l> {
    /// Its end, and so all of it; without CRLF.
    Line(&'l [u8], usize),
    /// Not its end.
    Unfinished,
    /// A CR or LF without the other.
    Bare(usize),
}

impl Lines {
    /// Looks for the end of the line that is under way.
    pub(super) fn cut<'l>(&'l mut self, piece: &'l [u8]) -> Cut<'l> {
        if self.saw_cr {
            return if piece.first() == Some(&b'\n') { Cut::Line(&self.begun, 1) } else { Cut::Bare(1) };
        }
        let Some(at) = memchr2(b'\r', b'\n', piece) else {
            self.begun.extend_from_slice(piece);
            return Cut::Unfinished;
        };
        let (line, end) = piece.split_at(at);
        match end {
            [b'\r', b'\n', ..] if self.begun.is_empty() => Cut::Line(line, at + 2),
            [b'\r', b'\n', ..] => {
                self.begun.extend_from_slice(line);
                Cut::Line(&self.begun, at + 2)
            }
            [b'\r'] => {
                self.begun.extend_from_slice(line);
                self.saw_cr = true;
                Cut::Unfinished
            }
            [b'\r', ..] => Cut::Bare(at + 2),
            _ => Cut::Bare(at + 1),
        }
    }

    /// Begins the next line.
    pub(super) fn done(&mut self) {
        self.saw_cr = false;
        if self.begun.capacity() > KEPT {
            self.begun = Vec::new();
        } else {
            self.begun.clear();
        }
    }

    /// Longer than anything among chunks should be. Heads have a limit of their own.
    pub(super) fn is_too_long(&self) -> bool {
        self.begun.len() > LONGEST_AMONG_CHUNKS
    }
}
