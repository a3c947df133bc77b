use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use providers::ProviderError;
use workflow::EngineError;

use crate::instances::store::TransitionError;
use crate::text::capital;

/// Why a request was not done. Pages and API answers are made from it in one place each.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    /// What is asked for does not exist, or not for whoever asks.
    #[error("not found")]
    NotFound,
    /// The request can't be granted as it stands.
    #[error("{title}")]
    Refused { status: StatusCode, title: String, next_step: String },
    /// Nobody is signed in, and the answer is a place to do so.
    #[error("not signed in")]
    SignIn(String),
    /// Our fault; the cause is logged and not shown.
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

impl AppError {
    /// Our fault; the cause goes to the log now, and no further.
    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        tracing::error!("A request failed: {error:#}");
        Self::Internal(error)
    }

    /// Status, title and next step, as shown to whoever asked.
    pub(crate) fn describe(&self) -> (StatusCode, String, String) {
        match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here".to_owned(),
                "Check the address, or start again from the front page.".to_owned(),
            ),
            Self::Refused { status, title, next_step } => (*status, title.clone(), next_step.clone()),
            Self::SignIn(_) => {
                (StatusCode::UNAUTHORIZED, "You are not signed in".to_owned(), "Sign in and try again.".to_owned())
            }
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side".to_owned(),
                "Try again in a moment. The details are in the server's log.".to_owned(),
            ),
        }
    }

    /// The answer to a program.
    /// What is wrong with what was entered, for the form that it was entered in; anything else stays an error.
    pub(crate) fn about_what_was_entered(self) -> Result<String, Self> {
        match self {
            Self::Refused { status, title, next_step } if status != StatusCode::NOT_FOUND => {
                Ok(format!("{}. {next_step}", capital(&title)))
            }
            other => Err(other),
        }
    }

    pub(crate) fn into_problem(self) -> Response {
        let (status, title, mut next_step) = self.describe();
        if matches!(self, Self::NotFound) {
            "Check the address and the id or name in it; the lists show what there is.".clone_into(&mut next_step);
        }
        let problem = api::Problem::new(status.as_u16(), title, "").with_next_step(next_step);
        let mut response = (status, axum::Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(api::PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The request can't be granted: what is wrong, and what to do.
pub(crate) fn refused(status: u16, title: &str, next_step: &str) -> AppError {
    AppError::Refused {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        title: title.to_owned(),
        next_step: next_step.to_owned(),
    }
}

impl From<store::sqlx::Error> for AppError {
    fn from(error: store::sqlx::Error) -> Self {
        Self::internal(error)
    }
}

impl From<edge::EdgeError> for AppError {
    fn from(error: edge::EdgeError) -> Self {
        Self::internal(error)
    }
}

impl From<ProviderError> for AppError {
    fn from(error: ProviderError) -> Self {
        match &error {
            ProviderError::NotFound { .. } => Self::NotFound,
            ProviderError::Refused { what, why, next } => refused(409, &format!("{what}: {why}"), next),
            ProviderError::Unavailable { .. }
            | ProviderError::Lost { .. }
            | ProviderError::NotYet { .. }
            | ProviderError::InLine { .. } => {
                tracing::warn!("A provider is unavailable: {error}");
                refused(503, "A provider does not answer at the moment", "Try again in a moment.")
            }
            ProviderError::Declined(_) => Self::internal(error),
        }
    }
}

impl From<TransitionError> for AppError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::NotFound(_) => Self::NotFound,
            TransitionError::Store(error) => error.into(),
            other => refused(409, &other.to_string(), "Look at its present state and try again."),
        }
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound(_) => Self::NotFound,
            EngineError::Store(error) => error.into(),
            other => refused(409, &other.to_string(), "Look at the workflow's present state."),
        }
    }
}
