use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::ProviderError;

/// What is asked of a provider.
#[derive(Debug, Clone)]
pub struct Call {
    /// As it is called in messages and records: `projectCreate`, `POST /zones/{zone_id}/dns_records`.
    pub operation: &'static str,
    /// `POST`, …
    pub method: Method,
    /// Below the API's address, with a leading slash.
    pub path: String,
    /// What stands behind the question mark.
    pub query: Vec<(String, String)>,
    /// Beside those that every call has. No credentials.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Body,
    /// Whether it may be asked again when no answer came.
    pub repeat: Repeat,
}

/// What is sent with a call.
#[derive(Debug, Clone, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// JSON.
    Json(serde_json::Value),
    /// A form.
    Form(Vec<(String, String)>),
}

/// Whether a call may be repeated when it is not known whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It only looks, or twice is as good as once, or the provider knows it by a key.
    Safe,
    /// Twice would be one too many.
    Never,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Neither 429 nor 5xx.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// What it says.
    pub body: Bytes,
    /// The provider's id of the request, for its support.
    pub request_id: Option<String>,
}

impl Call {
    /// A call without query, headers and body.
    pub fn new(operation: &'static str, method: Method, path: impl Into<String>, repeat: Repeat) -> Self {
        Self { operation, method, path: path.into(), query: Vec::new(), headers: Vec::new(), body: Body::None, repeat }
    }

    /// Something that only looks.
    pub fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path, Repeat::Safe)
    }

    /// With a part of the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With JSON.
    #[must_use]
    pub fn json(mut self, value: serde_json::Value) -> Self {
        self.body = Body::Json(value);
        self
    }

    /// With a form.
    #[must_use]
    pub fn form(mut self, pairs: Vec<(String, String)>) -> Self {
        self.body = Body::Form(pairs);
        self
    }
}

impl Reply {
    /// Reads the answer.
    ///
    /// # Errors
    /// [`ProviderError::Lost`] when it is of another form: what was asked may have been done.
    pub fn read<T: DeserializeOwned>(&self, operation: &str) -> Result<T, ProviderError> {
        serde_json::from_slice(&self.body).map_err(|error| ProviderError::Lost {
            what: operation.to_owned(),
            why: format!("an answer with status {} that can't be read: {error}", self.status),
        })
    }
}
