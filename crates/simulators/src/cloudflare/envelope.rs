use bytes::Bytes;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Answer;

/// What was asked for, done.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) result: Value,
    pub(super) info: Option<Value>,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    pub(super) message: String,
}

impl Reply {
    pub(super) fn ok(result: Value) -> Self {
        Self { status: StatusCode::OK, result, info: None }
    }

    pub(super) fn created(result: Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(result) }
    }

    pub(super) fn into_answer(self) -> Answer {
        let mut body = json!({ "success": true, "errors": [], "messages": [], "result": self.result });
        if let (Some(info), Some(fields)) = (self.info, body.as_object_mut()) {
            fields.insert("result_info".into(), info);
        }
        json_answer(self.status, &body)
    }
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, message: message.into() }
    }

    /// A DNS record that can't be as it was asked for.
    pub(super) fn dns(code: u32, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A body that Access doesn't take.
    pub(super) fn access(why: impl std::fmt::Display) -> Self {
        Self::new(400, 12130, format!("access.api.error.invalid_request: {why}"))
    }

    /// Nothing of Access has this id.
    pub(super) fn unknown(what: &str) -> Self {
        Self::new(404, 11021, format!("access.api.error.unknown_{what}"))
    }

    pub(super) fn into_answer(self) -> Answer {
        json_answer(self.status, &self.body())
    }

    pub(super) fn body(&self) -> Value {
        json!({
            "success": false,
            "errors": [{ "code": self.code, "message": self.message }],
            "messages": [],
            "result": null,
        })
    }
}

/// Reads a body that is of a known form or refused. `refuse` says how this part of the API refuses.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes, refuse: fn(String) -> Refusal) -> Result<T, Refusal> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| Refusal::new(400, 6007, "Malformed JSON in request body"))?;
    serde_json::from_value(value).map_err(|error| refuse(error.to_string()))
}

/// How the DNS part refuses a body.
pub(super) fn dns_form(why: String) -> Refusal {
    Refusal::dns(1004, format!("DNS Validation Error: {why}"))
}

/// How Access refuses a body.
pub(super) fn access_form(why: String) -> Refusal {
    Refusal::access(why)
}

pub(super) fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(Bytes::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    answer
}
