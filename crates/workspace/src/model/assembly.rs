//! Puts the pieces of an answer together, and judges whether it is one.

use serde_json::{Map, Value};

use super::error::ModelError;
use super::message::{Answer, Finish, Tool, ToolCall};
use super::price::{Counted, Price, Tokens, estimate};
use super::wire::{CallPiece, Chunk, Usage, said};

/// The most calls in one answer.
const MOST_CALLS: usize = 64;

/// An answer as far as it was heard.
#[derive(Debug, Default)]
pub struct Assembly {
    text: String,
    calls: Vec<ToolCall>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    is_done: bool,
    bytes: usize,
}

impl Assembly {
    /// Whether anything of the answer was heard.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.bytes > 0 || self.finish.is_some()
    }

    /// Whether nothing more can come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes an event of the stream; gives the new text in it.
    ///
    /// # Errors
    /// [`ModelError::Broken`] and [`ModelError::TooLong`].
    pub fn take(&mut self, event: &[u8], longest: usize, key: Option<&str>) -> Result<String, ModelError> {
        if event == b"[DONE]" {
            self.is_done = true;
            return Ok(String::new());
        }
        let chunk: Chunk = serde_json::from_slice(event)
            .map_err(|_| ModelError::Broken("a piece of it is not the JSON expected here.".to_owned()))?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            let said = said(error.to_string().as_bytes(), key);
            return Err(ModelError::Broken(format!("the provider broke it off: {said}")));
        }
        self.usage = chunk.usage.or(self.usage);
        let Some(choice) = chunk.choices.into_iter().flatten().next() else { return Ok(String::new()) };
        let text = choice.delta.content.unwrap_or_default();
        self.bytes += text.len();
        self.text.push_str(&text);
        for piece in choice.delta.tool_calls.unwrap_or_default() {
            self.take_call(piece)?;
        }
        if self.bytes > longest {
            return Err(ModelError::TooLong(longest / 1024));
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.finish = Some(match reason.as_str() {
                "length" => Finish::Length,
                "content_filter" => Finish::Filtered,
                _ if self.calls.is_empty() => Finish::Said,
                _ => Finish::Calls,
            });
        }
        Ok(text)
    }

    fn take_call(&mut self, piece: CallPiece) -> Result<(), ModelError> {
        let is_new = |id: &str| self.calls.iter().all(|call| call.id != id);
        let otherwise = match piece.id.as_deref() {
            Some(id) if !id.is_empty() && is_new(id) => self.calls.len(),
            _ => self.calls.len().saturating_sub(1),
        };
        let index = piece.index.unwrap_or(otherwise);
        if index > self.calls.len() || index >= MOST_CALLS {
            return Err(ModelError::Broken("it asks for more, or in another order, than can be.".to_owned()));
        }
        if index == self.calls.len() {
            self.calls.push(ToolCall { id: String::new(), name: String::new(), arguments: String::new() });
        }
        let Some(call) = self.calls.get_mut(index) else { return Ok(()) };
        let function = piece.function.as_ref();
        let name = function.and_then(|function| function.name.as_deref()).unwrap_or_default();
        let arguments = function.and_then(|function| function.arguments.as_deref()).unwrap_or_default();
        let id = piece.id.as_deref().unwrap_or_default();
        if call.id.is_empty() {
            call.id.push_str(id);
        }
        if call.name.is_empty() {
            call.name.push_str(name);
        }
        call.arguments.push_str(arguments);
        self.bytes += arguments.len() + name.len() + id.len() + 1;
        Ok(())
    }

    /// The tokens it took so far: as the provider says, or estimated from what was sent and heard.
    #[must_use]
    pub fn tokens(&self, input: u64) -> Tokens {
        match self.usage {
            Some(usage) if usage.prompt_tokens + usage.completion_tokens > 0 => {
                Tokens { input: usage.prompt_tokens, output: usage.completion_tokens, counted: Counted::Told }
            }
            _ => Tokens { input, output: estimate(self.bytes), counted: Counted::Estimated },
        }
    }

    /// The answer, if the stream ended as answers end.
    ///
    /// # Errors
    /// [`ModelError::Broken`] says what is wrong with it.
    pub fn finish(self, tools: &[Tool], input: u64, price: Price) -> Result<Answer, ModelError> {
        let broken = |why: &str| ModelError::Broken(why.to_owned());
        let usage = self.tokens(input);
        let finish = match self.finish {
            Some(finish) => finish,
            None if self.is_done && self.calls.is_empty() => Finish::Said,
            None if self.is_done => Finish::Calls,
            None => return Err(broken("the connection ended before the answer did.")),
        };
        let mut calls = self.calls;
        for (index, call) in calls.iter_mut().enumerate() {
            check_call(call, index, tools)?;
        }
        if self.text.trim().is_empty() && calls.is_empty() {
            return Err(broken("it is empty."));
        }
        Ok(Answer { text: self.text, calls, usage, cost: price.of(usage), finish })
    }
}

