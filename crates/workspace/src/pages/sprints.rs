//! The pages of sprints.

use askama::Template;

use crate::comparison::Line;
use crate::moment::Moment;
use crate::pages::Chrome;

/// `/sprints`
#[derive(Template)]
#[template(path = "sprints.html")]
pub struct SprintsPage {
    pub(crate) chrome: Chrome,
    pub(crate) sprints: Vec<SprintCard>,
    /// Addresses and titles of the visions there are.
    pub(crate) visions: Vec<(String, String)>,
    /// What commands cannot be kept from, or why nothing is run.
    pub(crate) warnings: Vec<&'static str>,
}

/// A sprint in a list.
pub struct SprintCard {
    /// Its address.
    pub href: String,
    /// Its name, `S-3`.
    pub id: String,
    /// The vision's title.
    pub vision: String,
    /// Whether it goes on, in a word.
    pub phase: &'static str,
    /// How many stories it has, how many are done, and how many have failed.
    pub stories: usize,
    /// See `stories`.
    pub done: usize,
    /// See `stories`.
    pub failed: usize,
}

impl SprintCard {
    /// Whether there is, or soon is, something to look at.
    #[must_use]
    pub fn is_reviewable(&self) -> bool {
        self.phase != "planned"
    }
}

/// `/sprints/new`
#[derive(Template)]
#[template(path = "sprint_form.html")]
pub struct SprintFormPage {
    pub(crate) chrome: Chrome,
    pub(crate) vision: String,
    pub(crate) title: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) attempts: u32,
    /// What one story took so far, in a sentence.
    pub(crate) expected: String,
    pub(crate) trouble: Option<String>,
}

/// A backlog item that can be part of a sprint.
pub struct Choice {
    /// The item's name.
    pub name: String,
    /// Its address.
    pub href: String,
    /// Its number and title.
    pub title: String,
    /// Its priority.
    pub priority: &'static str,
    /// Why it cannot be chosen, if so.
    pub unfit: Option<&'static str>,
}

/// `/sprints/{number}`
#[derive(Template)]
#[template(path = "sprint.html")]
pub struct SprintPage {
    pub(crate) chrome: Chrome,
    pub(crate) card: SprintCard,
    pub(crate) vision_href: String,
    pub(crate) project_href: String,
    /// Why it waits, if it does so by itself.
    pub(crate) why: Option<String>,
    pub(crate) can_start: bool,
    pub(crate) can_pause: bool,
    pub(crate) can_stop: bool,
    pub(crate) stories: Vec<StoryRow>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) expected: String,
    pub(crate) cost: String,
}

/// A story of a sprint.
pub struct StoryRow {
    /// The address of its own page.
    pub href: String,
    /// Its number, `B-12`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `waiting`, `working`, `done` or `failed`.
    pub word: &'static str,
    /// Where it stands, in a sentence.
    pub standing: String,
}

/// Something that happened.
pub struct EventRow {
    /// When.
    pub moment: Moment,
    /// The story's number, if it is about one.
    pub story: Option<String>,
    /// What, in a sentence.
    pub what: String,
    /// More about it, as text.
    pub more: Option<String>,
    /// The commands that belong to it, by their numbers on record.
    pub commands: Vec<u64>,
}

/// `/sprints/{number}/stories/{story}`
#[derive(Template)]
#[template(path = "story.html")]
pub struct StoryPage {
    pub(crate) chrome: Chrome,
    pub(crate) sprint_href: String,
    pub(crate) sprint_id: String,
    pub(crate) row: StoryRow,
    pub(crate) criteria: Vec<String>,
    pub(crate) design: Option<String>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) files: Vec<FileDiff>,
    /// What was said, the oldest first.
    pub(crate) said: Vec<SaidRow>,
}

/// Something that was said about a story.
pub struct SaidRow {
    /// What they are who said it.
    pub role: &'static str,
    /// When.
    pub moment: Moment,
    /// What.
    pub text: String,
}

/// What changed in one file.
pub struct FileDiff {
    /// The file.
    pub path: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// `/commands/{number}`
#[derive(Template)]
#[template(path = "command.html")]
pub struct CommandPage {
    pub(crate) chrome: Chrome,
    pub(crate) number: u64,
    pub(crate) command: String,
    pub(crate) purpose: String,
    pub(crate) ended: String,
    pub(crate) moment: Moment,
    pub(crate) output: String,
}

impl FileDiff {
    /// The files of a difference as git writes it.
    #[must_use]
    pub fn read(diff: &str) -> Vec<Self> {
        let mut files: Vec<Self> = Vec::new();
        for line in diff.lines() {
            if let Some(rest) = line.strip_prefix("diff --git ") {
                let path = rest.rsplit_once(" b/").map_or(rest, |(_, path)| path).trim_end_matches('"');
                files.push(Self { path: path.to_owned(), lines: Vec::new() });
                continue;
            }
            let Some(file) = files.last_mut() else { continue };
            let is_head = ["index ", "--- ", "+++ ", "new file", "deleted file", "old mode", "new mode", "\\ "];
            if file.lines.is_empty() && is_head.iter().any(|head| line.starts_with(head)) {
                continue;
            }
            file.lines.extend(match line.split_at_checked(1) {
                Some(("+", text)) => Some(Line::Added(text.to_owned())),
                Some(("-", text)) => Some(Line::Removed(text.to_owned())),
                Some((" ", text)) => Some(Line::Same(text.to_owned())),
                Some(("@", _)) => Some(Line::Same("⋯".to_owned())),
                Some(("\\", _)) | None => None,
                Some(_) => Some(Line::Same(line.to_owned())),
            });
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_read_file_by_file() {
        let diff = "diff --git a/a.js b/a.js\nindex 1..2 100644\n--- a/a.js\n+++ b/a.js\n@@ -1,2 +1,2 @@\n one\n-two\n+--- three\n\
                    diff --git a/b b/b\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n";
        let files = FileDiff::read(diff);
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a.js", "b"]);
        assert_eq!(
            files[0].lines[1..],
            [Line::Same("one".to_owned()), Line::Removed("two".to_owned()), Line::Added("--- three".to_owned())]
        );
        assert_eq!(files[1].lines.len(), 2);
    }
}
