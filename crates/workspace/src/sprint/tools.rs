//! What the tester and the developer can do. Nothing a model asks for is trusted: each call is parsed,
//! and refused in words that help it.

use serde::Deserialize;
use serde_json::json;

use super::talk::Topic;
use super::work::{Halt, Work};
use crate::bench::{Job, Limits, Reach};
use crate::model::{Tool, ToolCall};
use crate::project::{CommitId, FilePath};

/// The largest file that is written, and the most that is read of one, in bytes.
const LARGEST_FILE: usize = 256 * 1024;
const MOST_READ: usize = 64 * 1024;
/// The most that is told of a command's output, in bytes.
const MOST_TOLD: usize = 8 * 1024;

/// A call that can be carried out.
pub(super) enum Call {
    WriteFile { path: FilePath, content: String },
    ReadFile { path: FilePath },
    Run { command: String },
    Done { summary: String },
}

#[derive(Deserialize)]
struct Arguments {
    #[serde(default)]
    path: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    command: String,
    #[serde(default)]
    summary: String,
}

impl Call {
    /// Reads a call; what is wrong with it is told to the model.
    pub(super) fn parse(call: &ToolCall) -> Result<Self, String> {
        let arguments: Arguments = serde_json::from_str(&call.arguments)
            .map_err(|error| format!("Nothing was done: the arguments are not what {} takes ({error}).", call.name))?;
        let path = || FilePath::parse(&arguments.path).map_err(|error| format!("Nothing was done: {error}"));
        match call.name.as_str() {
            "write_file" => {
                let path = path()?;
                match arguments.content {
                    Some(content) if content.len() > LARGEST_FILE => {
                        Err(format!("Nothing was done: {} KiB is the most for one file.", LARGEST_FILE / 1024))
                    }
                    Some(content) => Ok(Self::WriteFile { path, content }),
                    None => Err("Nothing was done: write_file takes the whole content of the file.".to_owned()),
                }
            }
            "read_file" => Ok(Self::ReadFile { path: path()? }),
            "run" if arguments.command.trim().is_empty() => Err("Nothing was done: there is no command.".to_owned()),
            "run" => Ok(Self::Run { command: arguments.command }),
            "done" => Ok(Self::Done { summary: arguments.summary }),
            other => Err(format!("Nothing was done: there is no tool “{other}”.")),
        }
    }
}

/// The tools as they are offered.
pub(super) fn all() -> Vec<Tool> {
    let object = |properties: serde_json::Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let text = |description: &str| json!({"type": "string", "description": description});
    vec![
        Tool {
            name: "write_file",
            description: "Writes a whole file of the project; the folders it lies in are made.",
            parameters: object(
                json!({"path": text("such as src/list.js"), "content": text("all of it")}),
                &["path", "content"],
            ),
        },
        Tool {
            name: "read_file",
            description: "Reads a file of the project.",
            parameters: object(json!({"path": text("such as src/list.js")}), &["path"]),
        },
        Tool {
            name: "run",
            description: "Runs a shell command in the project's folder and tells how it ended and what it said.",
            parameters: object(json!({"command": text("such as node --test")}), &["command"]),
        },
        Tool {
            name: "done",
            description: "Ends the work.",
            parameters: object(json!({"summary": text("what was done, in a sentence or two")}), &["summary"]),
        },
    ]
}

/// What carries calls out.
pub(super) struct Hands<'a> {
    pub(super) work: &'a Work,
    pub(super) topic: &'a Topic<'a>,
}

impl Hands<'_> {
    /// Carries a call out. Gives what is told to the model, and the state of the branch if the call
    /// may have changed anything that carrying it out again would not.
    pub(super) async fn take(&self, call: &ToolCall) -> Result<(String, Option<CommitId>), Halt> {
        match Call::parse(call) {
            Err(refusal) => Ok((refusal, None)),
            Ok(Call::WriteFile { path, content }) => Ok((self.write_file(&path, &content)?, None)),
            Ok(Call::ReadFile { path }) => Ok((self.read_file(&path), None)),
            Ok(Call::Done { .. }) => Ok(("Thank you.".to_owned(), None)),
            Ok(Call::Run { command }) => {
                let told = self.run(&command).await?;
                let message = format!("B-{}: work in progress", self.topic.story);
                let kept = self.work.project.keep(self.topic.branch, &message, self.work.now()).await;
                match kept {
                    Ok(commit) => Ok((told, Some(commit))),
                    Err(problem) => Ok((format!("{told}\n{problem}"), None)),
                }
            }
        }
    }

    fn write_file(&self, path: &FilePath, content: &str) -> Result<String, Halt> {
        if self.topic.untouchable.contains(path) {
            return Ok(format!("Nothing was done: {path} belongs to the tester and cannot be changed."));
        }
        match self.work.project.write(path, content.as_bytes()) {
            Ok(()) => Ok(format!("{path} is written.")),
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Err(error.into()),
            Err(error) => Ok(format!("Nothing was done: {error}.")),
        }
    }

    fn read_file(&self, path: &FilePath) -> String {
        match self.work.project.read(path) {
            Ok(Some(bytes)) => {
                let text = String::from_utf8_lossy(&bytes);
                let end = text.floor_char_boundary(MOST_READ);
                let rest = text.len() - end;
                let beginning = text.get(..end).unwrap_or_default();
                if rest == 0 { beginning.to_owned() } else { format!("{beginning}\n[… {rest} more bytes]") }
            }
            Ok(None) => format!("There is no file {path}."),
            Err(error) => format!("{path} cannot be read: {error}"),
        }
    }

    async fn run(&self, command: &str) -> Result<String, Halt> {
        let job = Job {
            command: ["/bin/sh", "-c", command].map(str::to_owned).into(),
            limits: Limits::default(),
            reach: Reach::Itself,
            ..self.work.job(self.topic.sprint, self.topic.story)
        };
        let outcome = self.work.run(&job).await?;
        let (ended, seconds) = (&outcome.ended, outcome.took.as_secs_f64());
        Ok(format!("The command {ended} after {seconds:.1} seconds.\n{}", outcome.output.tail(MOST_TOLD)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn call(name: &str, arguments: &str) -> Result<Call, String> {
        Call::parse(&ToolCall { id: "1".to_owned(), name: name.to_owned(), arguments: arguments.to_owned() })
    }

    #[test]
    fn what_cannot_be_done_is_refused_in_words() {
        for (name, arguments, word) in [
            ("write_file", r#"{"path": "../x", "content": "y"}"#, "leads out"),
            ("write_file", r#"{"path": "/etc/passwd", "content": "y"}"#, "does not begin"),
            ("write_file", r#"{"path": ".git/hooks/post-commit", "content": "y"}"#, "history"),
            ("write_file", r#"{"path": "a"}"#, "whole content"),
            ("write_file", r#"{"path": 7}"#, "arguments"),
            ("read_file", "{}", "empty"),
            ("run", "{}", "no command"),
            ("format_disk", "{}", "no tool"),
            ("done", "nonsense", "arguments"),
        ] {
            let Err(refusal) = call(name, arguments) else { panic!("{name} {arguments}") };
            assert!(refusal.contains(word), "{name} {arguments}: {refusal}");
        }
        let large = serde_json::json!({"path": "a", "content": "x".repeat(LARGEST_FILE + 1)}).to_string();
        assert!(call("write_file", &large).is_err());
    }
}
