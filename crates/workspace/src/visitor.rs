//! Who is here. A guard in front of the program says so in a header; without one there is only you.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::refusal::Refusal;

/// The header in which the guard puts the e-mail address of the person who signed in.
pub const HEADER: &str = "x-spinoff-user";

/// The person who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// The only person, on a machine of their own.
    You,
    /// A member, by e-mail address.
    Member(String),
}

impl fmt::Display for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("you"),
            Self::Member(email) => f.write_str(email),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(header) = parts.headers.get(HEADER) else { return Ok(Self::You) };
        let email = str::from_utf8(header.as_bytes()).unwrap_or_default().trim();
        if email.is_empty() || email.chars().count() > 254 || email.chars().any(char::is_control) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "Who is this?",
                "The sign-in service sent a name that cannot be one. Sign out and in again.",
            ));
        }
        Ok(Self::Member(email.to_owned()))
    }
}
