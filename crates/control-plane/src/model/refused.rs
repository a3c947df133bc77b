//! Why a question is not answered, in the form in which providers of models say so, and in words for whoever asked.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Micros, Month};
use serde_json::json;

use crate::error::AppError;

/// An error in the protocol's own form.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    message: String,
    /// In seconds.
    retry_after: Option<u64>,
}

impl Refused {
    fn new(status: StatusCode, kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code, message: message.into(), retry_after: None }
    }

    fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn not_offered() -> Self {
        let message = "No model is offered here. Enter a key of your own under Settings.";
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", "not_offered", message)
    }

    /// The question can't be passed on as it stands.
    pub(super) fn question(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", code, message)
    }

    pub(super) fn unknown_model(offered: &[&str]) -> Self {
        let message = format!("This model is not offered. There is: {}.", offered.join(", "));
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", "model_not_found", message)
    }

    pub(super) fn too_large(most: usize) -> Self {
        let message = format!("The question is larger than {} KiB. Ask with less beside it.", most >> 10);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "question_too_large", message)
    }

    pub(super) fn too_many_at_once(at_once: u32) -> Self {
        let message = format!("{at_once} questions are being answered already, which is as many as may be at once.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "too_many_at_once", message).after(2)
    }

    pub(super) fn suspended() -> Self {
        let message = "This workspace is suspended, so the included AI rests as well.";
        Self::new(StatusCode::FORBIDDEN, "permission_error", "suspended", message)
    }

    /// It is not made yet, or not there any more.
    pub(super) fn not_in_use() -> Self {
        let message = "This workspace is not in use, so nothing is answered for it.";
        Self::new(StatusCode::FORBIDDEN, "permission_error", "not_in_use", message)
    }

    pub(super) fn used_up(used: Micros, allowance: Micros, month: Month) -> Self {
        let [used, allowance] = [used, allowance].map(|amount| amount.to_cents().priced("usd"));
        let renewed = month.next().first_hour().start().strftime("%-d %B");
        let message = format!(
            "The included AI of this month is used up ({used} of {allowance}); it is renewed on {renewed}. You can enter \
             a key of your own under Settings."
        );
        Self::new(StatusCode::PAYMENT_REQUIRED, "insufficient_quota", "allowance_used_up", message)
    }

    pub(super) fn total_used_up(month: Month) -> Self {
        let renewed = month.next().first_hour().start().strftime("%-d %B");
        let message = format!(
            "The included AI is used up for everybody this month; it is renewed on {renewed}. You can enter a key of \
             your own under Settings."
        );
        Self::new(StatusCode::PAYMENT_REQUIRED, "insufficient_quota", "total_used_up", message)
    }

    /// The provider does not take the question; the words are its own.
    pub(super) fn by_provider(said: &str) -> Self {
        Self::question("refused_by_provider", said)
    }

    pub(super) fn provider_is_busy(seconds: Option<u64>) -> Self {
        let message = "The provider of the included AI has more to do than it can at the moment.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "provider_busy", message)
            .after(seconds.unwrap_or(5))
    }

    /// Whose fault it is, is told to the operator and nobody else.
    pub(super) fn provider_failed() -> Self {
        let message = "The provider of the included AI does not answer as it should. The operator can see why.";
        Self::new(StatusCode::BAD_GATEWAY, "server_error", "provider_failed", message)
    }

    pub(super) fn provider_is_silent() -> Self {
        let message = "The provider of the included AI did not answer in time.";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "server_error", "provider_silent", message)
    }

    /// Our own fault; the cause goes to the log now, and no further.
    pub(super) fn internal(error: impl Into<anyhow::Error>) -> Self {
        let _logged = AppError::internal(error);
        let message = "Something went wrong on our side. Ask again in a moment.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "internal", message)
    }
}

impl From<AppError> for Refused {
    fn from(error: AppError) -> Self {
        let (status, title, next_step) = error.describe();
        let kind = match status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::FORBIDDEN => "permission_error",
            _ => "server_error",
        };
        Self::new(status, kind, "not_an_instance", format!("{title}. {next_step}"))
    }
}

impl From<store::sqlx::Error> for Refused {
    fn from(error: store::sqlx::Error) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { status, kind, code, message, retry_after } = self;
        let document = json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
