//! One rule about an application: which requests or messages it speaks of, and what they are.

use std::borrow::Cow;

use domain::Signal;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, Method, Uri};
use regex_lite::Regex;

/// What a rule's pattern for bodies is held against.
pub(crate) const BODY_BYTES: usize = 4 * 1024;
/// What a rule's pattern for messages is held against.
pub(crate) const MESSAGE_BYTES: usize = 1024;

/// What is asked, as the client said it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r Method,
    pub(crate) target: &'r Uri,
    pub(crate) headers: &'r HeaderMap,
}

/// The beginning of a message through a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'m> {
    /// The first [`MESSAGE_BYTES`] of it.
    pub(crate) start: &'m [u8],
    /// Whether that is all of it.
    pub(crate) whole: bool,
    pub(crate) form: MessageForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageForm {
    Text,
    Binary,
    /// By an extension that was never agreed on.
    Unreadable,
}

/// What that which a rule speaks of is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// No use.
    No,
    /// Use, of the kind that is due to whoever does it.
    Own,
    /// Use of this kind, whoever does it.
    As(Signal),
}

/// A rule about requests. What it leaves out, it does not look at.
#[derive(Debug)]
pub(crate) struct RequestRule {
    pub(crate) methods: Methods,
    /// Path as written, without the query.
    pub(crate) path: Option<Regex>,
    pub(crate) query: Option<Regex>,
    pub(crate) header: Option<(HeaderName, &'static str)>,
    pub(crate) body: Option<BodyPattern>,
    pub(crate) counts: Use,
}

#[derive(Debug)]
pub(crate) enum Methods {
    Any,
    /// All that are made to change something.
    Changing,
    These(Vec<Method>),
}

#[derive(Debug)]
pub(crate) struct BodyPattern {
    pub(crate) pattern: Regex,
    /// Longer bodies, and those of unknown length, are not looked at; `None` looks at all.
    pub(crate) longest: Option<u64>,
}

/// A rule about messages through WebSockets opened at certain paths.
#[derive(Debug)]
pub(crate) struct MessageRule {
    pub(crate) path: Regex,
    pub(crate) message: Option<Regex>,
    pub(crate) counts: Use,
}

/// Whether a rule speaks of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    No,
    Yes,
    /// When its body fits as well.
    IfBody,
}

impl Use {
    /// The signal, of somebody whose own kind is `own`.
    pub(crate) fn signal(self, own: Signal) -> Option<Signal> {
        match self {
            Self::No => None,
            Self::Own => Some(own),
            Self::As(signal) => Some(signal),
        }
    }
}

impl RequestRule {
    /// Looks at all but the body.
    pub(crate) fn fits(&self, asked: &Asked<'_>) -> Fit {
        let fits = self.methods.include(asked.method)
            && self.header.as_ref().is_none_or(|(name, start)| says(asked.headers, name, start))
            && self.path.as_ref().is_none_or(|path| path.is_match(asked.target.path()))
            && self.query.as_ref().is_none_or(|query| query.is_match(asked.target.query().unwrap_or_default()));
        match &self.body {
            _ if !fits => Fit::No,
            None => Fit::Yes,
            Some(body) if body.looks_at(asked.headers) => Fit::IfBody,
            Some(_) => Fit::No,
        }
    }

    /// Whether a body that begins like this fits.
    pub(crate) fn fits_body(&self, text: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.pattern.is_match(text))
    }
}

impl Methods {
    fn include(&self, method: &Method) -> bool {
        match self {
            Self::Any => true,
            Self::Changing => changes(method),
            Self::These(these) => these.contains(method),
        }
    }
}

impl BodyPattern {
    fn looks_at(&self, headers: &HeaderMap) -> bool {
        let length = || headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok();
        self.longest.is_none_or(|longest| length().is_some_and(|length| length <= longest))
    }
}

impl MessageRule {
    pub(crate) fn fits(&self, message: &Message<'_>) -> bool {
        let Some(pattern) = &self.message else { return true };
        match message.form {
            MessageForm::Text => pattern.is_match(&text(message.start)),
            MessageForm::Binary => pattern.is_match(&letters(message.start)),
            MessageForm::Unreadable => false,
        }
    }
}

/// Whether a method is made to change something.
pub(crate) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The beginning of a text as text; of anything else, a letter for each byte.
pub(crate) fn text(start: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(start) {
        Ok(text) => Cow::Borrowed(text),
        // Cut within a letter.
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(start.get(..error.valid_up_to()).unwrap_or_default())
        }
        Err(_) => Cow::Owned(letters(start)),
    }
}

/// A letter for each byte: the one with its number.
pub(crate) fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn says(headers: &HeaderMap, name: &HeaderName, start: &str) -> bool {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.get(..start.len())).is_some_and(|value| value.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn bytes_are_text_when_they_can_be_and_letters_otherwise() {
        for (bytes, expected) in [
            (&b"plain"[..], "plain"),
            ("größe".as_bytes(), "größe"),
            ("grö".as_bytes().split_last().unwrap().1, "gr"),
            (b"\xc0\x00", "\u{c0}\u{0}"),
            (b"", ""),
        ] {
            assert_eq!(text(bytes), expected, "{bytes:?}");
        }
        assert_eq!(letters("é".as_bytes()), "\u{c3}\u{a9}");
    }
}
