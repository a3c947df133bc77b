//! The chat completions protocol: what is sent, and what comes back in pieces.

use serde::Deserialize;
use serde_json::{Value, json};

use super::message::{Message, Tool};

/// Where providers differ in what they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How the longest answer is named; nothing for providers that take no such length.
    length_field: Option<&'static str>,
    /// Whether they can be asked to count tokens at the end of a stream.
    counts_on_request: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { length_field: Some("max_tokens"), counts_on_request: true }
    }
}

impl Dialect {
    /// Another dialect to try, after a provider refused a field with these words.
    #[must_use]
    pub fn after_refusal(self, said: &str) -> Option<Self> {
        if said.contains("stream_options") && self.counts_on_request {
            return Some(Self { counts_on_request: false, ..self });
        }
        let is_about_length = said.contains("max_tokens") || said.contains("max_completion_tokens");
        let length_field = match self.length_field {
            Some("max_tokens") if said.contains("max_completion_tokens") => Some("max_completion_tokens"),
            // It may also be more than the model can say at all; then its own limit holds.
            Some(_) => None,
            None => return None,
        };
        is_about_length.then_some(Self { length_field, ..self })
    }

    /// The body of a question.
    #[must_use]
    pub fn body(self, model: &str, messages: &[Message], tools: &[Tool], longest: u64) -> Value {
        let messages: Vec<Value> = messages.iter().map(message).collect();
        let mut body = json!({"model": model, "messages": messages, "stream": true});
        if let Some(field) = self.length_field {
            body[field] = json!(longest);
        }
        if self.counts_on_request {
            body["stream_options"] = json!({"include_usage": true});
        }
        if !tools.is_empty() {
            body["tools"] = tools.iter().map(tool).collect();
        }
        body
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::System(text) => json!({"role": "system", "content": text}),
        Message::User(text) => json!({"role": "user", "content": text}),
        Message::Assistant { text, calls } if calls.is_empty() => json!({"role": "assistant", "content": text}),
        Message::Assistant { text, calls } => {
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| {
                    let function = json!({"name": call.name, "arguments": call.arguments});
                    json!({"id": call.id, "type": "function", "function": function})
                })
                .collect();
            json!({"role": "assistant", "content": text, "tool_calls": calls})
        }
        Message::Tool { call_id, text } => json!({"role": "tool", "tool_call_id": call_id, "content": text}),
    }
}

fn tool(tool: &Tool) -> Value {
    let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
    json!({"type": "function", "function": function})
}

/// A piece of an answer.
#[derive(Debug, Deserialize)]
pub struct Chunk {
    /// At most one is asked for; none in a piece that only counts.
    pub choices: Option<Vec<Choice>>,
    /// How many tokens it took; in the last piece.
    pub usage: Option<Usage>,
    /// What went wrong in the middle.
    pub error: Option<Value>,
}

/// What is new in an answer.
#[derive(Debug, Deserialize)]
pub struct Choice {
    /// The piece.
    #[serde(default)]
    pub delta: Delta,
    /// Why it ends here.
    pub finish_reason: Option<String>,
}

/// A piece of text and calls.
#[derive(Debug, Default, Deserialize)]
pub struct Delta {
    /// More text.
    pub content: Option<String>,
    /// Pieces of calls.
    pub tool_calls: Option<Vec<CallPiece>>,
}

/// A piece of a call.
#[derive(Debug, Deserialize)]
pub struct CallPiece {
    /// Which call it belongs to; some providers leave it out and send calls whole.
    pub index: Option<usize>,
    /// The call's id, in its first piece.
    pub id: Option<String>,
    /// What is called.
    pub function: Option<FunctionPiece>,
}

/// A piece of what is called.
#[derive(Debug, Deserialize)]
pub struct FunctionPiece {
    /// The name, in the first piece.
    pub name: Option<String>,
    /// More of the arguments.
    pub arguments: Option<String>,
}

/// Tokens as the provider counts them.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Usage {
    /// What was asked.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// What was answered.
    #[serde(default)]
    pub completion_tokens: u64,
}

/// What an error's body says: the message in it, or how it begins. Never the key, and never more
/// than a few lines.
#[must_use]
pub fn said(body: &[u8], key: Option<&str>) -> String {
    const LONGEST: usize = 300;
    let text = String::from_utf8_lossy(body);
    let json: Option<Value> = serde_json::from_str(&text).ok();
    let message = json.as_ref().and_then(|json| {
        let error = json.get("error").unwrap_or(json);
        [error.get("message"), error.get("detail"), Some(error)].into_iter().flatten().find_map(Value::as_str)
    });
    let mut said = message.unwrap_or(&text).to_owned();
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        said = said.replace(key, "(the key)");
    }
    let plain: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    match plain.trim() {
        "" => "it does not say why.".to_owned(),
        plain if plain.ends_with(['.', '!', '?']) => plain.to_owned(),
        plain => format!("{plain}."),
    }
}

/// Whether an error's body says that what was paid for is used up, so that waiting does not help.
#[must_use]
pub fn is_out_of_money(body: &[u8]) -> bool {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().and_then(|json| json.get("error"));
    let words = ["code", "type"].map(|field| error.and_then(|error| error.get(field)).and_then(Value::as_str));
    words.into_iter().flatten().any(|word| word.contains("insufficient_quota") || word.contains("billing"))
}

/// Whether an error's body says that what the operator includes is used up.
#[must_use]
pub fn is_used_up_allowance(body: &[u8]) -> bool {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let code = json.as_ref().and_then(|json| json["error"]["code"].as_str());
    matches!(code, Some("allowance_used_up" | "total_used_up"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_says_is_short_and_without_the_key() {
        for (body, expected) in [
            (r#"{"error": {"message": "Bad key sk-1: no"}}"#, "Bad key (the key): no."),
            (r#"{"detail": "Nope!"}"#, "Nope!"),
            (r#"{"error": "gone"}"#, "gone."),
            ("<html>\n502\u{1b}[31m", "<html> 502 [31m."),
            ("", "it does not say why."),
        ] {
            assert_eq!(said(body.as_bytes(), Some("sk-1")), expected, "{body}");
        }
        assert!(said("x".repeat(9_999).as_bytes(), None).len() < 400);
    }

    #[test]
    fn a_field_that_is_refused_is_said_in_another_way_once() {
        let first = Dialect::default();
        let second = first.after_refusal("Unsupported parameter: 'max_tokens', use 'max_completion_tokens'.");
        assert_eq!(second.map(|dialect| dialect.length_field), Some(Some("max_completion_tokens")));
        let third = second.and_then(|dialect| dialect.after_refusal("max_completion_tokens is too large: 16000"));
        assert_eq!(third.map(|dialect| dialect.length_field), Some(None));
        assert_eq!(third.and_then(|dialect| dialect.after_refusal("max_tokens")), None);
        let too_large = first.after_refusal("max_tokens is too large: 16000");
        assert_eq!(too_large.map(|dialect| dialect.length_field), Some(None));
        assert_eq!(first.after_refusal("unknown model"), None);
    }
}
