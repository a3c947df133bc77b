//! What a request's head says about its body.

use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use super::{Ambiguous, Place};

const LENGTH: &[u8] = b"content-length";
const ENCODING: &[u8] = b"transfer-encoding";

/// Whether the headers of a request that came in frames would be beyond doubt as lines too, which they
/// are where it goes. Frames have lengths of their own, so of all headers only a length may speak of it.
pub(crate) fn is_clear(headers: &HeaderMap) -> bool {
    let speaks_of_framing = |name: &[u8]| is_like(name, LENGTH) || is_like(name, ENCODING);
    let mut speaking = headers.iter().filter(|(name, _)| speaks_of_framing(name.as_str().as_bytes()));
    match (speaking.next(), speaking.next()) {
        (None, _) => true,
        (Some((name, value)), None) => *name == CONTENT_LENGTH && decimal(value.as_bytes()).is_ok(),
        (Some(_), Some(_)) => false,
    }
}

/// Framing as far as the head was read.
#[derive(Debug, Default)]
pub(super) struct Head {
    is_http_11: bool,
    length: Option<u64>,
    is_chunked: bool,
}

impl Head {
    pub(super) fn beginning_with(request_line: &[u8]) -> Self {
        Self { is_http_11: request_line.ends_with(b" HTTP/1.1"), length: None, is_chunked: false }
    }

    /// Takes in one field line.
    pub(super) fn field(&mut self, line: &[u8]) -> Result<(), Ambiguous> {
        match Field::of(line)? {
            Field::Other => {}
            Field::Length(value) if self.length.is_none() && !self.is_chunked => self.length = Some(decimal(value)?),
            // An earlier version does not know it, so that a server of that age looks past it.
            Field::Encoding(value) if self.length.is_none() && !self.is_chunked && self.is_http_11 => {
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Ambiguous);
                }
                self.is_chunked = true;
            }
            Field::Length(_) | Field::Encoding(_) => return Err(Ambiguous),
        }
        Ok(())
    }

    /// What follows the head.
    pub(super) fn body(&self) -> Place {
        match self.length {
            _ if self.is_chunked => Place::ChunkSize,
            None | Some(0) => Place::RequestLine,
            Some(length) => Place::Body(length),
        }
    }
}

/// A line after the last chunk. One that speaks of framing comes too late to be believed.
pub(super) fn trailer(line: &[u8]) -> Result<(), Ambiguous> {
    match Field::of(line)? {
        Field::Other => Ok(()),
        Field::Length(_) | Field::Encoding(_) => Err(Ambiguous),
    }
}

enum Field<'l> {
    Length(&'l [u8]),
    Encoding(&'l [u8]),
    Other,
}

impl<'l> Field<'l> {
    fn of(line: &'l [u8]) -> Result<Self, Ambiguous> {
        match line.first() {
            // A folded line: part of the one before to some, a field of its own to others.
            Some(b' ' | b'\t') => Err(Ambiguous),
            Some(b'c' | b'C') => Ok(value(line, LENGTH)?.map_or(Self::Other, Self::Length)),
            Some(b't' | b'T') => Ok(value(line, ENCODING)?.map_or(Self::Other, Self::Encoding)),
            _ => Ok(Self::Other),
        }
    }
}

/// The value, if the line has this name. The name with an underscore is another name to us, and the
/// same one to applications that get their headers as variables.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Result<Option<&'l [u8]>, Ambiguous> {
    let Some((start, [b':', value @ ..])) = line.split_at_checked(name.len()) else { return Ok(None) };
    if !is_like(start, name) {
        return Ok(None);
    }
    if start.contains(&b'_') { Err(Ambiguous) } else { Ok(Some(trimmed(value))) }
}

fn is_like(found: &[u8], name: &[u8]) -> bool {
    let is_same = |(byte, of_name): (&u8, &u8)| byte.eq_ignore_ascii_case(of_name) || (*byte, *of_name) == (b'_', b'-');
    found.len() == name.len() && found.iter().zip(name).all(is_same)
}

/// Without the spaces and tabs around it, which are no part of a value.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn decimal(value: &[u8]) -> Result<u64, Ambiguous> {
    if !value.iter().all(u8::is_ascii_digit) {
        return Err(Ambiguous);
    }
    std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).ok_or(Ambiguous)
}
