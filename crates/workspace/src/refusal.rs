//! Answers that say no: what is the matter, and what to do next.

use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use crate::library::{LARGEST_TEXT, LibraryError};
use crate::pages::{Chrome, RefusalPage};

/// A page instead of the one that was asked for.
#[derive(Debug)]
pub struct Refusal {
    /// The kind of refusal.
    pub status: StatusCode,
    /// What is the matter, in a few words.
    pub title: &'static str,
    /// Why, and what to do next.
    pub text: String,
}

impl Refusal {
    /// A refusal in these words.
    pub fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self { status, title, text: text.into() }
    }

    /// Nothing is at the address.
    #[must_use]
    pub fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "It may have been deleted or renamed. Deleted things can be brought back from “Deleted”.",
        )
    }
}

impl From<LibraryError> for Refusal {
    fn from(error: LibraryError) -> Self {
        let (status, text) = explain(&error);
        let title = match error {
            LibraryError::Missing => return Self::missing(),
            LibraryError::Stale(_) => "It has changed in the meantime",
            LibraryError::Unreadable(_) | LibraryError::Problem(_) => "This file needs a hand",
            LibraryError::TooLarge(_) => "Too large",
            LibraryError::Disk(_) => "The disk refused",
        };
        Self { status, title, text }
    }
}

/// The status and the sentence for an error, for a page that keeps what the person typed.
#[must_use]
pub fn explain(error: &LibraryError) -> (StatusCode, String) {
    match error {
        LibraryError::Missing => (
            StatusCode::CONFLICT,
            "It has been deleted in the meantime, so it could not be saved. Your text is still here: copy it, or bring the deleted one back from “Deleted” and paste it there.".to_owned(),
        ),
        LibraryError::Stale(_) => (StatusCode::CONFLICT, "Somebody else changed it in the meantime. Nothing was overwritten. Look at it again, then repeat what you did.".to_owned()),
        LibraryError::Unreadable(why) => (StatusCode::UNPROCESSABLE_ENTITY, why.clone()),
        LibraryError::Problem(problem) => (StatusCode::UNPROCESSABLE_ENTITY, problem.to_string()),
        LibraryError::TooLarge(bytes) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The text is {} KiB, and {} KiB is the most for one document. Split it into several.", bytes.div_ceil(1024), LARGEST_TEXT / 1024),
        ),
        LibraryError::Disk(error) => {
            tracing::error!(%error, "The data folder cannot be used: {error}");
            let is_full = matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
            let status = if is_full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::INTERNAL_SERVER_ERROR };
            (status, format!("The data folder cannot be used ({error}). Nothing that was saved before is lost. Keep a copy of your text and try again."))
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let page = RefusalPage { chrome: Chrome::nameless(), title: self.title, text: &self.text };
        match page.render() {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(_) => (self.status, self.text).into_response(),
        }
    }
}

/// The same for programs: `{"title", "detail", "status"}`.
pub struct ApiRefusal(pub Refusal);

impl<E: Into<Refusal>> From<E> for ApiRefusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiRefusal {
    fn into_response(self) -> Response {
        let Refusal { status, title, text } = self.0;
        (status, Json(json!({"title": title, "detail": text, "status": status.as_u16()}))).into_response()
    }
}