/// Some providers give no ids, and no arguments where there are none.
fn check_call(call: &mut ToolCall, index: usize, tools: &[Tool]) -> Result<(), ModelError> {
    if !tools.iter().any(|tool| tool.name == call.name) {
        let name: String = call.name.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(ModelError::Broken(format!("it asks for “{name}”, which was not offered.")));
    }
    if call.id.is_empty() {
        call.id = format!("call-{index}");
    }
    if call.arguments.trim().is_empty() {
        "{}".clone_into(&mut call.arguments);
    }
    match serde_json::from_str::<Map<String, Value>>(&call.arguments) {
        Ok(_) => Ok(()),
        Err(_) => Err(ModelError::Broken(format!("what it wants of “{}” is not a JSON object.", call.name))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    use proptest::prelude::*;

    const LONGEST: usize = 1_000;

    fn offered() -> Vec<Tool> {
        vec![Tool { name: "run", description: "", parameters: json!({"type": "object"}) }]
    }

    fn assemble(events: &[&str]) -> Result<Answer, ModelError> {
        let mut assembly = Assembly::default();
        for event in events {
            assembly.take(event.as_bytes(), LONGEST, None)?;
        }
        assembly.finish(&offered(), 10, Price::default())
    }

    fn call(index: &str, rest: &str) -> String {
        format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{{index}{rest}}}]}},"finish_reason":null}}]}}"#)
    }

    #[test]
    fn calls_come_in_pieces_or_whole_with_or_without_numbers() {
        let pieces = [
            call("\"index\":0,", r#""id":"a","function":{"name":"run","arguments":"{\"x\""}"#),
            call("\"index\":0,", r#""function":{"arguments":":1}"}"#),
            call("", r#""id":"b","function":{"name":"run","arguments":"{}"}"#),
            call("\"index\":2,", r#""function":{"name":"run"}"#),
        ];
        let mut events: Vec<&str> = pieces.iter().map(String::as_str).collect();
        events.push(r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#);
        let answer = assemble(&events).unwrap();
        let calls: Vec<_> = answer.calls.iter().map(|call| (call.id.as_str(), call.arguments.as_str())).collect();
        assert_eq!(calls, [("a", "{\"x\":1}"), ("b", "{}"), ("call-2", "{}")]);
        assert_eq!((answer.finish, answer.usage.counted), (Finish::Calls, Counted::Estimated));
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        let unknown = call("\"index\":0,", r#""id":"a","function":{"name":"rm","arguments":"{}"}"#);
        let malformed = call("\"index\":0,", r#""id":"a","function":{"name":"run","arguments":"[1"}"#);
        let wild = call("\"index\":9,", r#""id":"a","function":{"name":"run","arguments":"{}"}"#);
        let long = format!(r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "x".repeat(LONGEST + 1));
        for (events, word) in [
            (vec![unknown.as_str(), "[DONE]"], "“rm”, which was not offered"),
            (vec![malformed.as_str(), "[DONE]"], "not a JSON object"),
            (vec![wild.as_str()], "another order"),
            (vec!["[DONE]"], "empty"),
            (vec![r#"{"choices":[{"delta":{"content":"half"}}]}"#], "ended before"),
            (vec!["{"], "not the JSON"),
            (vec![r#"{"error":{"message":"overloaded"}}"#], "broke it off: overloaded."),
            (vec![long.as_str()], "did not end"),
        ] {
            let error = assemble(&events).unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    #[test]
    fn the_provider_counts_where_it_does() {
        let events = [
            r#"{"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
        ];
        assert_eq!(assemble(&events).unwrap().usage, Tokens { input: 7, output: 3, counted: Counted::Told });
    }

    proptest! {
        #[test]
        fn whatever_a_provider_sends_is_an_answer_or_an_error(
            events in proptest::collection::vec("(\\{|\\}|\\[|\\]|\"|:|,|choices|delta|content|tool_calls|index|id|function|name|arguments|run|1|null){0,24}", 0..6),
            name in "[a-z]{0,4}", arguments in "\\PC{0,12}", index in 0_usize..80,
        ) {
            let piece = json!({"choices": [{"delta": {"content": arguments, "tool_calls": [{"index": index, "function": {"name": name, "arguments": arguments}}]}}]});
            let mut assembly = Assembly::default();
            for event in events.into_iter().chain([piece.to_string(), "[DONE]".to_owned()]) {
                let _ = assembly.take(event.as_bytes(), LONGEST, None);
            }
            if let Ok(answer) = assembly.finish(&offered(), 1, Price::default()) {
                prop_assert!(answer.calls.iter().all(|call| call.name == "run" && !call.id.is_empty()));
            }
        }
    }
}
