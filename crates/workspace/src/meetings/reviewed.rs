//! What the team is told of a sprint that is reviewed, and of a change that is asked for.

use std::fmt::Write;

use super::meeting::Meeting;
use crate::item::Item;
use crate::library::{Library, LibraryError};
use crate::model::{Step, StepKind};
use crate::name::Shelf;
use crate::sprint::{Sprint, Standing, Story};

/// The most of a story's text that is told, in characters.
const MOST_STORY: usize = 2_000;

const CHANGE: &str = "A change is asked for. Propose what becomes of it with propose_stories, in this answer:\n\
- A repair, where a story of the sprint does not do what is wanted. Give its id, its whole text and all of its criteria, with one more or one put differently; what still holds stays word by word. It goes back to be worked on.\n\
- A new story, where something is wanted that no story speaks of. Leave the id out.\n\
Say in a sentence or two why you chose which. Ask back instead only if you cannot tell what is wanted.";

/// The step that an answer belongs to.
pub fn step(meeting: &Meeting, sprint: Option<&Sprint>) -> Step {
    let Some(request) = meeting.unanswered_request() else { return Step::of(meeting.kind.step()) };
    let story = request.story.and_then(|number| sprint?.story(number));
    Step {
        story: request.story.map(|number| format!("B-{number}")),
        title: story.map(|(story, _)| story.title.replace('\n', " ")),
        ..Step::of(StepKind::Change)
    }
}

/// The stories of the sprint as they are now, how each ended, and what to do about a request.
///
/// # Errors
/// When the disk fails.
pub fn told(library: &Library, meeting: &Meeting, sprint: &Sprint) -> Result<String, LibraryError> {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\nThe stories of {}, which is reviewed:", sprint.id());
    for (story, standing) in &sprint.stories {
        let ended = match standing {
            Standing::Done { tests, .. } => format!("done in {}: {tests} acceptance tests ran and passed", sprint.id()),
            Standing::Failed { why } => format!("not done in {}: {why}", sprint.id()),
            Standing::At(_) => "not finished".to_owned(),
        };
        let _ = writeln!(text, "\nB-{} {} ({ended})", story.number, story.title);
        text.push_str(&now(library, story)?);
    }
    if meeting.unanswered_request().is_some() {
        let _ = writeln!(text, "\n{CHANGE}");
    }
    Ok(text)
}

/// A story as the backlog has it now; as the sprint took it where it is not there any more.
fn now(library: &Library, story: &Story) -> Result<String, LibraryError> {
    let document = match library.item(story.number).and_then(|name| library.read(Shelf::Backlog, &name)) {
        Ok(document) => Some(document),
        Err(LibraryError::Disk(error)) => return Err(error.into()),
        Err(_) => None,
    };
    let item = document.and_then(|document| Item::parse(&document.name, &document.text()).ok());
    let (told, criteria) = match &item {
        Some(item) => (&item.story, item.criteria.iter().map(|criterion| &criterion.text).collect::<Vec<_>>()),
        None => (&story.text, story.criteria.iter().collect()),
    };
    let mut text: String = told.chars().take(MOST_STORY).collect();
    text.push('\n');
    for criterion in criteria {
        let _ = writeln!(text, "- {criterion}");
    }
    Ok(text)
}
