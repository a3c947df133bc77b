use serde_json::{Map, Value, json};

/// Why something isn't done, in the API's form.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    decline_code: Option<&'static str>,
    message: String,
    /// Whether the same request may be tried again, where the API says so itself.
    pub(super) retry: Option<bool>,
    /// Whether the request was carried out, so that its key remembers the refusal.
    pub(super) remembered: bool,
}

impl Refusal {
    /// 400: the request makes no sense.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            param: None,
            decline_code: None,
            message: message.into(),
            retry: None,
            remembered: false,
        }
    }

    /// 404, or 400 where the missing thing was named in a parameter.
    pub(super) fn missing(kind: &str, id: &str) -> Self {
        let status = 404;
        Self { status, code: Some("resource_missing"), ..Self::invalid(format!("No such {kind}: '{id}'")) }.at("id")
    }

    /// A thing that a parameter names isn't there.
    pub(super) fn names_nothing(kind: &str, id: &str, param: &str) -> Self {
        Self { status: 400, ..Self::missing(kind, id) }.at(param)
    }

    /// 404: there is no such operation.
    pub(super) fn unknown_operation(what: &str) -> Self {
        Self { status: 404, ..Self::invalid(format!("Unrecognized request URL ({what})")) }
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self { status: 401, ..Self::invalid(message) }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self { status: 403, ..Self::invalid(message) }.code("more_permissions_required")
    }

    pub(super) fn too_many() -> Self {
        let message = "Too many requests were made at once; wait, and make them more slowly";
        Self { status: 429, retry: Some(true), ..Self::invalid(message) }.code("rate_limit")
    }

    /// The key belongs to another request, or its request still runs.
    pub(super) fn idempotency(status: u16, message: impl Into<String>) -> Self {
        let refusal = Self { status, kind: "idempotency_error", ..Self::invalid(message) };
        if status == 409 { Self { retry: Some(true), ..refusal }.code("idempotency_key_in_use") } else { refusal }
    }

    /// 402: the bank said no.
    pub(super) fn declined() -> Self {
        Self {
            status: 402,
            kind: "card_error",
            decline_code: Some("generic_decline"),
            remembered: true,
            ..Self::invalid("The card was declined").code("card_declined")
        }
    }

    /// Something broke on their side.
    pub(super) fn broken(status: u16) -> Self {
        let message = "Something went wrong on this simulator's side, on purpose";
        Self { status, kind: "api_error", remembered: true, ..Self::invalid(message) }
    }

    pub(super) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// It was refused while it was carried out, not before.
    pub(super) fn while_running(self) -> Self {
        Self { remembered: true, ..self }
    }

    /// Trying again is of no use.
    pub(super) fn for_good(self) -> Self {
        Self { retry: Some(false), ..self }
    }

    /// The parameter at fault.
    pub(super) fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    /// `{"error": …}`.
    pub(super) fn body(&self, request: &str) -> Value {
        let mut error = Map::new();
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            error.insert("doc_url".into(), format!("https://stripe.com/docs/error-codes/{code}").into());
        }
        if let Some(code) = self.decline_code {
            error.insert("decline_code".into(), code.into());
        }
        error.insert("message".into(), self.message.clone().into());
        if let Some(param) = &self.param {
            error.insert("param".into(), param.clone().into());
        }
        let log = format!("https://dashboard.stripe.com/test/logs/{request}");
        error.insert("request_log_url".into(), log.into());
        error.insert("type".into(), self.kind.into());
        json!({ "error": error })
    }
}
