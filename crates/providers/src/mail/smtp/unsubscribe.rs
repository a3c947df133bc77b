//! What lets mail programs offer, beside a mail, to ask for no more of them, and ask by themselves (RFC 2369, RFC 8058).

use std::error::Error;

use lettre::message::header::{Header, HeaderName, HeaderValue};

/// Where to ask, in angle brackets.
#[derive(Debug, Clone)]
pub(super) struct ListUnsubscribe(pub(super) String);

/// Asking there takes one request and no page.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListUnsubscribePost;

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), ONE_CLICK.to_owned())
    }
}
