//! Where requests begin and end on an HTTP/1 connection, read strictly.
//!
//! The parser that serves requests repairs what two servers could read differently: of
//! Content-Length and Transfer-Encoding it drops one, equal lengths it merges, a bare LF it takes
//! for a line's end. Nothing of that can be seen in the request it hands over, so it is looked for
//! in the bytes before they get there. Only lines and lengths are read here; everything else about a
//! request stays the parser's business.

use crate::framing::chunks::ChunkSize;
use crate::framing::head::Head;
use crate::framing::lines::{Cut, Lines};

mod chunks;
mod head;
mod lines;

pub(crate) use crate::framing::head::is_clear;

/// Follows one connection's requests.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    place: Place,
    head: Head,
    lines: Lines,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// A request line, or an empty line before it (RFC 9112, 2.2).
    #[default]
    RequestLine,
    Field,
    /// So many bytes of a body.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk.
    Chunk(u64),
    ChunkEnd,
    Trailer,
}

/// What was read can be understood in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// So many bytes of the piece are beyond doubt.
    pub(crate) clear: usize,
    pub(crate) within: Within,
}

/// Where the doubt arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// Nobody has seen anything of this request.
    Head,
    /// The request is being served.
    Body,
}

/// A line or length that servers read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ambiguous;

impl Framing {
    /// Reads the next piece of what the client sent. Pieces may be cut anywhere.
    ///
    /// # Errors
    /// [`Refused`], after which nothing further may be read.
    pub(crate) fn read(&mut self, piece: &[u8]) -> Result<(), Refused> {
        let mut rest = piece;
        while !rest.is_empty() {
            let before = piece.len() - rest.len();
            if let Place::Body(left) | Place::Chunk(left) = self.place {
                rest = self.skip(left, rest);
                continue;
            }
            // Of what was looked at, the last byte decided: without it no line ends.
            let within = self.place.within();
            let refused = |length: usize| Refused { clear: before + length - 1, within };
            let length = match self.lines.cut(rest) {
                Cut::Bare(length) => return Err(refused(length)),
                Cut::Unfinished => {
                    let is_too_long = within == Within::Body && self.lines.is_too_long();
                    return if is_too_long { Err(refused(rest.len())) } else { Ok(()) };
                }
                Cut::Line(line, length) => {
                    self.place = self.place.after(line, &mut self.head).map_err(|Ambiguous| refused(length))?;
                    length
                }
            };
            self.lines.done();
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether the client is in the middle of a body.
    pub(crate) fn is_within_body(&self) -> bool {
        self.place.within() == Within::Body
    }

    fn skip<'p>(&mut self, left: u64, piece: &'p [u8]) -> &'p [u8] {
        let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        self.place = match (self.place, left - skipped as u64) {
            (Place::Body(_), 0) => Place::RequestLine,
            (Place::Body(_), left) => Place::Body(left),
            (_, 0) => Place::ChunkEnd,
            (_, left) => Place::Chunk(left),
        };
        piece.get(skipped..).unwrap_or_default()
    }
}

impl Place {
    /// What comes after a line at this place.
    fn after(self, line: &[u8], head: &mut Head) -> Result<Self, Ambiguous> {
        match self {
            Self::RequestLine if line.is_empty() => Ok(self),
            Self::RequestLine => {
                *head = Head::beginning_with(line);
                Ok(Self::Field)
            }
            Self::Field if line.is_empty() => Ok(head.body()),
            Self::Field => head.field(line).map(|()| self),
            Self::ChunkSize => Ok(match ChunkSize::parse(line)? {
                ChunkSize(0) => Self::Trailer,
                ChunkSize(size) => Self::Chunk(size),
            }),
            Self::ChunkEnd if line.is_empty() => Ok(Self::ChunkSize),
            Self::Trailer if line.is_empty() => Ok(Self::RequestLine),
            Self::Trailer => head::trailer(line).map(|()| self),
            Self::ChunkEnd | Self::Body(_) | Self::Chunk(_) => Err(Ambiguous),
        }
    }

    fn within(self) -> Within {
        if matches!(self, Self::RequestLine | Self::Field) { Within::Head } else { Within::Body }
    }
}

#[cfg(test)]
mod tests;
