//! A status page in the manner of Statuspage, which says what it is told to. What goes wrong, and what was asked, is the
//! server's: see [`crate::Served`].

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::{Answer, Request, Simulator};

/// Where the JSON is, below the server's address.
pub const PATH: &str = "/api/v2/status.json";

/// See the module. Clones say the same.
#[derive(Debug, Clone)]
pub struct StatusPage(Arc<Mutex<(String, String)>>);

impl Default for StatusPage {
    /// One that says that all is well.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(("none".to_owned(), "All Systems Operational".to_owned()))))
    }
}

impl StatusPage {
    /// What it says from now on: `none`, `minor`, `major`, `critical` or `maintenance`, and a description.
    pub fn say(&self, indicator: &str, description: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *said = (indicator.to_owned(), description.to_owned());
    }
}

#[async_trait]
impl Simulator for StatusPage {
    fn operation(&self, request: &Request) -> String {
        format!("{} {}", request.method(), request.uri().path())
    }

    async fn answer(&self, request: Request) -> Answer {
        let mut answer = Answer::default();
        if request.uri().path() != PATH {
            *answer.status_mut() = StatusCode::NOT_FOUND;
            return answer;
        }
        let (indicator, description) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = json!({"status": {"indicator": indicator, "description": description}});
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *answer.body_mut() = body.to_string().into();
        answer
    }

    fn failure(&self, _status: u16) -> Bytes {
        Bytes::from_static(b"<!doctype html><title>Error</title>")
    }
}
