use serde_json::{Value, json};

/// Why a root field of an operation has no value. It arrives with status 200, as Railway's do.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Railway uses this code for ordinary refusals too, so that the message has to be read.
pub(super) const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

impl Refusal {
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { code: INTERNAL, message: message.into() }
    }

    /// The token is wrong, expired, revoked or of the wrong kind: it never says which.
    pub(super) fn not_authorized() -> Self {
        Self::internal("Not Authorized")
    }

    /// Something isn't there, or not yet.
    pub(super) fn not_found(noun: &str) -> Self {
        Self::internal(format!("{noun} not found"))
    }

    /// What Railway says when it gives no reason.
    pub(super) fn problem() -> Self {
        Self::internal("Problem processing request")
    }

    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self { code: "BAD_USER_INPUT", message: message.into() }
    }

    pub(super) fn plan_limit(message: impl Into<String>) -> Self {
        Self { code: "PLAN_LIMIT", message: message.into() }
    }
}

/// A body with one error and no data.
pub(super) fn error_body(code: &str, message: &str) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code } }] })
}
