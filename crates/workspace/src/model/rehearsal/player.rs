//! What is played in answer to a question. The same question always has the same answer, so that a
//! reload, a restart or a repetition changes nothing.

use serde_json::{Value, json};

use super::recording::{self, Scene};
use crate::model::role::Role;
use crate::model::step::{Step, StepKind};

/// An answer.
#[derive(Debug, Default)]
pub struct Reply {
    /// The words.
    pub text: String,
    /// What is asked to be done.
    pub calls: Vec<(String, Value)>,
}

impl Reply {
    fn says(text: impl Into<String>) -> Self {
        Self { text: text.into(), calls: Vec::new() }
    }
}

/// The answer to a question as it came.
#[must_use]
pub fn reply(question: &Value) -> Reply {
    let messages = question["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let system = messages.iter().filter(|message| message["role"] == "system");
    let system = system.filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n");
    let Some(step) = Step::find(&system) else {
        return Reply::says("This is the rehearsal. It answers, and it plays one recorded project, step by step.");
    };
    match step.kind {
        StepKind::Design => match recording::at_work(&step) {
            Some(scene) => Reply::says(scene.text),
            None => unknown(&step),
        },
        StepKind::WriteTests | StepKind::WriteCode => match recording::at_work(&step) {
            Some(scene) => work(scene, messages),
            None => unknown(&step),
        },
        StepKind::Vision | StepKind::Refinement | StepKind::Planning | StepKind::Review | StepKind::Retrospective => {
            let turn = said(messages);
            play(recording::in_meeting(&step, role_in(&system).map_or("", Role::word), turn), messages)
        }
        StepKind::Change => play(recording::of_change(&step), messages),
    }
}

fn unknown(step: &Step) -> Reply {
    let title = step.title.as_deref().unwrap_or("without a title");
    Reply::says(format!(
        "This is a rehearsal, and the story “{title}” was not recorded. It knows the three stories of the shopping list."
    ))
}

/// Files first, then the command, then the word that it is done: each once the one before was answered.
fn work(scene: Scene, messages: &[Value]) -> Reply {
    let has_called = |name: &str| messages.iter().any(|message| calls_of(message).any(|call| call == name));
    let directions = scene.directions;
    if !has_called("write_file") && !scene.files.is_empty() {
        let write = |(path, content)| ("write_file".to_owned(), json!({"path": path, "content": content}));
        return Reply { text: scene.text, calls: scene.files.into_iter().map(write).collect() };
    }
    if let Some(command) = directions.run.filter(|_| !has_called("run")) {
        return Reply { text: String::new(), calls: vec![("run".to_owned(), json!({"command": command}))] };
    }
    if has_called("done") {
        return Reply::says("That is all.");
    }
    let summary = directions.done.unwrap_or_default();
    Reply { text: String::new(), calls: vec![("done".to_owned(), json!({"summary": summary}))] }
}

/// Which turn it is follows from what people have said in the conversation; other members of the team
/// are quoted in parentheses.
fn said(messages: &[Value]) -> usize {
    let is_of_a_person = |message: &&Value| {
        message["role"] == "user" && message["content"].as_str().is_some_and(|text| !text.starts_with('('))
    };
    messages.iter().filter(is_of_a_person).count()
}

/// What is said and proposed first, then the last word.
fn play(scene: Scene, messages: &[Value]) -> Reply {
    if messages.last().is_some_and(|message| message["role"] == "tool") {
        return Reply::says(scene.directions.then.unwrap_or_else(|| "That is all.".to_owned()));
    }
    let calls = scene.directions.calls.into_iter().map(|call| (call.tool, call.arguments)).collect();
    Reply { text: scene.text, calls }
}

/// The role in the line `Role: project-manager` of the system message.
fn role_in(system: &str) -> Option<Role> {
    system.lines().find_map(|line| Role::parse(line.trim().strip_prefix("Role:")?.trim()))
}

fn calls_of(message: &Value) -> impl Iterator<Item = &str> {
    let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    calls.iter().filter_map(|call| call["function"]["name"].as_str())
}
