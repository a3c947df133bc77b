//! What may be asked. Fields are passed on when it is known that they cost nothing beside the tokens of question and
//! answer; all others are refused by name, since a field that nobody here knows could be billed without being counted.

use serde_json::{Map, Value, json};

use super::{ModelSettings, OfferedModel, Refused};

/// The longest question, in bytes: more than the models of today take in.
pub(super) const LARGEST: usize = 2 << 20;

const LENGTHS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// What changes how a model answers, and not what a token costs.
const PASSED_ON: [&str; 18] = [
    "messages",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "stop",
    "seed",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logit_bias",
    "reasoning_effort",
    "verbosity",
    "user",
];

/// A question that may be asked, once it is paid for.
pub(super) struct Question {
    body: Map<String, Value>,
    pub(super) model: OfferedModel,
    /// The most tokens that it can be: no text has more of them than bytes, and a body is longer than its texts.
    pub(super) asked: u64,
    /// The longest answer that is wanted, in tokens.
    pub(super) wanted: u64,
    pub(super) streams: bool,
}

impl Question {
    /// Reads a question, and bounds it.
    ///
    /// # Errors
    /// [`Refused`] names what can't be asked.
    pub(super) fn parse(settings: &ModelSettings, raw: &[u8]) -> Result<Self, Refused> {
        let read = serde_json::from_slice(raw);
        let mut body: Map<String, Value> =
            read.map_err(|error| Refused::question("malformed", format!("The question is no JSON object: {error}.")))?;
        let model = model(settings, &body)?;
        let streams = match body.get("stream") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(wrong("stream", "true or false")),
        };
        if !matches!(body.get("n"), None | Some(Value::Null)) && body.get("n") != Some(&json!(1)) {
            return Err(wrong("n", "1: one answer to a question"));
        }
        only_words(&body)?;
        only_functions(&body)?;
        let wanted = bound(settings, &mut body)?;
        for name in ["n", "stream", "stream_options"] {
            body.remove(name);
        }
        if let Some(name) = body.keys().find(|name| !is_known(name)) {
            let message = format!("The field {name} is not passed on, since it could cost what nobody here counts.");
            return Err(Refused::question("unknown_field", message));
        }
        if streams {
            body.insert("stream".to_owned(), json!(true));
            // Without it, what an answer took is never said.
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        let asked = serde_json::to_vec(&body).map_err(Refused::internal)?.len() as u64;
        Ok(Self { body, model, asked, wanted, streams })
    }

    /// The question, with an answer that is so long at most.
    pub(super) fn answered_within(mut self, longest: u64) -> Vec<u8> {
        for name in LENGTHS {
            if let Some(length) = self.body.get_mut(name) {
                let shorter = length.as_u64().unwrap_or(longest).min(longest);
                *length = json!(shorter);
            }
        }
        Value::Object(self.body).to_string().into_bytes()
    }
}

fn model(settings: &ModelSettings, body: &Map<String, Value>) -> Result<OfferedModel, Refused> {
    let name = body.get("model").and_then(Value::as_str).ok_or_else(|| wrong("model", "the name of a model"))?;
    let found = settings.models.iter().find(|model| model.name == name);
    found.cloned().ok_or_else(|| {
        let offered: Vec<&str> = settings.models.iter().map(|model| model.name.as_str()).collect();
        Refused::unknown_model(&offered)
    })
}

/// Lowers what is wanted to what is allowed, under the name that was used for it.
fn bound(settings: &ModelSettings, body: &mut Map<String, Value>) -> Result<u64, Refused> {
    let mut wanted = 0;
    for name in LENGTHS {
        match body.get(name).filter(|length| !length.is_null()) {
            None => drop(body.remove(name)),
            Some(length) => {
                let length =
                    length.as_u64().filter(|length| *length > 0).ok_or_else(|| wrong(name, "a number above 0"))?;
                let bounded = length.min(settings.longest_answer);
                body.insert(name.to_owned(), json!(bounded));
                wanted = wanted.max(bounded);
            }
        }
    }
    if wanted == 0 {
        wanted = settings.longest_answer;
        body.insert("max_tokens".to_owned(), json!(wanted));
    }
    Ok(wanted)
}

