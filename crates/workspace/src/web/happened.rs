//! What happened in a sprint, in sentences.

use jiff::Timestamp;

use crate::model::Cost;
use crate::moment::Moment;
use crate::pages::sprints::EventRow;
use crate::project::FilePath;
use crate::sprint::{Entry, Expected, TaskResult};

/// What happened, the newest first; of one story, if one is named.
#[must_use]
pub fn rows(entries: &[Entry], story: Option<u64>, now: Timestamp) -> Vec<EventRow> {
    let is_wanted = |row: &EventRow| story.is_none_or(|story| row.story == Some(format!("B-{story}")));
    entries.iter().rev().map(|entry| row(entry, now)).filter(is_wanted).collect()
}

/// What stories took before, in a sentence; honest when there is nothing to go by.
#[must_use]
pub fn expected_words(expected: Option<Expected>, stories: usize) -> String {
    let noun = if stories == 1 { "One story" } else { "These stories" };
    match expected {
        None => "No story was worked on yet, so nothing can be said about time and cost.".to_owned(),
        Some(Expected { known_from, seconds, millionths }) => {
            let minutes = seconds.div_ceil(60).max(1);
            let cost = Cost::millionths(millionths);
            format!("{noun} may take about {minutes} min and cost about {cost}, as {known_from} worked on before did.")
        }
    }
}

fn row(entry: &Entry, now: Timestamp) -> EventRow {
    let mut row = EventRow {
        moment: Moment::new(entry.at(), now),
        story: None,
        what: String::new(),
        more: None,
        commands: Vec::new(),
    };
    row.what = match entry {
        Entry::Planned { by, plan, .. } => format!("{by} chose {} stories.", plan.stories.len()),
        Entry::Started { by, .. } => format!("{by} let it go on."),
        Entry::Paused { by: Some(by), .. } => format!("{by} paused it."),
        Entry::Paused { why, .. } => {
            row.more.clone_from(why);
            "It waits for you.".to_owned()
        }
        Entry::Stopped { by, .. } => format!("{by} stopped it."),
        Entry::Waiting { why, seconds, .. } => {
            row.more = Some(why.clone());
            format!("The model gave no answer; it is asked again in {seconds} seconds.")
        }
        Entry::Finished { .. } => "No story is left to work on.".to_owned(),
        Entry::Began { story, task, .. } => {
            row.story = Some(format!("B-{story}"));
            format!("{}.", task.words())
        }
        Entry::Ended { story, result, .. } => {
            row.story = Some(format!("B-{story}"));
            say(result, &mut row)
        }
    };
    row
}

fn say(result: &TaskResult, row: &mut EventRow) -> String {
    match result {
        TaskResult::Designed { text } => {
            row.more = Some(text.clone());
            "The design is written.".to_owned()
        }
        TaskResult::TestsWritten(acceptance) => {
            row.more = Some(names(&acceptance.files));
            "The acceptance tests are written.".to_owned()
        }
        TaskResult::CodeWritten { summary } => {
            row.more = Some(summary.clone());
            "The developer says that it is written.".to_owned()
        }
        TaskResult::Passed { tests, put_back, commands } => {
            row.commands.clone_from(commands);
            row.more = put_back_words(put_back);
            format!("Its acceptance tests ran and passed ({tests}), and so did all others.")
        }
        TaskResult::Fell { why, tail, put_back, commands } => {
            row.commands.clone_from(commands);
            let put_back = put_back_words(put_back).map(|words| format!("{words}\n\n")).unwrap_or_default();
            row.more = Some(format!("{put_back}{tail}"));
            format!("It is not done yet: {why}.")
        }
        TaskResult::Merged { .. } => "It is done, and part of the project.".to_owned(),
        TaskResult::GaveUp { why } => format!("It has failed: {why}."),
    }
}

fn put_back_words(files: &[FilePath]) -> Option<String> {
    (!files.is_empty()).then(|| format!("Acceptance tests had been changed and were put back: {}.", names(files)))
}

fn names(files: &[FilePath]) -> String {
    files.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
