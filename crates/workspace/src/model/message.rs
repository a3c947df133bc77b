//! What is asked of a model, and what it answers.

use serde::{Deserialize, Serialize};

use super::price::{Cost, Tokens};
use super::role::Role;

/// One question to a model, with all it needs to know: models remember nothing.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks; decides which model answers and at which price.
    pub role: Role,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// What the model may ask to be done.
    pub tools: Vec<Tool>,
    /// What it is asked for, in the account of use.
    pub purpose: Purpose,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// What the model is, and what it is to do.
    System(String),
    /// What a person says, or another member of the team.
    User(String),
    /// What the model answered before.
    Assistant {
        /// Its words.
        text: String,
        /// What it asked to be done.
        calls: Vec<ToolCall>,
    },
    /// What came of something it asked to be done.
    Tool {
        /// The call's id.
        call_id: String,
        /// What came of it.
        text: String,
    },
}

/// Something that the model may ask to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name; letters, digits and `_`.
    pub name: &'static str,
    /// When and what for, in words to the model.
    pub description: &'static str,
    /// What it takes, as JSON Schema.
    pub parameters: serde_json::Value,
}

/// Something that the model asks to be done. Nothing is done yet, and nothing in it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// By which the model knows the outcome.
    pub id: String,
    /// The tool; one of those that were offered.
    pub name: String,
    /// A JSON object as text; whether it has the tool's fields is for the tool to see.
    pub arguments: String,
}

/// What a call belongs to, by name or number; as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Purpose {
    /// The vision's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Such as `M-3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting: Option<String>,
    /// Such as `S-2`; the sprint's budget holds for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sprint: Option<String>,
    /// Such as `B-12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its words; may be empty when there are calls.
    pub text: String,
    /// What the model asks to be done.
    pub calls: Vec<ToolCall>,
    /// How many tokens it took.
    pub usage: Tokens,
    /// What it cost.
    pub cost: Cost,
    /// Why it ended.
    pub finish: Finish,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model had no more to say.
    Said,
    /// It waits for what it asked to be done.
    Calls,
    /// It reached the length it was allowed; the end is missing.
    Length,
    /// The provider held the rest back.
    Filtered,
}

impl Message {
    /// How many bytes the provider is sent for it, roughly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const AROUND: usize = 16;
        let calls = |calls: &[ToolCall]| -> usize {
            calls.iter().map(|call| call.name.len() + call.arguments.len() + call.id.len()).sum()
        };
        AROUND
            + match self {
                Self::System(text) | Self::User(text) => text.len(),
                Self::Assistant { text, calls: made } => text.len() + calls(made),
                Self::Tool { call_id, text } => call_id.len() + text.len(),
            }
    }
}