/// Pictures and sounds are not counted in bytes.
fn only_words(body: &Map<String, Value>) -> Result<(), Refused> {
    let messages = body.get("messages").and_then(Value::as_array).filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| wrong("messages", "a list of messages"))?;
    let is_words = |part: &Value| part["type"] == "text" && part["text"].is_string();
    for message in messages {
        let fine = match message.get("content") {
            None | Some(Value::Null | Value::String(_)) => message.is_object(),
            Some(Value::Array(parts)) => parts.iter().all(is_words),
            Some(_) => false,
        };
        if !fine {
            return Err(wrong("messages", "text: pictures, sounds and files are not passed on"));
        }
    }
    Ok(())
}

/// Tools that a provider runs itself have a price of their own.
fn only_functions(body: &Map<String, Value>) -> Result<(), Refused> {
    match body.get("tools") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(tools)) if tools.iter().all(|tool| tool["type"] == "function") => Ok(()),
        Some(_) => Err(wrong("tools", "a list of functions")),
    }
}

fn is_known(name: &str) -> bool {
    name == "model" || LENGTHS.contains(&name) || PASSED_ON.contains(&name)
}

fn wrong(field: &'static str, right: &str) -> Refused {
    Refused::question("invalid_field", format!("The field {field} should be {right}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::response::IntoResponse as _;
    use domain::Micros;

    use super::*;

    fn settings() -> ModelSettings {
        let model = |name: &str| OfferedModel { name: name.into(), input: Micros::new(1), output: Micros::new(1) };
        ModelSettings {
            models: vec![model("small"), model("large")],
            allowance: Micros::new(1),
            total: None,
            at_once: 1,
            longest_answer: 1_000,
        }
    }

    fn with(field: &str, value: Value) -> Result<Question, Refused> {
        let mut body = json!({"model": "large", "messages": [{"role": "user", "content": "Hello"}]});
        body[field] = value;
        Question::parse(&settings(), body.to_string().as_bytes())
    }

    fn sent(question: Question, longest: u64) -> Value {
        serde_json::from_slice(&question.answered_within(longest)).unwrap()
    }

    #[test]
    fn an_answer_has_a_bound_whatever_was_asked_for() {
        for (field, value, longest, expected) in [
            ("user", json!("me"), 9_999, ("max_tokens", 1_000)),
            ("max_tokens", json!(50), 9_999, ("max_tokens", 50)),
            ("max_tokens", Value::Null, 9_999, ("max_tokens", 1_000)),
            ("max_completion_tokens", json!(5_000), 9_999, ("max_completion_tokens", 1_000)),
            ("max_completion_tokens", json!(500), 70, ("max_completion_tokens", 70)),
        ] {
            let body = sent(with(field, value).unwrap(), longest);
            assert_eq!(body[expected.0], expected.1, "{body}");
        }
    }

    #[test]
    fn a_stream_counts_at_its_end_even_if_that_was_not_wanted() {
        let body = json!({"model": "small", "stream": true, "stream_options": {"include_usage": false},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]});
        let question = Question::parse(&settings(), body.to_string().as_bytes()).unwrap();
        assert!(question.streams && question.asked > 60);
        assert_eq!(sent(question, 9)["stream_options"], json!({"include_usage": true}));
        let whole = with("stream", json!(false)).unwrap();
        assert!(!whole.streams);
        assert_eq!(sent(whole, 9).get("stream_options"), None);
    }

    #[test]
    fn what_could_cost_more_than_is_counted_is_refused_by_name() {
        for (field, value) in [
            ("n", json!(2)),
            ("service_tier", json!("priority")),
            ("web_search_options", json!({})),
            ("modalities", json!(["audio"])),
            ("store", json!(true)),
            ("anything", json!(1)),
            ("tools", json!([{"type": "web_search"}])),
            ("messages", json!([])),
            ("messages", json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])),
            ("max_tokens", json!(0)),
            ("max_tokens", json!("many")),
            ("stream", json!("yes")),
        ] {
            let refused = with(field, value.clone()).map(|_| ()).unwrap_err();
            assert!(format!("{refused:?}").contains(field), "{field} {value}: {refused:?}");
            assert_eq!(refused.into_response().status(), 400);
        }
        for known in [json!(1), Value::Null] {
            assert!(with("n", known).is_ok());
        }
        let unknown = with("model", json!("huge")).map(|_| ()).unwrap_err();
        assert!(format!("{unknown:?}").contains("small, large"), "{unknown:?}");
        assert!(Question::parse(&settings(), b"[1]").is_err() && Question::parse(&settings(), b"").is_err());
    }
}
