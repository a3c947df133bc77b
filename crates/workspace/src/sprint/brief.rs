//! What each member of the team is told for a task. A model remembers nothing, so it is told all it
//! needs.

use std::fmt::Write as _;

use super::entry::Story;
use super::state::{Fall, Ground};
use crate::model::{Message, Role, Step, StepKind};
use crate::project::Stack;

/// The most that is shown of a list of files.
const MOST_FILES: usize = 200;

const TOOLS: &str = "You work with tools: write_file writes a whole file, read_file reads one, run runs a command in \
the project's folder, done ends your work. Paths are relative to the project's folder. Commands run in a sandbox \
without a network, where a test can start a server on port 0 and connect to it. Words alone change nothing: use the \
tools, and call done when you are finished.";

/// What is asked for.
pub struct Brief {
    /// Of whom.
    pub role: Role,
    /// What they are told.
    pub messages: Vec<Message>,
}

/// Asks the architect how to build a story.
pub fn design(story: &Story, files: &[String]) -> Brief {
    let duty = "You are the architect. Say in a few short paragraphs how the story is built: which files, what each is \
                for, which names they share. Choose the simplest thing that works, Node without dependencies where \
                nothing speaks against it. The app listens on the port in the variable PORT, 3000 without it, at \
                127.0.0.1, and keeps its data below the folder in the variable DATA, ./data without it. You have no \
                tools; your words go to the tester and the developer.";
    brief(Role::Architect, StepKind::Design, 1, story, duty, &story_and_files(story, files))
}

/// Asks the tester for a story's acceptance tests.
pub fn tests(story: &Story, design: &str, stack: &Stack, files: &[String]) -> Brief {
    let duty = format!(
        "You are the tester. Write the acceptance tests of the story before there is code: at least one for each \
         criterion, in files below acceptance/ whose names end in .test.js, for node:test (for Python: test_*.py, \
         for unittest). They must fail until the story is done and pass when it is; they must not depend on the \
         network. Acceptance tests of before go on being run: where the story wants something else than they say, \
         change those files. The developer cannot change any of them. {TOOLS}"
    );
    let told = format!(
        "{}\n\nThe project is made with {}. The architect says:\n\n{design}",
        story_and_files(story, files),
        stack.noun()
    );
    brief(Role::Tester, StepKind::WriteTests, 1, story, &duty, &told)
}

/// Asks the developer for a story's code, or for its repair.
pub fn code(story: &Story, ground: &Ground, attempt: u32, fell: Option<&Fall>, files: &[String]) -> Brief {
    let duty = format!(
        "You are the developer. Write the code of the story so that its acceptance tests pass, and all others too. You \
         cannot change the acceptance tests. {TOOLS}"
    );
    let mut told = format!("{}\n\nThe architect says:\n\n{}", story_and_files(story, files), ground.design);
    let acceptance: Vec<String> = ground.acceptance.files.iter().map(ToString::to_string).collect();
    let _ = write!(told, "\n\nThe acceptance tests are in: {}.", acceptance.join(", "));
    if let Some(Fall { why, tail }) = fell {
        let _ = write!(
            told,
            "\n\nThis is attempt {attempt}. The last one did not do: {why}. The end of the output:\n\n{tail}"
        );
    }
    brief(Role::Developer, StepKind::WriteCode, attempt, story, &duty, &told)
}

fn brief(role: Role, kind: StepKind, attempt: u32, story: &Story, duty: &str, told: &str) -> Brief {
    let step = Step {
        kind,
        story: Some(format!("B-{}", story.number)),
        title: Some(story.title.replace('\n', " ")),
        attempt,
        is_repair: story.done_in.is_some(),
    };
    let system = format!("{duty}\n\nRole: {}\n{step}", role.word());
    Brief { role, messages: vec![Message::System(system), Message::User(told.to_owned())] }
}

fn story_and_files(story: &Story, files: &[String]) -> String {
    let mut told = format!("The story: {}\n\n{}\n\nIt is done when:\n", story.title, story.text);
    for criterion in &story.criteria {
        let _ = writeln!(told, "- {criterion}");
    }
    if let Some(sprint) = story.done_in {
        let _ = writeln!(
            told,
            "\nThe story was done in S-{sprint} and comes back, since a person wants something about it to be \
             different. What it says now counts. Keep what still holds, and change the rest."
        );
    }
    told.push_str("\nThe files of the project:");
    if files.is_empty() {
        told.push_str(" none yet.");
    }
    for file in files.iter().take(MOST_FILES) {
        let _ = write!(told, "\n- {file}");
    }
    if files.len() > MOST_FILES {
        let _ = write!(told, "\n- and {} more", files.len() - MOST_FILES);
    }
    told
}
