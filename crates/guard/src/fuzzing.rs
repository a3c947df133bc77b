//! What fuzzers get to see of the inside. Not part of any build but theirs.

use http::{HeaderMap, Method, Uri};

use crate::gate;
use crate::headers::{self, Assertion};
use crate::own::Own;

/// What a request brings to prove who is asking.
#[derive(Debug)]
pub enum Found<'h> {
    /// Nothing.
    None,
    /// One assertion.
    One(&'h str),
    /// More than one, or one that is no text.
    Ambiguous,
}

/// Finds the assertion.
#[must_use]
pub fn found_assertion(headers: &HeaderMap) -> Found<'_> {
    match headers::assertion(headers) {
        Assertion::None => Found::None,
        Assertion::One(token) => Found::One(token),
        Assertion::Ambiguous => Found::Ambiguous,
    }
}

/// Removes everything by which a client could pose as somebody else.
pub fn strip(headers: &mut HeaderMap) {
    headers::strip(headers);
}

/// Whether a GET of this target needs no identity when `public` is a public path.
#[must_use]
pub fn is_open(target: &Uri, public: &str) -> bool {
    Own::named_by(&Method::GET, target).is_some() || gate::is_public(target.path(), &[public.to_owned()])
}
