//! What a request's head says about its body.

use super::{Ambiguous, Place};

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
            Some(b'c' | b'C') => Ok(value(line, b"content-length")?.map_or(Self::Other, Self::Length)),
            Some(b't' | b'T') => Ok(value(line, b"transfer-encoding")?.map_or(Self::Other, Self::Encoding)),
            _ => Ok(Self::Other),
        }
    }
}

/// The value, if the line has this name. The name with an underscore is another name to us, and the
/// same one to applications that get their headers as variables.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Result<Option<&'l [u8]>, Ambiguous> {
    let Some((start, [b':', value @ ..])) = line.split_at_checked(name.len()) else { return Ok(None) };
    let is_same = |(byte, of_name): (&u8, &u8)| byte.eq_ignore_ascii_case(of_name) || (*byte, *of_name) == (b'_', b'-');
    if !start.iter().zip(name).all(is_same) {
        return Ok(None);
    }
    if start.contains(&b'_') { Err(Ambiguous) } else { Ok(Some(trimmed(value))) }
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
